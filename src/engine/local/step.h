/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_LOCAL_STEP_H
#define BERTH_ENGINE_LOCAL_STEP_H

#include "engine/engine.h"
#include "engine/local/owner.h"
#include "engine/local/steps.h"
#include "proc/loop.h"

/* One step while it runs in this process: its tasks, their streams, its end. */
struct step_run;

/* Called once, when every process of the step has ended and its folders are gone. */
typedef void step_done_fn(void *arg, const struct exit_status *status);

/*
 * Starts the tasks of SPEC in the place P (taken; both borrowed until the end). When -1 is returned nothing runs and
 * DONE is not called. A task that cannot be started counts as one that ended with an exit status.
 */
int step_run_start(struct loop *l, struct place *p, const struct job *j, const struct engine_step *spec,
		   step_done_fn *done, void *arg, struct step_run **out, struct err *e);

/* To every task; containers' process 1, or the task's process group. */
void step_run_signal(struct step_run *r, int sig);
/* To the first process of each task alone. */
void step_run_signal_leader(struct step_run *r, int sig);
/* CONT and TERM, then KILL after a while (at once for JOB_OVER). Again: KILL now. */
void step_run_end(struct step_run *r, enum end_why why);
enum end_why step_run_why(const struct step_run *r);
/* For Ctrl-C: a line about each group of tasks. */
void step_run_report(const struct step_run *r);
/* After SIGCHLD: what the tasks left to init comes to us, and must not stay as zombies for as long as the step runs. */
void step_run_reap(const struct step_run *r);
void step_run_free(struct step_run *r);

#endif
