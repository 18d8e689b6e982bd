/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_LOCAL_QUEUE_H
#define BERTH_ENGINE_LOCAL_QUEUE_H

#include <stdbool.h>
#include <time.h>

#include "engine/job.h"
#include "engine/local/cpus.h"
#include "engine/local/state.h"

/*
 * The queue: jobs in the order of their ids, each waiting for CPUs and memory. There is no scheduler process: whoever
 * changes something (a submission, the end of a job) looks at the queue, under the state's lock.
 */

/* -1 with "Requested node configuration is not available" where the machine can never give what J asks for. */
int queue_check(const struct job *j, struct err *e);

/* What is still to come. */
struct outlook {
	bool pending; /* something waits that the end of another job can help */
	time_t wake;  /* when to look again, 0 where no time alone changes anything */
};

/*
 * Grants what can be granted; each granted batch job gets its supervisor. The lock is held by the caller. Where OUT is
 * NULL and something waits, the watcher is started.
 */
int queue_advance(struct state *st, struct outlook *out, struct err *e);

/* With the lock taken here; errors are logged: what a process does last. */
void queue_advance_now(struct state *st);

/* What a machine has left; pure, for tests. */
struct pool {
	cpu_set_t all, free;
	uint64_t mem;
	size_t near; /* the CPU to prefer, plus 1; 0: the lowest */
};
/* Takes what J needs; false where it is not there. J's cpu_list is set. */
bool pool_take(struct pool *p, struct job *j);
/* Takes what J has, by its cpu_list. */
void pool_use(struct pool *p, const struct job *j);

/* Whether a job may run as far as other things than CPUs and memory are concerned. */
enum ready {
	READY,
	NOT_READY,   /* reason says why */
	NEVER_READY, /* a dependency that can no longer be satisfied */
};
/* The last answer about a whole array, good for one look at the queue. */
struct depend_memo {
	uint32_t job; /* 0: none */
	int type;
	enum ready answer;
};
struct queue_moment {
	time_t now;
	struct depend_memo *memo; /* may be NULL */
};
/* *wake is lowered to the time at which the answer changes by itself (0: none known). */
enum ready queue_ready(struct state *st, const struct job *j, const struct queue_moment *m, enum job_reason *reason,
		       time_t *wake);

#endif
