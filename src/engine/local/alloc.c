/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/alloc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/path.h"
#include "engine/local/batch.h"
#include "engine/local/owner.h"
#include "engine/local/queue.h"
#include "engine/local/record.h"
#include "engine/local/recover.h"

/* Nobody else is there: granted at once, for one write instead of three. */
static int take_at_once(struct state *st, struct job *j, bool *taken, struct err *e)
{
	cleanup(free) struct active *list = NULL;
	enum job_reason reason;
	struct machine m;
	struct pool p;
	time_t wake = 0;
	size_t n;

	*taken = false;
	if (state_list_active(st, &list, &n, e) < 0 || machine_read(&m, e) < 0)
		return -1;
	if (n || queue_ready(st, j, &(struct queue_moment){ .now = j->submit }, &reason, &wake) != READY)
		return 0;
	p = (struct pool){ .all = m.cpus, .free = m.cpus, .mem = m.mem, .near = (size_t)(sched_getcpu() + 1) };
	if (!pool_take(&p, j))
		return 0;
	j->state = JOB_RUNNING;
	j->reason = REASON_NONE;
	j->start = j->submit;
	*taken = true;
	return job_create(st, j, e) < 0 ? -1 : state_active_add(st, j->id, ACTIVE_RUNNING, e);
}

static int reload(struct state *st, struct job *j, struct err *e)
{
	struct job now;

	if (job_load(st, j->id, &now, e) < 0)
		return -1;
	job_free(j);
	*j = now;
	return 0;
}

static int enter_queue(struct state *st, struct job *j, int *hold, struct err *e)
{
	bool taken;

	if (state_new_jobs(st, 1, &j->id, e) < 0)
		return -1;
	*hold = hold_job(st, j->id, e);
	if (*hold < 0 || take_at_once(st, j, &taken, e) < 0)
		return -1;
	if (taken)
		return 0;
	j->state = JOB_PENDING;
	j->reason = REASON_PRIORITY;
	/* The record first: an entry without one would be taken for a submission that was killed. */
	if (job_create(st, j, e) < 0 || state_active_add(st, j->id, ACTIVE_FOREGROUND, e) < 0 ||
	    queue_advance(st, NULL, e) < 0)
		return -1;
	return reload(st, j, e);
}

static void remove_failed(struct state *st, struct job *j, int *hold)
{
	char name[16];

	if (j->id) {
		state_active_remove(st, j->id, ACTIVE_RUNNING);
		state_active_remove(st, j->id, ACTIVE_FOREGROUND);
		snprintf(name, sizeof(name), "%" PRIu32, j->id);
		path_remove_tree(st->jobs_fd, name, NULL);
	}
	if (*hold >= 0)
		close(take_fd(hold));
}

/* The waiting ended before the job was granted; unless it was granted in this very moment. */
static int leave_queue(struct state *st, struct job *j, struct err *e)
{
	int r;

	if (state_lock(st, e) < 0)
		return -1;
	r = reload(st, j, e);
	if (r == 0 && !job_state_ended(j->state)) {
		enum active_kind kind = j->state == JOB_PENDING ? ACTIVE_FOREGROUND : ACTIVE_RUNNING;

		j->state = JOB_CANCELLED;
		j->cancelled = true;
		j->cancelled_by = geteuid();
		j->end = time(NULL);
		r = job_save(st, j, false, e);
		if (r == 0) {
			state_active_remove(st, j->id, kind);
			r = queue_advance(st, NULL, e);
		}
	}
	state_unlock(st);
	return r;
}

enum { LOOKOUT_MS = 5000 };

struct waiting {
	struct state *st;
	struct loop *loop;
	bool changed, timed_out;
	int lookout;
};

/* The watcher sees the end of an owner that was killed; where both were, it is up to those that wait. */
static void on_lookout(void *arg)
{
	struct waiting *w = arg;

	w->lookout = loop_after(w->loop, LOOKOUT_MS, on_lookout, w);
	recover(w->st, NULL);
}

static void on_change(void *arg, int fd, uint32_t events)
{
	struct waiting *w = arg;
	char buf[4096];

	(void)events;
	w->changed = true;
	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

static void on_timeout(void *arg)
{
	((struct waiting *)arg)->timed_out = true;
}

static int watch(struct state *st, uint32_t id, struct err *e)
{
	cleanup(close) int dir = state_job_dir(st, id, e), fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[48];

	if (dir < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/.", dir);
	if (fd < 0 || inotify_add_watch(fd, path, IN_MOVED_TO) < 0)
		return err_sys(e, errno, "watch job %" PRIu32, id);
	return take_fd(&fd);
}

static int wait_loop(struct state *st, struct job *j, const struct alloc_wait *w, struct waiting *state, struct err *e)
{
	while (j->state == JOB_PENDING && !*w->give_up && !state->timed_out) {
		if (!state->changed && loop_once(w->loop, -1, e) < 0)
			return -1;
		if (state->changed) {
			state->changed = false;
			if (reload(st, j, e) < 0)
				return -1;
		}
	}
	return 0;
}

static int wait_for_grant(struct state *st, struct job *j, const struct alloc_wait *w, struct err *e)
{
	struct waiting state = { .st = st,
				 .loop = w->loop,
				 .changed = true }; /* it may have been granted before the watch began */
	int fd = watch(st, j->id, e), timer, r;

	if (fd < 0 || loop_add(w->loop, fd, EPOLLIN, on_change, &state, e) < 0) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (w->queued)
		w->queued(j);
	timer = w->immediate ? loop_after(w->loop, (int64_t)w->immediate * 1000, on_timeout, &state) : 0;
	state.lookout = loop_after(w->loop, LOOKOUT_MS, on_lookout, &state);
	r = wait_loop(st, j, w, &state, e);
	loop_cancel(w->loop, timer);
	loop_cancel(w->loop, state.lookout);
	loop_remove(w->loop, fd);
	close(fd);
	if (r < 0)
		return -1;
	if (j->state == JOB_PENDING)
		r = leave_queue(st, j, e);
	if (r == 0 && job_state_ended(j->state)) {
		r = err_set(
			e, state.timed_out ? "Requested nodes are busy" : "Job allocation %" PRIu32 " has been revoked",
			j->id);
		if (e)
			e->code = state.timed_out ? ETIMEDOUT : *w->give_up ? EINTR : ECANCELED;
	}
	if (r == 0 && w->granted)
		w->granted(j);
	return r;
}

int alloc_take(struct state *st, struct job *j, const struct alloc_wait *w, int *hold, struct err *e)
{
	int r;

	*hold = -1;
	if (job_fill(j, e) < 0 || queue_check(j, e) < 0)
		return -1;
	owner_self(&j->owner);
	if (state_lock(st, e) < 0)
		return -1;
	r = enter_queue(st, j, hold, e);
	if (r < 0)
		remove_failed(st, j, hold);
	state_unlock(st);
	if (r < 0)
		return -1;
	if (j->state == JOB_PENDING && wait_for_grant(st, j, w, e) < 0) {
		close(take_fd(hold));
		return -1;
	}
	return 0;
}
