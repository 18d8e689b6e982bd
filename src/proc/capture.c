/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "proc/spawn.h"

/* One of the helper's output streams on its way into a buffer. */
struct stream {
	int fd; /* -1: at its end */
	struct strbuf text;
};

static int drain(struct stream *s, size_t max, struct err *e)
{
	char buf[16384];
	ssize_t n = read(s->fd, buf, sizeof(buf));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : err_sys(e, errno, "read");
	if (n == 0) {
		close(s->fd);
		s->fd = -1;
		return 0;
	}
	if (s->text.len + (size_t)n > max)
		return err_set(e, "it says more than %zu bytes", max);
	strbuf_add(&s->text, buf, (size_t)n);
	return 0;
}

/* Until both streams are at their end and the child has ended: a grandchild may hold the pipes longer than that. */
static int collect(struct child *c, struct stream st[2], size_t max, int timeout_ms, struct err *e)
{
	int64_t deadline = timeout_ms ? clock_ms() + timeout_ms : INT64_MAX;
	bool ended = false;

	while (st[0].fd >= 0 || st[1].fd >= 0 || !ended) {
		struct pollfd p[3] = { { .fd = st[0].fd, .events = POLLIN },
				       { .fd = st[1].fd, .events = POLLIN },
				       { .fd = ended ? -1 : c->pidfd, .events = POLLIN } };
		int64_t left = deadline - clock_ms();
		int n = poll(p, 3, left > INT_MAX ? -1 : left < 0 ? 0 : (int)left);

		if (n < 0 && errno != EINTR)
			return err_sys(e, errno, "poll");
		if (n == 0)
			return err_set(e, "it took longer than %d ms", timeout_ms);
		for (int i = 0; n > 0 && i < 2; i++)
			if (p[i].revents && drain(&st[i], max, e) < 0)
				return -1;
		ended = ended || (n > 0 && p[2].revents);
	}
	return 0;
}

int spawn_capture(const struct spawn *s, size_t max, int timeout_ms, char **outtext, char **errtext,
		  struct exit_status *status, struct err *e)
{
	cleanup(close) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int out[2] = { -1, -1 }, err[2] = { -1, -1 };
	struct stream st[2] = { { .fd = -1, .text = STRBUF_INIT }, { .fd = -1, .text = STRBUF_INIT } };
	struct spawn with_pipes = *s;
	struct child c = CHILD_INIT;
	int r = -1;

	if (null < 0 || pipe2(out, O_CLOEXEC) < 0 || (errtext && pipe2(err, O_CLOEXEC) < 0)) {
		err_sys(e, errno, "make a pipe");
		goto done;
	}
	with_pipes.stdio[0] = null;
	with_pipes.stdio[1] = out[1];
	if (errtext)
		with_pipes.stdio[2] = err[1];
	r = spawn_start(&with_pipes, &c, e);
	st[0].fd = take_fd(&out[0]);
	st[1].fd = take_fd(&err[0]);
	if (r < 0)
		goto done;
	close(take_fd(&out[1]));
	cleanup_close(&err[1]);
	err[1] = -1;
	r = collect(&c, st, max, timeout_ms, e);
	if (r < 0) {
		child_signal(&c, SIGKILL, NULL);
		err_wrap(e, "%s", s->path);
	}
	if (child_wait(&c, status, r < 0 ? NULL : e) < 0)
		r = -1;
	if (r == 0) {
		*outtext = strbuf_take(&st[0].text);
		if (errtext)
			*errtext = strbuf_take(&st[1].text);
	}
done:
	for (int i = 0; i < 2; i++) {
		cleanup_close(&out[i]);
		cleanup_close(&err[i]);
		cleanup_close(&st[i].fd);
		strbuf_free(&st[i].text);
	}
	return r;
}
