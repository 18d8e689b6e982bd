/* SPDX-License-Identifier: Apache-2.0 */
#include "image/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"

enum { BUFFER = 128 << 10 };

struct stream {
	struct work *work;
	int in; /* the source; -1 at its end */
	char *buf;
	size_t at, len; /* what was read of the source and went nowhere yet */
	bool filtered;
	struct work_child filter;
	int to_filter; /* -1: everything was given */
	bool ended;
};

static const struct {
	const char *magic;
	size_t len;
	char *const argv[4];
} filters[] = {
	{ "\x1f\x8b", 2, { "gzip", "-dc", NULL } },
	{ "BZh", 3, { "bzip2", "-dc", NULL } },
	{ "\xfd"
	  "7zXZ",
	  5,
	  { "xz", "-dc", NULL } },
	{ "\x28\xb5\x2f\xfd", 4, { "zstd", "-dcq", NULL } },
};

/* Reads what the source has, blocking until that is something, the end, or a signal. */
static int fill(struct stream *s, struct err *e)
{
	struct pollfd p[2] = { { .fd = s->in, .events = POLLIN }, { .fd = s->work->signals, .events = POLLIN } };
	ssize_t n;

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return err_sys(e, errno, "poll");
	if (p[1].revents)
		return work_interrupted(s->work, e);
	do
		n = read(s->in, s->buf + s->len, BUFFER - s->len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, errno, "read");
	if (n == 0) {
		close(s->in);
		s->in = -1;
	}
	s->len += (size_t)n;
	s->work->in += (uint64_t)n;
	return 0;
}

static int start_filter(struct stream *s, char *const *argv, struct err *e)
{
	int to[2], r;

	if (pipe2(to, O_CLOEXEC) < 0)
		return err_sys(e, errno, "make a pipe");
	r = work_start(s->work, argv, to[0], false, &s->filter, e);
	close(to[0]);
	s->to_filter = to[1];
	s->filtered = true;
	if (r < 0)
		return -1;
	if (fcntl(s->to_filter, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, errno, "fcntl");
	/* Larger pipes halve the number of times that we and the filter wait for each other; a refusal is no harm. */
	fcntl(s->to_filter, F_SETPIPE_SZ, BUFFER);
	fcntl(s->filter.out, F_SETPIPE_SZ, BUFFER);
	return 0;
}

int stream_open(struct work *w, int fd, struct stream **out, struct err *e)
{
	cleanup(stream) struct stream *s = xcalloc(1, sizeof(*s));

	*s = (struct stream){ .work = w, .in = fd, .to_filter = -1, .filter = WORK_CHILD_INIT };
	s->buf = xcalloc(1, BUFFER);
	while (s->in >= 0 && s->len < 8)
		if (fill(s, e) < 0)
			return -1;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
		if (s->len >= filters[i].len && memcmp(s->buf, filters[i].magic, filters[i].len) == 0) {
			if (start_filter(s, filters[i].argv, e) < 0)
				return -1;
			break;
		}
	*out = take_ptr(&s);
	return 0;
}

static int feed(struct stream *s, struct err *e)
{
	ssize_t n = write(s->to_filter, s->buf + s->at, s->len - s->at);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0 && errno != EPIPE)
		return err_sys(e, errno, "write");
	if (n < 0) {
		/* It has had enough: its status says whether that is an error. */
		close(s->to_filter);
		s->to_filter = -1;
		return 0;
	}
	s->at += (size_t)n;
	if (s->at == s->len)
		s->at = s->len = 0;
	return 0;
}

/* One turn of source -> filter -> BUF. *got is what arrived; 0 with s->ended at the end. */
static int turn(struct stream *s, void *buf, size_t n, size_t *got, struct err *e)
{
	bool have = s->at < s->len;
	struct pollfd p[4] = { { .fd = s->filter.out, .events = POLLIN },
			       { .fd = s->to_filter >= 0 && have ? s->to_filter : -1, .events = POLLOUT },
			       { .fd = s->to_filter >= 0 && !have ? s->in : -1, .events = POLLIN },
			       { .fd = s->work->signals, .events = POLLIN } };
	ssize_t r;

	*got = 0;
	if (s->to_filter >= 0 && !have && s->in < 0) {
		close(s->to_filter);
		s->to_filter = p[1].fd = -1;
	}
	if (poll(p, 4, -1) < 0)
		return errno == EINTR ? 0 : err_sys(e, errno, "poll");
	if (p[3].revents)
		return work_interrupted(s->work, e);
	if (p[1].revents && feed(s, e) < 0)
		return -1;
	if (p[2].revents && fill(s, e) < 0)
		return -1;
	if (!p[0].revents)
		return 0;
	r = read(s->filter.out, buf, n);
	if (r < 0)
		return errno == EINTR ? 0 : err_sys(e, errno, "read");
	*got = (size_t)r;
	s->ended = r == 0;
	return s->ended ? work_finish(s->work, &s->filter, e) : 0;
}

static int take_plain(struct stream *s, void *buf, size_t n, size_t *got, struct err *e)
{
	if (s->at == s->len) {
		s->at = s->len = 0;
		if (s->in >= 0 && fill(s, e) < 0)
			return -1;
	}
	s->ended = s->in < 0 && s->at == s->len;
	*got = s->len - s->at < n ? s->len - s->at : n;
	memcpy(buf, s->buf + s->at, *got);
	s->at += *got;
	return 0;
}

ssize_t stream_read(struct stream *s, void *buf, size_t n, struct err *e)
{
	size_t done = 0, got;

	while (done < n && !s->ended) {
		char *to = (char *)buf + done;

		if ((s->filtered ? turn(s, to, n - done, &got, e) : take_plain(s, to, n - done, &got, e)) < 0)
			return -1;
		done += got;
	}
	return (ssize_t)done;
}

int stream_drain(struct stream *s, size_t max, struct err *e)
{
	char buf[16384];

	for (size_t sum = 0; !s->ended; sum += sizeof(buf)) {
		if (sum > max)
			return err_set(e, "more than %zu bytes after the end of the archive", max);
		if (stream_read(s, buf, sizeof(buf), e) < 0)
			return -1;
	}
	return 0;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	cleanup_close(&s->in);
	cleanup_close(&s->to_filter);
	if (s->filtered)
		work_abandon(s->work, &s->filter);
	free(s->buf);
	free(s);
}

void cleanup_stream(struct stream **s)
{
	stream_free(*s);
}
