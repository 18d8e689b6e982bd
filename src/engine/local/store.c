/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"

#define MAX_RECORD (16U << 20)

enum { TORN_TRIES = 1000, ATOMIC_WRITE = 4096 };

/* Just being made: as if it were not there yet. */
static int not_yet(struct err *e)
{
	return err_sys(e, ENOENT, "empty");
}

static int load_once(struct state *st, uint32_t id, struct job *out, struct err *e)
{
	cleanup(free) char *text = NULL;
	char name[32];
	size_t len;

	snprintf(name, sizeof(name), "%" PRIu32 "/job", id);
	if (path_read_file(st->jobs_fd, name, MAX_RECORD, &text, &len, NULL, e) < 0 || job_parse(text, len, out, e) < 0)
		return err_wrap(e, "job %" PRIu32, id);
	return 0;
}

int job_load(struct state *st, uint32_t id, struct job *out, struct err *e)
{
	struct err why = ERR_INIT;

	/* One that is being written in place is whole again in a moment. */
	for (int i = 0; i < TORN_TRIES; i++) {
		if (load_once(st, id, out, &why) == 0)
			return 0;
		if (why.code != EAGAIN)
			break;
		sched_yield();
	}
	if (e)
		*e = why;
	return -1;
}

bool job_is_lost(const struct err *why)
{
	return !why->code || why->code == ENOENT || why->code == EAGAIN;
}

int job_rewrite(struct state *st, const struct job *j, struct err *e)
{
	cleanup(close) int fd = -1;
	cleanup(free) char *text = NULL;
	char name[32];
	struct stat now;
	size_t len;

	snprintf(name, sizeof(name), "%" PRIu32 "/job", j->id);
	fd = openat(st->jobs_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &now) < 0)
		return err_sys(e, errno, "job %" PRIu32, j->id);
	text = job_format_over(j, (size_t)now.st_size, &len);
	/* Within a page a write is not cut short by a signal, not even by KILL. */
	if (len > ATOMIC_WRITE)
		return job_save(st, j, false, e);
	return pwrite(fd, text, len, 0) == (ssize_t)len ? 0 : err_sys(e, errno, "write job %" PRIu32, j->id);
}

int job_save(struct state *st, const struct job *j, bool durable, struct err *e)
{
	cleanup(close) int dir = state_job_dir(st, j->id, e);
	cleanup(free) char *text = NULL;
	size_t len;

	if (dir < 0)
		return -1;
	text = job_format(j, &len);
	if (path_write_atomic(dir, "job", text, len, durable, e) < 0)
		return err_wrap(e, "job %" PRIu32, j->id);
	return 0;
}

int job_create(struct state *st, const struct job *j, struct err *e)
{
	cleanup(free) char *text = NULL;
	char name[32];
	size_t len;

	snprintf(name, sizeof(name), "%" PRIu32 "/job", j->id);
	text = job_format(j, &len);
	if (path_write_new(st->jobs_fd, name, text, len, 0600, e) < 0)
		return err_wrap(e, "job %" PRIu32, j->id);
	return 0;
}

int step_create(struct state *st, const struct step *s, struct err *e)
{
	cleanup(free) char *text = NULL;
	char name[48];
	size_t len;

	snprintf(name, sizeof(name), "%" PRIu32 "/step.%" PRIu32, s->job, s->id);
	text = step_format(s, &len);
	if (path_write_new(st->jobs_fd, name, text, len, 0600, e) < 0)
		return err_wrap(e, "step %" PRIu32 ".%" PRIu32, s->job, s->id);
	return 0;
}

int step_load(struct state *st, uint32_t job, uint32_t id, struct step *out, struct err *e)
{
	cleanup(free) char *text = NULL;
	char name[48];
	size_t len;

	snprintf(name, sizeof(name), "%" PRIu32 "/step.%" PRIu32, job, id);
	if (path_read_file(st->jobs_fd, name, MAX_RECORD, &text, &len, NULL, e) < 0 || (!len && not_yet(e) < 0) ||
	    step_parse(text, len, out, e) < 0)
		return err_wrap(e, "step %" PRIu32 ".%" PRIu32, job, id);
	return 0;
}

int step_save(struct state *st, const struct step *s, bool durable, struct err *e)
{
	cleanup(close) int dir = state_job_dir(st, s->job, e);
	cleanup(free) char *text = NULL;
	char name[32];
	size_t len;

	if (dir < 0)
		return -1;
	snprintf(name, sizeof(name), "step.%" PRIu32, s->id);
	text = step_format(s, &len);
	if (path_write_atomic(dir, name, text, len, durable, e) < 0)
		return err_wrap(e, "step %" PRIu32 ".%" PRIu32, s->job, s->id);
	return 0;
}
