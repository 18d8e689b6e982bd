/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"

#define IDLE_MS 250

struct watch {
	int fd;		/* -1: free */
	bool always;	/* a file or folder, which epoll does not take because it never blocks */
	uint32_t round; /* tells it from an earlier one of the same descriptor, whose event may still be under way */
	uint32_t events;
	loop_fd_fn *fn;
	void *arg;
};

struct timer {
	int id;
	int64_t when;
	loop_timer_fn *fn;
	void *arg;
	struct timer *next;
};

struct loop {
	int epfd, sigfd;
	bool stopped, masked, trimmed;
	sigset_t old_mask;
	loop_signal_fn *signal_fn;
	void *signal_arg;
	struct watch *watches; /* indexed by descriptor */
	int n_watches, n_always;
	uint32_t last_round;
	struct timer *timers; /* the soonest first */
	int last_timer;
};

int loop_new(struct loop **out, struct err *e)
{
	struct loop *l = xcalloc(1, sizeof(*l));

	l->sigfd = -1;
	l->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epfd < 0) {
		err_sys(e, errno, "epoll_create1");
		free(l);
		return -1;
	}
	*out = l;
	return 0;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	while (l->timers)
		loop_cancel(l, l->timers->id);
	if (l->sigfd >= 0)
		close(l->sigfd);
	close(l->epfd);
	if (l->masked)
		sigprocmask(SIG_SETMASK, &l->old_mask, NULL);
	free(l->watches);
	free(l);
}

void cleanup_loop(struct loop **l)
{
	loop_free(*l);
}

static struct watch *watch_of(struct loop *l, int fd)
{
	return fd >= 0 && fd < l->n_watches && l->watches[fd].fd >= 0 ? &l->watches[fd] : NULL;
}

static struct epoll_event event_of(const struct watch *w)
{
	return (struct epoll_event){ .events = w->events, .data.u64 = (uint64_t)w->round << 32 | (uint32_t)w->fd };
}

int loop_add(struct loop *l, int fd, uint32_t events, loop_fd_fn *fn, void *arg, struct err *e)
{
	struct epoll_event ev;

	if (fd < 0 || watch_of(l, fd))
		return err_sys(e, fd < 0 ? EBADF : EEXIST, "watch descriptor %d", fd);
	if (fd >= l->n_watches) {
		int n = fd + 16;

		l->watches = xrealloc(l->watches, (size_t)n, sizeof(*l->watches));
		for (int i = l->n_watches; i < n; i++)
			l->watches[i] = (struct watch){ .fd = -1 };
		l->n_watches = n;
	}
	l->watches[fd] = (struct watch){ .fd = fd, .round = ++l->last_round, .events = events, .fn = fn, .arg = arg };
	ev = event_of(&l->watches[fd]);
	if (epoll_ctl(l->epfd, EPOLL_CTL_ADD, fd, &ev) == 0)
		return 0;
	if (errno == EPERM) {
		l->watches[fd].always = true;
		l->n_always++;
		return 0;
	}
	l->watches[fd].fd = -1;
	return err_sys(e, errno, "watch descriptor %d", fd);
}

int loop_change(struct loop *l, int fd, uint32_t events, struct err *e)
{
	struct watch *w = watch_of(l, fd);
	struct epoll_event ev;

	if (!w)
		return err_set(e, "descriptor %d is not watched", fd);
	w->events = events;
	if (w->always)
		return 0;
	ev = event_of(w);
	if (epoll_ctl(l->epfd, EPOLL_CTL_MOD, fd, &ev) < 0)
		return err_sys(e, errno, "watch descriptor %d", fd);
	return 0;
}

void loop_remove(struct loop *l, int fd)
{
	struct watch *w = watch_of(l, fd);

	if (!w)
		return;
	if (w->always)
		l->n_always--;
	else
		epoll_ctl(l->epfd, EPOLL_CTL_DEL, fd, NULL);
	w->fd = -1;
}

