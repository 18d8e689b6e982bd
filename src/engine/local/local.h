/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_LOCAL_LOCAL_H
#define BERTH_ENGINE_LOCAL_LOCAL_H

#include "engine/engine.h"
#include "engine/local/record.h"
#include "engine/local/state.h"

/* What the commands use of the embedded engine beyond the seam. */

/* state_open, and recovery of jobs that lost their owner: the start of every command. */
int local_open(struct state *st, struct err *e);

/*
 * Ends a job (STEP_NONE) or a step. A pending job is ended at once; one that runs is told through its owner.
 * err.code ESRCH: no such job; EALREADY: it has ended already.
 */
int local_cancel(struct state *st, uint32_t job, uint32_t step, struct err *e);

/* As the seam's signal. A pending job: err.code EAGAIN. */
int local_signal(struct state *st, uint32_t job, enum signal_target target, uint32_t step, int sig, struct err *e);

/* The state of an engine of engine_open_local. */
struct state *local_state(struct engine *en);

/*
 * Runs salloc's command beside the allocation: our terminal, our process group, no CPUs bound. KILL_SIGNAL is what it
 * gets when the job ends before it. *revoked: it did.
 */
int local_run_command(struct engine *en, char *const *argv, char *const *env, int kill_signal, struct exit_status *out,
		      bool *revoked, struct err *e);

/*
 * Waits until a batch job has ended (sbatch -W); OUT is how. err.code EINTR: a signal came first.
 */
int local_wait(struct engine *en, uint32_t job, struct job *out, struct err *e);

#endif
