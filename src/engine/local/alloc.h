/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_LOCAL_ALLOC_H
#define BERTH_ENGINE_LOCAL_ALLOC_H

#include "engine/job.h"
#include "engine/local/state.h"
#include "proc/loop.h"

/* Getting an allocation for a process that waits for it: srun and salloc. */

struct alloc_wait {
	struct loop *loop;
	const bool *give_up;		      /* becomes true where a signal ends the waiting */
	uint32_t immediate;		      /* seconds to wait; 0: no limit */
	void (*queued)(const struct job *j);  /* said once, where it has to wait; may be NULL */
	void (*granted)(const struct job *j); /* after it has waited; may be NULL */
};

/*
 * Makes J a job of this process and waits until it is granted. *hold is the job's folder, held; the caller's. -1 with
 * err.code EINTR (given up), ETIMEDOUT (immediate), or ECANCELED (by scancel); the job has then ended.
 */
int alloc_take(struct state *st, struct job *j, const struct alloc_wait *w, int *hold, struct err *e);

#endif
