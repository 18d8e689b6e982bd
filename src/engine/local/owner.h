/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_LOCAL_OWNER_H
#define BERTH_ENGINE_LOCAL_OWNER_H

#include <stdbool.h>

#include "engine/engine.h"
#include "engine/local/control.h"
#include "engine/local/record.h"
#include "proc/loop.h"

/* The process that a job stands and falls with: srun, salloc, or a batch job's supervisor. */

/* This very process. */
void owner_self(struct job_owner *o);

/* Why a job or a step is being ended. */
enum end_why {
	END_NOT,
	END_CANCELLED,
	END_TIMEOUT,
	END_JOB_OVER,	 /* its job has ended */
	END_INTERRUPTED, /* Ctrl-C, or a signal to srun */
	END_BAD_EXIT,	 /* --kill-on-bad-exit, --wait */
};

/* How a step counts that did not get to say so itself, because its job was being ended for WHY, or is over. */
enum job_state owner_step_state(enum end_why why);

struct owner;

struct owner_events {
	/* The job is to end: WHY is CANCELLED or TIMEOUT; BY is who asked. */
	void (*end)(void *arg, enum end_why why, uid_t by);
	/* scancel -s and --signal: TARGET is not SIGNAL_STEP. Steps of other processes have been told already. */
	void (*signal)(void *arg, enum signal_target target, int sig);
	void *arg;
};

/*
 * Makes this process the owner of the granted job J: control socket, time limit, --signal. HOLD (taken) is
 * jobs/ID/owner. J stays the caller's and is changed by owner_finish.
 */
int owner_new(struct state *st, struct loop *l, struct job *j, int hold, const struct owner_events *ev,
	      struct owner **out, struct err *e);
int owner_dir(const struct owner *o);
/* Tells every step of the job that another process runs to end; false where there is none. */
bool owner_end_steps(struct owner *o, enum end_why why);

/* The job is over: writes down how, and lets the next one start. */
int owner_finish(struct owner *o, const struct exit_status *status, enum end_why why, struct err *e);
void owner_free(struct owner *o);

/* Seconds between TERM and KILL: $BERTH_KILL_WAIT or 30. */
int64_t kill_wait_ms(void);

#endif
