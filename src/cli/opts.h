/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CLI_OPTS_H
#define BERTH_CLI_OPTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "base/err.h"
#include "engine/spec/spec.h"

/* The options of srun, sbatch and salloc: one table (opts_table.c), one typed result. */

enum opts_cmd {
	OPTS_SRUN = 1 << 0,
	OPTS_SBATCH = 1 << 1,
	OPTS_SALLOC = 1 << 2,
};

/* Where a value came from, the weaker before the stronger. */
enum opts_origin {
	OPTS_DEFAULT,
	OPTS_SCRIPT,	  /* a #SBATCH line */
	OPTS_ENVIRONMENT, /* SRUN_*, SLURM_*, SBATCH_*, SALLOC_* */
	OPTS_COMMAND_LINE,
};

/* What has an effect here; options of the table that have none are not told apart (they are in `recorded`). */
enum opts_id {
	OPT_NONE,
	OPT_ARRAY,
	OPT_BEGIN,
	OPT_BELL,
	OPT_CHDIR,
	OPT_CONTAINER,
	OPT_CONTAINER_ID,
	OPT_CPU_BIND,
	OPT_CPUS_PER_TASK,
	OPT_DEPENDENCY,
	OPT_ERROR,
	OPT_EXACT,
	OPT_EXCLUDE,
	OPT_EXCLUSIVE,
	OPT_EXPORT,
	OPT_EXPORT_FILE,
	OPT_GID,
	OPT_HELP,
	OPT_HOLD,
	OPT_IGNORE_PBS,
	OPT_IMMEDIATE,
	OPT_INPUT,
	OPT_JOB_NAME,
	OPT_JOBID,
	OPT_KILL_COMMAND,
	OPT_KILL_ON_BAD_EXIT,
	OPT_KILL_ON_INVALID_DEP,
	OPT_LABEL,
	OPT_MEM,
	OPT_MEM_PER_CPU,
	OPT_MINCPUS,
	OPT_MPI,
	OPT_NODELIST,
	OPT_NODES,
	OPT_NTASKS,
	OPT_NTASKS_PER_NODE,
	OPT_OPEN_MODE,
	OPT_OUTPUT,
	OPT_OVERCOMMIT,
	OPT_OVERLAP,
	OPT_PARSABLE,
	OPT_PTY,
	OPT_QUIET,
	OPT_REQUEUE,
	OPT_SIGNAL,
	OPT_TEST_ONLY,
	OPT_TIME,
	OPT_UID,
	OPT_UNBUFFERED,
	OPT_USAGE,
	OPT_VERBOSE,
	OPT_VERSION,
	OPT_WAIT,     /* srun: seconds after the first task's end */
	OPT_WAIT_JOB, /* sbatch: until the job has ended */
	OPT_WRAP,
	OPT_DISABLE_STATUS,
	OPT_QUIT_ON_INTERRUPT,
	OPT_GET_USER_ENV,
	OPT_ID_COUNT,
};

enum { OPTS_MAX_ROWS = 192 };

struct opts {
	enum opts_cmd cmd;
	uint8_t origin[OPT_ID_COUNT];	   /* enum opts_origin of each value below */
	uint8_t row_origin[OPTS_MAX_ROWS]; /* the same for what is recorded; of opts*.c */
	bool done;			   /* --help, --usage or --version was answered: exit with 0 */

	/* what is asked of the machine */
	uint32_t ntasks;	  /* 1 */
	uint32_t ntasks_per_node; /* 0: not given */
	uint32_t cpus_per_task;	  /* 1 */
	uint32_t min_cpus;	  /* --mincpus; 0: not given */
	uint64_t mem_mb;	  /* 0: not asked for, or, where it was given, all of the machine's */
	uint64_t mem_per_cpu_mb;  /* 0: not given */
	bool exclusive;		  /* sbatch, salloc: the whole machine; srun in a job: CPUs of its own */
	bool overcommit;	  /* -O: more tasks than CPUs, one CPU in all where -c is not given */
	bool overlap;		  /* a step that shares CPUs with other steps */
	bool exact;
	bool bind;	     /* true; false with --cpu-bind=none */
	uint32_t time_limit; /* seconds; SPEC_UNLIMITED */