static void on_signals(void *arg, int fd, uint32_t events)
{
	struct loop *l = arg;
	struct signalfd_siginfo si;

	(void)events;
	while (read(fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		pid_t sender = si.ssi_code > 0 ? 0 : (pid_t)si.ssi_pid;

		l->signal_fn(l->signal_arg, (int)si.ssi_signo, sender);
	}
}

int loop_signals(struct loop *l, const sigset_t *set, loop_signal_fn *fn, void *arg, struct err *e)
{
	l->sigfd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (l->sigfd < 0)
		return err_sys(e, errno, "signalfd");
	sigprocmask(SIG_BLOCK, set, &l->old_mask);
	l->masked = true;
	l->signal_fn = fn;
	l->signal_arg = arg;
	return loop_add(l, l->sigfd, EPOLLIN, on_signals, l, e);
}

int loop_after(struct loop *l, int64_t ms, loop_timer_fn *fn, void *arg)
{
	struct timer *t = xcalloc(1, sizeof(*t));
	struct timer **at = &l->timers;

	*t = (struct timer){ .id = ++l->last_timer, .when = clock_ms() + ms, .fn = fn, .arg = arg };
	while (*at && (*at)->when <= t->when)
		at = &(*at)->next;
	t->next = *at;
	*at = t;
	return t->id;
}

void loop_cancel(struct loop *l, int timer)
{
	for (struct timer **at = &l->timers; *at; at = &(*at)->next) {
		if ((*at)->id == timer) {
			struct timer *t = *at;

			*at = t->next;
			free(t);
			return;
		}
	}
}

static void run_timers(struct loop *l)
{
	int64_t now = clock_ms();

	while (l->timers && l->timers->when <= now) {
		struct timer *t = l->timers;

		l->timers = t->next;
		t->fn(t->arg);
		free(t);
	}
}

static int wait_ms(const struct loop *l, int64_t ms)
{
	int64_t left;

	if (l->n_always)
		return 0;
	if (l->timers) {
		left = l->timers->when - clock_ms();
		if (left < 0)
			left = 0;
		if (ms < 0 || left < ms)
			ms = left;
	}
	return ms < 0 ? -1 : ms > INT_MAX ? INT_MAX : (int)ms;
}

/* The first time that nothing happens for a while, we are here to stay: what the start needed is given back. */
static int wait_events(struct loop *l, struct epoll_event *ev, int max, int64_t ms)
{
	int left = wait_ms(l, ms), n;

	if (l->trimmed || (left >= 0 && left <= IDLE_MS))
		return epoll_wait(l->epfd, ev, max, left);
	n = epoll_wait(l->epfd, ev, max, IDLE_MS);
	if (n)
		return n;
	mem_trim();
	l->trimmed = true;
	return epoll_wait(l->epfd, ev, max, left < 0 ? -1 : left - IDLE_MS);
}

int loop_once(struct loop *l, int64_t ms, struct err *e)
{
	struct epoll_event ev[16];
	int n = wait_events(l, ev, 16, ms);

	if (n < 0 && errno != EINTR)
		return err_sys(e, errno, "epoll_wait");
	for (int i = 0; i < n; i++) {
		/* An earlier callback may have removed it, and even have added a new one of that number. */
		struct watch *w = watch_of(l, (int)(uint32_t)ev[i].data.u64);

		if (w && w->round == (uint32_t)(ev[i].data.u64 >> 32))
			w->fn(w->arg, w->fd, ev[i].events);
	}
	for (int fd = 0; l->n_always && fd < l->n_watches; fd++) {
		struct watch *w = &l->watches[fd];

		if (w->fd >= 0 && w->always && w->events)
			w->fn(w->arg, fd, w->events);
	}
	run_timers(l);
	return 0;
}

int loop_run(struct loop *l, struct err *e)
{
	l->stopped = false;
	while (!l->stopped)
		if (loop_once(l, -1, e) < 0)
			return -1;
	return 0;
}

void loop_stop(struct loop *l)
{
	l->stopped = true;
}
