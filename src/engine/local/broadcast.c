/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/broadcast.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"

struct reader {
	int fd; /* -1: closed */
	size_t at;
	bool watched;
};

struct broadcast {
	struct loop *loop;
	int from;
	bool watched, ended;
	struct reader *readers;
	uint32_t n, open;
	char buf[65536];
	size_t len;
};

static void update(struct broadcast *b);

struct broadcast *broadcast_new(struct loop *l, int from, uint32_t readers)
{
	struct broadcast *b = xcalloc(1, sizeof(*b));

	b->loop = l;
	b->from = from;
	b->n = readers;
	b->readers = xcalloc(readers, sizeof(*b->readers));
	for (uint32_t i = 0; i < readers; i++)
		b->readers[i].fd = -1;
	return b;
}

static void reader_close(struct broadcast *b, struct reader *r)
{
	if (r->fd < 0)
		return;
	if (r->watched)
		loop_remove(b->loop, r->fd);
	r->watched = false;
	close(take_fd(&r->fd));
}

static void on_input(void *arg, int fd, uint32_t events)
{
	struct broadcast *b = arg;
	ssize_t n = read(fd, b->buf, sizeof(b->buf));

	(void)events;
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	b->ended = n <= 0;
	b->len = n > 0 ? (size_t)n : 0;
	for (uint32_t i = 0; i < b->open; i++)
		b->readers[i].at = 0;
	update(b);
}

static void on_reader(void *arg, int fd, uint32_t events)
{
	struct broadcast *b = arg;
	struct reader *r = b->readers;
	ssize_t n;

	(void)events;
	while (r->fd != fd)
		r++;
	n = write(fd, b->buf + r->at, b->len - r->at);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0)
		reader_close(b, r);
	else
		r->at += (size_t)n;
	update(b);
}

static void watch_reader(struct broadcast *b, struct reader *r)
{
	bool want = r->fd >= 0 && r->at < b->len;

	if (want && !r->watched)
		want = loop_add(b->loop, r->fd, EPOLLOUT, on_reader, b, NULL) == 0;
	else if (!want && r->watched)
		loop_remove(b->loop, r->fd);
	r->watched = want;
}

static void update(struct broadcast *b)
{
	bool busy = false, alive = false, want;

	for (uint32_t i = 0; i < b->open; i++) {
		if (b->ended)
			reader_close(b, &b->readers[i]);
		watch_reader(b, &b->readers[i]);
		busy = busy || b->readers[i].watched;
		alive = alive || b->readers[i].fd >= 0;
	}
	want = !busy && alive && !b->ended;
	if (want && !b->watched && loop_add(b->loop, b->from, EPOLLIN, on_input, b, NULL) < 0) {
		/* No standard input at all: as an empty one. */
		b->ended = true;
		for (uint32_t i = 0; i < b->open; i++)
			reader_close(b, &b->readers[i]);
		want = false;
	} else if (!want && b->watched) {
		loop_remove(b->loop, b->from);
	}
	b->watched = want;
}

int broadcast_open(struct broadcast *b, int *out, struct err *e)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(e, errno, "make a pipe");
	fcntl(p[1], F_SETFL, O_NONBLOCK);
	b->readers[b->open++].fd = p[1];
	*out = p[0];
	if (b->open == b->n)
		update(b);
	return 0;
}

void broadcast_free(struct broadcast *b)
{
	if (!b)
		return;
	if (b->watched)
		loop_remove(b->loop, b->from);
	for (uint32_t i = 0; i < b->open; i++)
		reader_close(b, &b->readers[i]);
	free(b->readers);
	free(b);
}
