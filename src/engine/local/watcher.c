/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/local/queue.h"
#include "engine/local/record.h"
#include "engine/local/recover.h"
#include "engine/local/supervisor.h"
#include "proc/exit.h"

enum { LONGEST_WAIT_MS = 3600 * 1000 };

void watcher_start(struct state *st)
{
	struct err e = ERR_INIT;
	pid_t pid;

	if (hold_is_taken(st->fd, "watcher"))
		return;
	if (detached_start(WATCHER_VERB, NULL, -1, &pid, &e) < 0)
		log_error("start the watcher: %s", e.msg);
}

struct watch {
	struct pollfd *fds; /* 0: inotify of active/; then the owners */
	size_t n;
};

static void drop_owners(struct watch *w)
{
	for (size_t i = 1; i < w->n; i++)
		close(w->fds[i].fd);
	w->n = 1;
}

static void watch_owners(struct watch *w, struct state *st)
{
	cleanup(free) struct active *list = NULL;
	size_t n;

	drop_owners(w);
	if (state_list_active(st, &list, &n, NULL) < 0)
		return;
	w->fds = xrealloc(w->fds, n + 1, sizeof(*w->fds));
	for (size_t i = 0; i < n; i++) {
		struct job j;
		int fd;

		if ((list[i].kind != ACTIVE_RUNNING && list[i].kind != ACTIVE_FOREGROUND) ||
		    job_load(st, list[i].id, &j, NULL) < 0)
			continue;
		fd = proc_open(&j.owner.id);
		if (fd >= 0)
			w->fds[w->n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
		job_free(&j);
	}
}

/* Lets go of the election while the queue is locked: who adds a job afterwards sees that nobody watches. */
static int look(struct state *st, int *hold, struct outlook *out, struct err *e)
{
	int r;

	if (state_lock(st, e) < 0)
		return -1;
	r = queue_advance(st, out, e);
	if (r < 0 || (!out->pending && !out->wake))
		close(take_fd(hold));
	state_unlock(st);
	return r;
}

static int wait_ms(time_t wake)
{
	time_t now = time(NULL);

	if (!wake)
		return -1;
	/* The clock may be set meanwhile. */
	return wake <= now ? 0 : wake - now > LONGEST_WAIT_MS / 1000 ? LONGEST_WAIT_MS : (int)(wake - now) * 1000;
}

static int watch_queue(struct state *st, int hold, struct err *e)
{
	struct watch w = { .fds = xcalloc(1, sizeof(*w.fds)), .n = 1 };
	cleanup(close) int ino = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct outlook out = { 0 };
	char path[48], buf[4096];
	int r = 0;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/.", st->active_fd);
	if (ino < 0 || inotify_add_watch(ino, path, IN_CREATE | IN_DELETE | IN_MOVED_TO) < 0)
		r = err_sys(e, errno, "watch %s/active", st->path);
	w.fds[0] = (struct pollfd){ .fd = ino, .events = POLLIN };
	while (r == 0) {
		struct exit_status ignored;
		pid_t pid;

		r = recover(st, e);
		if (r == 0)
			r = look(st, &hold, &out, e);
		if (r < 0 || hold < 0)
			break;
		while (exit_reap_any(&pid, &ignored) > 0)
			;
		watch_owners(&w, st);
		poll(w.fds, w.n, wait_ms(out.wake));
		while (read(ino, buf, sizeof(buf)) > 0)
			;
	}
	drop_owners(&w);
	free(w.fds);
	return r;
}

int watcher_main(int argc, char **argv)
{
	cleanup(state) struct state st = STATE_INIT;
	struct err e = ERR_INIT;
	int hold;

	(void)argc;
	(void)argv;
	log_open("berth");
	signal(SIGHUP, SIG_IGN);
	if (state_open(&st, &e) < 0)
		return 1;
	hold = hold_take(st.fd, "watcher", &e);
	if (hold < 0)
		return e.code == EAGAIN ? 0 : 1;
	return watch_queue(&st, hold, &e) < 0;
}
