/* SPDX-License-Identifier: Apache-2.0 */
#include "image/work.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/str.h"
#include "proc/procfs.h"

enum { LINE_EVERY_MS = 200, GRACE_MS = 15000, KILL_MS = 2000, MAX_LOG = 1 << 20 };

static void signal_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGQUIT);
}

int work_begin(struct work *w, struct err *e)
{
	sigset_t set;

	*w = (struct work){ .signals = -1, .terminal = isatty(STDERR_FILENO) };
	signal_set(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* A helper that ends early is told of by its status, not by a signal to us. */
	signal(SIGPIPE, SIG_IGN);
	w->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->signals < 0)
		return err_sys(e, errno, "signalfd");
	return reap_become_subreaper(e);
}

void work_end(struct work *w)
{
	sigset_t set;

	work_clear_line(w);
	if (w->signals >= 0)
		close(w->signals);
	w->signals = -1;
	signal_set(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void work_clear_line(struct work *w)
{
	if (w->shown)
		dprintf(STDERR_FILENO, "\r\033[K");
	w->shown = false;
}

void work_step(struct work *w, const char *step, uint64_t size)
{
	work_clear_line(w);
	w->step = step;
	w->in = 0;
	w->size = size;
	w->next_line = 0;
}

static void draw_line(struct work *w)
{
	int64_t now = clock_ms();

	if (now < w->next_line)
		return;
	w->next_line = now + LINE_EVERY_MS;
	w->shown = true;
	if (w->size)
		dprintf(STDERR_FILENO, "\r\033[K%s: %" PRIu64 "%%, %" PRIu64 " entries", w->step,
			w->in >= w->size ? 100 : w->in * 100 / w->size, w->entries);
	else
		dprintf(STDERR_FILENO, "\r\033[K%s: %" PRIu64 " MB, %" PRIu64 " entries", w->step, w->in / 1000000,
			w->entries);
}

int work_interrupted(struct work *w, struct err *e)
{
	struct signalfd_siginfo info;
	char name[16];

	if (!w->caught && read(w->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		w->caught = (int)info.ssi_signo;
	return err_set(e, "interrupted by SIG%s", signal_name(w->caught ? w->caught : SIGINT, name));
}

int work_check(struct work *w, struct err *e)
{
	struct pollfd p = { .fd = w->signals, .events = POLLIN };

	if (w->caught || poll(&p, 1, 0) > 0)
		return work_interrupted(w, e);
	if (w->terminal && w->step)
		draw_line(w);
	return 0;
}

/* The last line that a helper left in its log. */
static void last_words(int log, char *buf, size_t size)
{
	cleanup(free) char *text = NULL;
	char *line;

	*buf = '\0';
	if (log < 0 || lseek(log, 0, SEEK_SET) < 0 || fd_read_all(log, MAX_LOG, &text, NULL, NULL) < 0)
		return;
	for (size_t n = strlen(text); n && strchr("\r\n \t", text[n - 1]); n--)
		text[n - 1] = '\0';
	line = strrchr(text, '\n');
	snprintf(buf, size, "%s", line ? line + 1 : text);
}

/* What a failed helper said before its last line, which the error repeats. */
static void show_log(int log)
{
	cleanup(free) char *text = NULL;
	char *end;

	if (log < 0 || lseek(log, 0, SEEK_SET) < 0 || fd_read_all(log, MAX_LOG, &text, NULL, NULL) < 0)
		return;
	for (size_t n = strlen(text); n && strchr("\r\n \t", text[n - 1]); n--)
		text[n - 1] = '\0';
	end = strrchr(text, '\n');
	if (end)
		dprintf(STDERR_FILENO, "%.*s\n", (int)(end - text), text);
}

static char *find_program(const char *name, struct err *e)
{
	const char *search = getenv("PATH");
	char *path = spawn_find(name, search ? search : "/usr/local/bin:/usr/bin:/bin");

	if (!path)
		err_set(e, "%s is needed and not installed", name);
	return path;
}

static int start(char *const *argv, const int stdio[3], struct child *c, struct err *e)
{
	struct spawn s = SPAWN_INIT;
	cleanup(free) char *path = find_program(argv[0], e);

	if (!path)
		return -1;
	s.path = path;
	s.argv = argv;
	s.envp = environ;
	/* Not SIGKILL: some helpers then end what they started and remove what they made. */
	s.parent_death = SIGTERM;
	/* A helper may signal its whole process group for that, which must not be ours. */
	s.new_session = true;
	memcpy(s.stdio, stdio, sizeof(s.stdio));
	return spawn_start(&s, c, e);
}

/* timeout(1) without a time: it does nothing but pass a signal on to its process group. */
static int start_group(char *const *argv, const int stdio[3], struct child *c, struct err *e)
{
	cleanup(free) char *path = find_program(argv[0], e);
	cleanup(strv) char **wrapped = NULL;

	if (!path)
		return -1;
	strv_push(&wrapped, "timeout");
	strv_push(&wrapped, "0");
	strv_push(&wrapped, path);
	for (char *const *a = argv + 1; *a; a++)
		strv_push(&wrapped, *a);
	return start(wrapped, stdio, c, e);
}

/* Waits for the end of a helper or a signal. */
static int wait_for(struct work *w, struct child *c, struct exit_status *st, struct err *e)
{
	for (;;) {
		struct pollfd p[2] = { { .fd = c->pidfd, .events = POLLIN }, { .fd = w->signals, .events = POLLIN } };

		if (poll(p, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(e, errno, "poll");
		}
		if (p[1].revents)
			return work_interrupted(w, e);
		if (p[0].revents)
			return child_wait(c, st, e);
	}
}

/*
 * First politely, since some helpers take back what they mounted or made, then with everything below it. Another signal
 * to us means: at once.
 */
static void end_child(struct work *w, struct child *c)
{
	struct pollfd p[2] = { { .fd = c->pidfd, .events = POLLIN }, { .fd = w->signals, .events = POLLIN } };
	struct signalfd_siginfo info;
	struct exit_status st;

	if (!c->pid)
		return;
	/* Those that ended us are no impatience. */
	while (read(w->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		;
	child_signal(c, SIGTERM, NULL);
	if (poll(p, 2, GRACE_MS) <= 0 || !p[0].revents)
		child_signal(c, SIGKILL, NULL);
	child_wait(c, &st, NULL);
	reap_kill_descendants(0, KILL_MS, NULL);
}

static int failed(const char *name, const struct exit_status *st, int log, struct err *e)
{
	char words[512];

	last_words(log, words, sizeof(words));
	show_log(log);
	if (st->signal)
		return err_set(e, "%s was ended by signal %d", name, st->signal);
	if (*words)
		return err_set(e, "%s: %s", name, words);
	return err_set(e, "%s failed with status %d", name, st->code);
}

int work_run(struct work *w, char *const *argv, struct err *e)
{
	cleanup(close) int log = w->terminal ? -1 : memfd_create("log", MFD_CLOEXEC);
	int stdio[3] = { -1, log, log };
	struct child c = CHILD_INIT;
	struct exit_status st;

	if (log < 0 && w->terminal)
		stdio[1] = STDERR_FILENO;
	work_clear_line(w);
	if (work_check(w, e) < 0 || start(argv, stdio, &c, e) < 0)
		return -1;
	if (wait_for(w, &c, &st, e) < 0) {
		end_child(w, &c);
		return -1;
	}
	return st.code ? failed(argv[0], &st, log, e) : 0;
}

int work_start(struct work *w, char *const *argv, int in, bool aloud, struct work_child *c, struct err *e)
{
	int out[2];
	int r;

	if (work_check(w, e) < 0)
		return -1;
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_sys(e, errno, "make a pipe");
	c->name = argv[0];
	c->log = aloud && w->terminal ? -1 : memfd_create("log", MFD_CLOEXEC);
	r = (aloud ? start_group : start)(argv, (int[3]){ in, out[1], c->log }, &c->child, e);
	close(out[1]);
	if (r < 0)
		close(out[0]);
	else
		c->out = out[0];
	return r;
}

int work_finish(struct work *w, struct work_child *c, struct err *e)
{
	struct exit_status st;
	int r;

	cleanup_close(&c->out);
	c->out = -1;
	r = wait_for(w, &c->child, &st, e);
	if (r < 0)
		end_child(w, &c->child);
	else if (st.code)
		r = failed(c->name, &st, c->log, e);
	cleanup_close(&c->log);
	c->log = -1;
	return r;
}

void work_abandon(struct work *w, struct work_child *c)
{
	cleanup_close(&c->out);
	cleanup_close(&c->log);
	c->out = c->log = -1;
	end_child(w, &c->child);
}
