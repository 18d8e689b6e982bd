/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_LOCAL_SUPERVISOR_H
#define BERTH_ENGINE_LOCAL_SUPERVISOR_H

#include <stdbool.h>
#include <sys/types.h>

#include "engine/job.h"
#include "engine/local/state.h"

/* The owner of a batch job: a process of its own session that outlives the terminal and the login. */

/* Starts the supervisor of job ID, which has just been granted; the lock is held. */
int supervisor_start(struct state *st, uint32_t id, struct job_owner *owner, struct err *e);

/* The hidden verb: `berth --supervisor ID`, the job's hold on descriptor 3. Returns its exit status. */
int supervisor_main(int argc, char **argv);

#define SUPERVISOR_VERB "--supervisor"
#define SUPERVISOR_HOLD_FD 3

/*
 * Starts our own program with a hidden verb, detached: own session, stdio /dev/null, a clean environment. HOLD_FD (-1:
 * none) becomes descriptor 3.
 */
int detached_start(const char *verb, const char *arg, int hold_fd, pid_t *pid, struct err *e);
/* True for a process that detached_start made: it is nobody's leftover, though it may be somebody's descendant. */
bool detached_is(pid_t pid);

#endif