	/* when */
	time_t begin; /* 0: at once */
	bool hold;
	bool ignore_pbs;
	int requeue;		   /* -1: not given, 0, 1 */
	struct spec_depend depend; /* n == 0: none */
	char *depend_text;	   /* as written, or NULL */
	struct spec_array array;   /* n == 0: none */
	char *array_text;	   /* as written, or NULL */
	int kill_on_invalid_dep;   /* -1: not given, 0, 1 */
	int immediate;		   /* -I: seconds to wait for the machine; 0: no end (default) */

	/* what runs, and how */
	char *job_name;	    /* NULL: from the command or script */
	char *chdir;	    /* NULL: the current folder */
	char *container;    /* NULL: none; never "" */
	char *container_id; /* NULL */
	char *wrap;	    /* sbatch --wrap */
	char *script_name;  /* sbatch: the file of the script as it was named, set by its reader */
	int get_user_env;   /* sbatch: start from a login's environment, got in so many seconds; 0: not */
	struct spec_export export;
	char *export_text;	 /* as written, or NULL: for SLURM_EXPORT_ENV */
	char *export_file;	 /* sbatch: a file's name or a descriptor's number */
	uint32_t jobid;		 /* srun --jobid: 0: none */
	struct spec_signal warn; /* --signal; sig == 0: none */
	bool pty;
	bool label, unbuffered;
	int kill_on_bad_exit; /* -1: not given, 0, 1 */
	uint32_t wait;	      /* srun -W: seconds; 0: without end */
	bool disable_status;  /* srun -X: Ctrl-C ends at once */
	bool quit_on_interrupt;
	int kill_command; /* salloc -K: signal for the command at the job's end; 0: not given */
	bool bell;	  /* salloc */

	/* input and output, NULL: default. srun knows "all", "none" and a task's number too. */
	char *input, *output, *error;
	enum opts_open_mode {
		OPEN_MODE_DEFAULT,
		OPEN_MODE_APPEND,
		OPEN_MODE_TRUNCATE,
	} open_mode;

	/* what the command itself says */
	int quiet, verbose; /* how often */
	bool parsable, test_only, wait_job;

	char **recorded; /* strv "name=value" (or "name"): accepted, without effect on one machine */
	char **argv;	 /* strv: the first word that is no option, and what follows */
	int argc;
};

/*
 * Parses a command line and its environment. What stands on the command line wins over the environment. On success
 * the result is for opts_free; on error it is empty. Prints to stdout for --help, --usage and --version.
 */
int opts_parse(enum opts_cmd cmd, int argc, char *const *argv, char *const *env, struct opts *out, struct err *e);
void opts_free(struct opts *o);
void cleanup_opts(struct opts *o);

/* True where the option was given anywhere, or on the command line. */
static inline bool opts_given(const struct opts *o, enum opts_id id)
{
	return o->origin[id] != OPTS_DEFAULT;
}

/*
 * Applies a batch script's #SBATCH lines (directives.c) to what opts_parse left unset. NAME is for errors, which begin
 * with "NAME:LINE: ". TEXT need not be terminated.
 */
int directives_apply(struct opts *o, const char *name, const char *text, size_t len, struct err *e);

/*
 * Checks what options say together, when no more are to come. opts_parse does it, except for an sbatch that reads a
 * script: there directives_apply does.
 */
int opts_finish(struct opts *o, struct err *e);

/* Applies the words of a #SBATCH line. A value of a stronger origin stays. */
int opts_set_words(struct opts *o, char *const *words, enum opts_origin origin, struct err *e);

/* ALL: every option, not only the usage. */
void opts_help(enum opts_cmd cmd, bool all, FILE *out);
/*
 * A line for each option: command, long name, letter, argument ("[X]": optional), class, text and environment variables
 * (separated by spaces), with tabs between. For the man page, completion and tests.
 */
void opts_dump(FILE *out);

#endif
