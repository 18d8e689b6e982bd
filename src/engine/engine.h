/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_ENGINE_H
#define BERTH_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/job.h"
#include "proc/exit.h"

/*
 * The seam between berth and whoever manages the work: the embedded engine (local/), or a site's own Slurm through its
 * commands. One process uses one engine.
 */
struct engine;

/* What a task's standard stream is connected to. */
enum stdio_kind {
	STDIO_ALL,  /* this process' own, all tasks together (the default) */
	STDIO_NONE, /* /dev/null */
	STDIO_TASK, /* this process' own, task `task` alone */
	STDIO_FILE, /* a file; the name may hold patterns, one file a task where they differ */
};

struct step_stdio {
	enum stdio_kind kind;
	uint32_t task;
	const char *file;
};

/* One step to run: borrowed strings, read-only during the run. */
struct engine_step {
	char *const *argv;	   /* at least one word, except with a container: none means the image's own command */
	char *const *env;	   /* the tasks' environment, before SLURM_* of the step is added */
	char *const *explicit_env; /* names that the user set explicitly for the container */
	const char *name;	   /* NULL: from argv */
	const char *work_dir;	   /* absolute */
	const char *container, *container_id; /* bundle absolute; NULL: none */
	const char *submit_line;
	uint32_t ntasks, cpus_per_task;
	bool cpus_per_task_set;
	bool overlap;	    /* shares CPUs with the job's other steps */
	bool exact;	    /* only the CPUs it asked for */
	bool overcommit;    /* more tasks than CPUs */
	bool no_bind;	    /* each task may use all CPUs of the step */
	uint32_t id;	    /* STEP_NONE: the next number; or STEP_BATCH, STEP_INTERACTIVE */
	const char *script; /* a batch script, argv's first word, to be made visible in the container */
	bool pty;
	bool label, unbuffered, append;
	bool quiet; /* no messages of ours that are not errors */
	uint32_t verbose;
	bool disable_status;	/* -X: one Ctrl-C ends it */
	bool quit_on_interrupt; /* --quit-on-interrupt: the same, immediately */
	int kill_on_bad_exit;	/* -1: as the environment says, 0, 1 */
	uint32_t wait;		/* -W: seconds after the first task ended; 0: no limit */
	uint32_t time_limit;	/* seconds; 0: the job's */
	uint32_t immediate;	/* -I: seconds to wait for the CPUs; 0: no limit */
	struct step_stdio in, out, err;
	bool err_to_out; /* no -e: stderr goes where -o goes */
};

/* Whom a signal reaches. */
enum signal_target {
	SIGNAL_STEPS, /* every step but the batch script's (scancel -s) */
	SIGNAL_BATCH, /* the batch shell alone (-b) */
	SIGNAL_FULL,  /* steps and the batch script with its children (-f) */
	SIGNAL_STEP,  /* one step */
};

/* How to wait for an allocation. */
struct engine_wait {
	bool quiet;	    /* nothing is said about it */
	uint32_t immediate; /* seconds; 0: for ever */
};

struct engine_ops {
	/*
	 * Takes what JOB asks for, as a job of this process: blocks until it is granted (signals end the waiting:
	 * -1 with err.code EINTR). JOB is the record afterwards.
	 */
	int (*allocate)(struct engine *en, struct job *job, const struct engine_wait *wait, struct err *e);
	/*
	 * Queues a batch job whose script is TEXT; returns at once. For an array one job for every number of TASKS
	 * (n_tasks; 0: no array). JOB has the (first) id afterwards.
	 */
	int (*submit)(struct engine *en, struct job *job, const char *text, size_t len, char *const *args,
		      char *const *env, const uint32_t *tasks, size_t n_tasks, struct err *e);
	/* Runs a step in JOB (allocated here, or one of the user's that runs) and blocks until it has ended. */
	int (*run_step)(struct engine *en, struct job *job, const struct engine_step *step, struct exit_status *out,
			struct err *e);
	/* err.code ESRCH: no such job; EALREADY: it has ended. */
	int (*signal)(struct engine *en, uint32_t job, enum signal_target target, uint32_t step, int sig,
		      struct err *e);
	/* Ends a job (STEP_NONE) or one step of it: TERM, then KILL. */
	int (*cancel)(struct engine *en, uint32_t job, uint32_t step, struct err *e);
	int (*describe)(struct engine *en, uint32_t job, struct job *out, struct err *e);
	/* Gives back what allocate took; the job ends as STATUS says. */
	int (*release)(struct engine *en, struct job *job, const struct exit_status *status, struct err *e);
};

struct engine {
	const struct engine_ops *ops;
};

/* The embedded engine. Recovers what an earlier crash left. */
int engine_open_local(struct engine **out, struct err *e);
void engine_close(struct engine *en);

#endif
