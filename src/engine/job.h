/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_JOB_H
#define BERTH_ENGINE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"
#include "proc/procfs.h"

/* A job and its steps, as every engine describes them; the names are Slurm's. */

enum job_state {
	JOB_PENDING,
	JOB_RUNNING,
	JOB_SUSPENDED,
	JOB_COMPLETING, /* being ended; counts as running for resources */
	JOB_COMPLETED,
	JOB_CANCELLED,
	JOB_FAILED,
	JOB_TIMEOUT,
	JOB_NODE_FAIL, /* lost its owner: killed, or the machine went down */
	JOB_STATES
};

/* Why a job is pending, or how it failed. */
enum job_reason {
	REASON_NONE,
	REASON_RESOURCES,	 /* the first in the queue: waits for CPUs or memory */
	REASON_PRIORITY,	 /* jobs before it wait */
	REASON_DEPENDENCY,	 /* another job has to end (or start) first */
	REASON_DEPENDENCY_NEVER, /* DependencyNeverSatisfied */
	REASON_BEGIN_TIME,
	REASON_HELD_USER,   /* JobHeldUser */
	REASON_ARRAY_LIMIT, /* JobArrayTaskLimit: -a ...%N */
	REASON_NONZERO_EXIT,
	REASON_SIGNALED,   /* RaisedSignal */
	REASON_TIME_LIMIT, /* TimeLimit */
	REASON_NODE_DOWN,  /* NodeDown */
	REASON_LAUNCH,	   /* JobLaunchFailure: its supervisor could not be started */
	JOB_REASONS
};

enum job_kind { JOB_SRUN, JOB_SALLOC, JOB_SBATCH };

#define STEP_BATCH 4294967291U
#define STEP_INTERACTIVE 4294967290U
#define STEP_NONE 4294967294U

#define ARRAY_NONE UINT32_MAX /* array_task of a job that belongs to no array */

/* The process that a job or step stands or falls with. pid 0: none yet, or no more. */
struct job_owner {
	struct proc_id id;
	char boot[37]; /* boot id at its start: pids of an earlier boot mean nothing */
};

/*
 * Strings are owned (job_free); NULL where nothing was said. Times are of the real-time clock in seconds, 0 where it
 * has not happened. What an engine fills in is marked E; the rest is the request.
 */
struct job {
	uint32_t id; /* E */
	enum job_kind kind;
	enum job_state state;	/* E */
	enum job_reason reason; /* E */

	/* Arrays: one job an element; the array's number is its first element's id. */
	uint32_t array_job;  /* E: 0 where it belongs to no array */
	uint32_t array_task; /* ARRAY_NONE where it belongs to no array */
	uint32_t array_count, array_min, array_max, array_step;
	uint32_t array_limit; /* at most so many at a time; 0: no limit */

	char *name, *account, *partition, *qos, *comment, *reservation, *wckey;
	char **recorded; /* options that are accepted and only recorded: "mail-user=me" */

	uid_t uid;		  /* E */
	gid_t gid;		  /* E */
	char *user, *group;	  /* E: names */
	char *node;		  /* E: host name, short */
	time_t submit, eligible;  /* E */
	time_t start, end;	  /* E */
	time_t begin;		  /* --begin; 0: at once */
	uint32_t time_limit;	  /* seconds; 0: none */
	uint32_t ntasks;	  /* at least 1 */
	uint32_t cpus_per_task;	  /* at least 1 */
	bool cpus_per_task_set;	  /* -c was given */
	uint32_t cpus;		  /* asked for: ntasks * cpus_per_task unless more */
	char *cpu_list;		  /* E: granted, "0-2,5" */
	uint64_t mem;		  /* bytes; 0: not asked for, does not count */
	bool exclusive;		  /* all CPUs of the machine */
	bool hold;		  /* -H: until released */
	bool requeue;		  /* queued again after its owner was lost */
	uint32_t restarts;	  /* E */
	bool kill_on_invalid_dep; /* a dependency that can't be satisfied cancels it */
	char *dependency;	  /* "afterok:12:13,singleton", checked; '?' instead of ',': any is enough */
	int warn_signal;	  /* --signal: 0 none */
	uint32_t warn_before;	  /* seconds before the time limit */
	bool warn_batch;	  /* --signal=B: the batch shell only */

	uint32_t umask;
	char *work_dir;	  /* absolute */
	char *submit_dir; /* absolute: where the command was given */
	char *command;	  /* for people: script or program */
	char *submit_line;
	char *std_in, *std_out, *std_err; /* batch: file name patterns; E: absolute names */
	bool append;			  /* --open-mode=append */
	char *container, *container_id;	  /* of the batch or interactive step; bundle absolute */

	uint32_t exit_code;	    /* E: of the batch script, the command, or the highest of the steps */
	uint32_t exit_signal;	    /* E: 0, or the signal that ended it */
	uint32_t derived_exit_code; /* E: the highest of the steps */
	bool cancelled;		    /* E: somebody asked for its end; who: */
	uid_t cancelled_by;	    /* E */
	struct job_owner owner;	    /* E: srun, salloc, or the batch supervisor */
	char *mark;		    /* E: NAME=value in the environment of all of its processes */
};

/* One task of a running step. */
struct step_task {
	struct proc_id id; /* pid 0: not started, or ended */
	bool ended;
	uint32_t exit_code, exit_signal;
};

struct step {
	uint32_t job, id;
	char *name; /* the program's name, "batch", "interactive" */
	enum job_state state;
	time_t start, end;
	uint32_t ntasks, cpus_per_task;
	char *cpu_list; /* shared with others where overlap */
	bool overlap;
	char *container, *container_id;
	char *spool; /* its private folder: task folders of berth-task are below it */
	char *std_in, *std_out, *std_err;
	char *work_dir;
	char *submit_line;
	uint32_t exit_code, exit_signal;
	bool cancelled;
	uid_t cancelled_by;
	struct job_owner owner; /* srun, or the job's owner */
	struct step_task *tasks;
	size_t n_tasks;
};

/* "PENDING", and "PD" where compact. Static. */
const char *job_state_name(enum job_state s, bool compact);
/* Either form, any case. */
int job_state_parse(const char *name, enum job_state *out, struct err *e);
/* True for those that are over and whose record no longer changes. */
bool job_state_ended(enum job_state s);
/* "None", "Resources", "DependencyNeverSatisfied" ... */
const char *job_reason_name(enum job_reason r);
/* "12", "12_3", "12.0", "12_3.batch" as Slurm writes them; STEP_NONE: the job itself. The caller frees it. */
char *job_id_text(const struct job *j, uint32_t step);

/* A job with every number at its default; fill it and free it with job_free. */
void job_init(struct job *j);
void job_free(struct job *j);
void step_init(struct step *s);
void step_free(struct step *s);

#endif
