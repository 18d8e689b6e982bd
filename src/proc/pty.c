/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"

int pty_open(int like, int *master, int *slave, struct err *e)
{
	cleanup(close) int m = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios t;
	int s;

	if (m < 0 || grantpt(m) < 0 || unlockpt(m) < 0)
		return err_sys(e, errno, "make a pseudo-terminal");
	s = ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (s < 0)
		return err_sys(e, errno, "open the pseudo-terminal's slave");
	if (like >= 0 && tcgetattr(like, &t) == 0)
		tcsetattr(s, TCSANOW, &t);
	pty_copy_size(like, m);
	*master = take_fd(&m);
	*slave = s;
	return 0;
}

void pty_copy_size(int from, int to)
{
	struct winsize w;

	if (from >= 0 && ioctl(from, TIOCGWINSZ, &w) == 0)
		ioctl(to, TIOCSWINSZ, &w);
}

int pty_raw_on(struct pty_raw *raw, int fd, struct err *e)
{
	struct termios t;

	if (tcgetattr(fd, &raw->before) < 0)
		return 0;
	t = raw->before;
	cfmakeraw(&t);
	if (tcsetattr(fd, TCSANOW, &t) < 0)
		return err_sys(e, errno, "put the terminal into raw mode");
	raw->fd = fd;
	return 0;
}

void pty_raw_off(struct pty_raw *raw)
{
	if (raw->fd >= 0)
		tcsetattr(raw->fd, TCSADRAIN, &raw->before);
	raw->fd = -1;
}

/* One direction. At most one buffer is under way: while it is not written out, nothing more is read. */
struct flow {
	int from, to;
	char buf[8192];
	size_t at, len;
	bool ended;
	char last; /* byte read */
};

struct pty_relay {
	struct loop *loop;
	int master, in, out;
	uint32_t in_events, out_events, master_events; /* what each is watched for */
	struct flow to_master, to_out;
	loop_timer_fn *done;
	void *arg;
};

static void update(struct pty_relay *r);

/* False where nothing could be moved just now. */
static bool flow_read(struct flow *f)
{
	ssize_t n;

	if (f->at < f->len || f->ended)
		return false;
	n = read(f->from, f->buf, sizeof(f->buf));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	f->at = 0;
	f->len = n > 0 ? (size_t)n : 0;
	f->last = f->len ? f->buf[f->len - 1] : f->last;
	/* A master whose slave was closed for the last time says EIO. */
	f->ended = n <= 0;
	return n > 0;
}

/*
 * The end that is not ours may be in blocking mode, which its other users rely on: it is written to only when it has
 * room, and no more than a pipe that has room for anything takes at once.
 */
static void flow_write(struct flow *f)
{
	while (f->at < f->len) {
		struct pollfd room = { .fd = f->to, .events = POLLOUT };
		size_t most = f->len - f->at < PIPE_BUF ? f->len - f->at : PIPE_BUF;
		ssize_t n;

		if (poll(&room, 1, 0) == 0)
			return;
		n = write(f->to, f->buf + f->at, most);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			f->at = f->len; /* nobody reads any more; the other side learns it from its own end */
			return;
		}
		f->at += (size_t)n;
	}
}

static void send_eof(struct pty_relay *r)
{
	struct termios t;

	/* Only a terminal that edits lines knows an end-of-file character. In the middle of a line the first merely
	 * hands that line on. */
	if (tcgetattr(r->master, &t) == 0 && (t.c_lflag & ICANON) && t.c_cc[VEOF]) {
		r->to_master.buf[0] = r->to_master.buf[1] = (char)t.c_cc[VEOF];
		r->to_master.at = 0;
		r->to_master.len = r->to_master.last && r->to_master.last != '\n' ? 2 : 1;
	}
}

static void on_event(void *arg, int fd, uint32_t events)
{
	struct pty_relay *r = arg;

	if (fd == r->in) {
		if (!flow_read(&r->to_master) && r->to_master.ended)
			send_eof(r);
		flow_write(&r->to_master);
	} else if (fd == r->master) {
		if (events & EPOLLOUT)
			flow_write(&r->to_master);
		if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			flow_read(&r->to_out);
		flow_write(&r->to_out);
	} else {
		flow_write(&r->to_out);
	}
	update(r);
}

/* Watches FD for EVENTS from now on; not at all for none, since a hung-up master would wake us without end. */
static void watch(struct pty_relay *r, int fd, uint32_t *now, uint32_t events)
{
	if (fd < 0 || events == *now)
		return;
	if (!events)
		loop_remove(r->loop, fd);
	else if (*now)
		loop_change(r->loop, fd, events, NULL);
	else if (loop_add(r->loop, fd, events, on_event, r, NULL) < 0)
		return;
	*now = events;
}

static void unwatch_all(struct pty_relay *r)
{
	watch(r, r->in, &r->in_events, 0);
	watch(r, r->out, &r->out_events, 0);
	watch(r, r->master, &r->master_events, 0);
}

/* Says anew what each descriptor is watched for. */
static void update(struct pty_relay *r)
{
	bool out_full = r->to_out.at < r->to_out.len;
	bool in_full = r->to_master.at < r->to_master.len;

	if (r->to_out.ended && !out_full) {
		unwatch_all(r);
		r->done(r->arg);
		return;
	}
	watch(r, r->master, &r->master_events,
	      (out_full ? 0U : (uint32_t)EPOLLIN) | (in_full ? (uint32_t)EPOLLOUT : 0U));
	watch(r, r->in, &r->in_events, in_full || r->to_master.ended ? 0 : EPOLLIN);
	watch(r, r->out, &r->out_events, out_full ? EPOLLOUT : 0);
}

int pty_relay_new(struct loop *l, int master, int in, int out, loop_timer_fn *done, void *arg, struct pty_relay **relay,
		  struct err *e)
{
	struct pty_relay *r = xcalloc(1, sizeof(*r));

	*r = (struct pty_relay){ .loop = l, .master = master, .in = in, .out = out, .done = done, .arg = arg };
	r->to_master.from = in;
	r->to_master.to = master;
	r->to_out.from = master;
	r->to_out.to = out;
	if (fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK) < 0) {
		err_sys(e, errno, "relay a pseudo-terminal");
		free(r);
		return -1;
	}
	update(r);
	*relay = r;
	return 0;
}

void pty_relay_free(struct pty_relay *r)
{
	if (!r)
		return;
	unwatch_all(r);
	free(r);
}
