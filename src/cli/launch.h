/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CLI_LAUNCH_H
#define BERTH_CLI_LAUNCH_H

#include "cli/opts.h"
#include "engine/engine.h"

/* From what was typed to what the engine is asked: the common part of srun, sbatch and salloc. */

/* Fills J (job_init'ed) with what the options ask for. ARGV is the command's whole line, COMMAND what is run. */
int launch_job(const struct opts *o, enum job_kind kind, int argc, char *const *argv, const char *command,
	       struct job *j, struct err *e);

/* The folder that the tasks start in, absolute; the caller's. */
char *launch_work_dir(const struct opts *o);
/* That of a process whose folder was removed has no name. */
int launch_check_dir(const char *work_dir, struct err *e);
/* What --container named, absolute unless it is something like docker://...; NULL where there is none. The caller's. */
char *launch_container(const char *name);
/* The command's line as it was typed, for the record. The caller's. */
char *launch_line(int argc, char *const *argv);

/* The names of variables that --export sets for the container explicitly; strv. */
char **launch_explicit(const struct opts *o);

/* -i, -o and -e of srun: "all", "none", a task's number, or a file. */
void launch_stream(const char *text, uint32_t ntasks, struct step_stdio *out);

/* --test-only: says whether it could run; the exit status. */
int launch_test_only(const char *name, const struct job *j);

/* The exit status for a failure of ours: 1, or what SLURM_EXIT_ERROR says. */
int launch_failed(void);

#endif
