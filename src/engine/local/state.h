/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_LOCAL_STATE_H
#define BERTH_ENGINE_LOCAL_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * The folder that is the embedded engine's whole memory (berth(1), EMBEDDED ENGINE):
 *
 *   lock          held (flock) while the queue is looked at and changed: milliseconds; its text is the next job id
 *   watcher       held by the process that watches over running jobs while others are pending
 *   entry         an empty file
 *   active/K.ID   a name of it for each job that has not ended; K says what it is doing (enum active_kind)
 *   jobs/ID/job   the record; beside it step.N, and of a batch job slurm_script, start and reserve. The folder is
 *                 held by the job's owner.
 */
struct state {
	int fd;	       /* the folder */
	int jobs_fd;   /* jobs/ */
	int active_fd; /* active/ */
	int lock_fd;   /* -1: not held */
	char *path;    /* absolute */
};

#define STATE_INIT ((struct state){ .fd = -1, .jobs_fd = -1, .active_fd = -1, .lock_fd = -1 })

/* Opens the state folder, makes it where it is missing. */
int state_open(struct state *st, struct err *e);
void state_close(struct state *st);
void cleanup_state(struct state *st);

/* Exclusive over all processes of the user; short: milliseconds. Not recursive. */
int state_lock(struct state *st, struct err *e);
void state_unlock(struct state *st);

/* Makes the folders of N new jobs with ids in a row, under the lock; *first is the first. */
int state_new_jobs(struct state *st, uint32_t n, uint32_t *first, struct err *e);

/*
 * What active/ says of a job. It is set before a job's record says that it runs, and removed after the record says that
 * it has ended: RUNNING holds at least those that run.
 */
enum active_kind {
	ACTIVE_RUNNING = 'r',
	ACTIVE_QUEUED = 'q',	 /* a batch job that waits for its turn */
	ACTIVE_WAITING = 'w',	 /* a batch job that is held or waits for a time, another job, or its array's limit */
	ACTIVE_FOREGROUND = 'f', /* an srun or salloc that waits */
};

struct active {
	uint32_t id;
	enum active_kind kind;
};

/* By id, ascending; *list for free(). */
int state_list_active(struct state *st, struct active **list, size_t *n, struct err *e);
/* All in jobs/, ascending; *ids for free(). */
int state_list_all(struct state *st, uint32_t **ids, size_t *n, struct err *e);

int state_active_add(struct state *st, uint32_t id, enum active_kind kind, struct err *e);
int state_active_change(struct state *st, uint32_t id, enum active_kind from, enum active_kind to, struct err *e);
void state_active_remove(struct state *st, uint32_t id, enum active_kind kind);

/* Opens jobs/ID; -1 with err.code ENOENT: no such job. */
int state_job_dir(struct state *st, uint32_t id, struct err *e);

/*
 * The private folder for files of running steps (spool.c): made where missing, checked. *path is the caller's. Returns
 * a descriptor.
 */
int state_spool(char **path, struct err *e);

/*
 * A file or folder that is held by a process for as long as it lives (an open file description lock, inherited with its
 * descriptor). Looking whether it is held disturbs nobody.
 */
/* Opens (makes) the file DIR_FD/NAME and takes it. -1 with err.code EAGAIN: somebody else holds it. */
int hold_take(int dir_fd, const char *name, struct err *e);
/* Takes jobs/ID; under the state's lock, which keeps two from taking it at once. */
int hold_job(struct state *st, uint32_t id, struct err *e);
/* True where somebody holds it. What is not there is not held. */
bool hold_is_taken(int dir_fd, const char *name);

/* True while the owner of the job is alive. */
bool job_is_held(struct state *st, uint32_t id);

#endif
