/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_LOCAL_STATE_H
#define BERTH_ENGINE_LOCAL_STATE_H

#include <stdint.h>

#include "base/err.h"

/*
 * The folder that is the embedded engine's whole memory (berth(1), EMBEDDED ENGINE):
 *
 *   lock          held (flock) while the queue is looked at and changed
 *   next          the next job id
 *   active/ID     an empty file for each job that has not ended
 *   jobs/ID/job   the record; beside it step.N, script, env, owner (held by the owner), control (its socket)
 */
struct state {
	int fd;	     /* the folder */
	int jobs_fd; /* jobs/ */
	int lock_fd; /* -1: not held */
	char *path;  /* absolute */
	char *spool; /* absolute; made on first use: state_spool() */
};

#define STATE_INIT ((struct state){ .fd = -1, .jobs_fd = -1, .lock_fd = -1 })

/* Opens the state folder, makes it where it is missing. */
int state_open(struct state *st, struct err *e);
void state_close(struct state *st);

/* Exclusive over all processes of the user; short: milliseconds. Not recursive. */
int state_lock(struct state *st, struct err *e);
void state_unlock(struct state *st);

/* Takes N ids in a row, under the lock; *first is the first. */
int state_take_ids(struct state *st, uint32_t n, uint32_t *first, struct err *e);

/* The ids in active/, or all in jobs/, ascending; *ids for free(). */
int state_list_active(struct state *st, uint32_t **ids, size_t *n, struct err *e);
int state_list_all(struct state *st, uint32_t **ids, size_t *n, struct err *e);

/* Opens jobs/ID; -1 with err.code ENOENT: no such job. */
int state_job_dir(struct state *st, uint32_t id, struct err *e);

/* The private folder for files of running steps; made where missing and checked. Returns a descriptor. */
int state_spool(struct state *st, struct err *e);

#endif
