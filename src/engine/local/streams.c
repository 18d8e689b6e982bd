/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/local/broadcast.h"

enum {
	ENOUGH = 256 * 1024, /* a destination that has so much to take: nothing more is read for it */
	LONG_LINE = 64 * 1024,
};

/* A stream that several tasks share: our stdout, our stderr, or a file that is labelled. */
struct sink {
	struct step_io *io;
	int fd;
	bool regular, watched, broken;
	struct strbuf pending;
};

/* One task's end of a pipe. */
struct source {
	struct step_io *io;
	int fd; /* -1: ended */
	uint32_t task;
	bool watched;
	struct sink *to;
	struct strbuf line; /* an unfinished one */
};

struct task_fds {
	int fd[3]; /* -1: none of its own */
};

struct step_io {
	struct loop *loop;
	const struct engine_step *spec;
	struct filename_vars vars;
	struct sink sinks[2]; /* stdout, stderr */
	struct source *sources;
	size_t n_sources;
	struct task_fds *tasks;
	int shared[2]; /* one file for all tasks, or -1 */
	struct broadcast *input;
	int label_width;
	loop_timer_fn *done;
	void *arg;
};

static void update(struct step_io *io);

static const struct step_stdio *stream_of(const struct step_io *io, int fd)
{
	if (fd == STDERR_FILENO && io->spec->err_to_out && io->spec->out.kind != STDIO_ALL)
		return &io->spec->out;
	return fd == STDOUT_FILENO ? &io->spec->out : &io->spec->err;
}

int step_io_new(struct loop *l, const struct engine_step *spec, const struct filename_vars *vars, struct step_io **out,
		struct err *e)
{
	struct step_io *io = xcalloc(1, sizeof(*io));

	(void)e;
	*io = (struct step_io){ .loop = l, .spec = spec, .vars = *vars, .shared = { -1, -1 } };
	for (int i = 0; i < 2; i++)
		io->sinks[i] = (struct sink){ .io = io, .fd = -1 };
	io->sources = xcalloc(2 * (size_t)spec->ntasks, sizeof(*io->sources));
	io->tasks = xcalloc(spec->ntasks, sizeof(*io->tasks));
	for (uint32_t i = 0; i < spec->ntasks; i++)
		io->tasks[i] = (struct task_fds){ { -1, -1, -1 } };
	for (uint32_t n = spec->ntasks - 1; n >= 10; n /= 10)
		io->label_width++;
	io->label_width++;
	*out = io;
	return 0;
}

static int open_null(struct err *e)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	return fd < 0 ? err_sys(e, errno, "open /dev/null") : fd;
}

int step_io_file(const char *path, int flags, struct err *e)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY;
	/* A named pipe that nobody reads is an error, not something that neither Ctrl-C nor scancel ends. */
	int fd = open(path, flags | O_CLOEXEC | O_NOCTTY | (writes ? O_NONBLOCK : 0), 0666);

	if (fd < 0)
		return err_sys(e, errno, errno == ENXIO ? "open %s: nobody reads it" : "open %s", path);
	if (writes)
		fcntl(fd, F_SETFL, flags & O_APPEND);
	return fd;
}

/* Opens a file that tasks write to or read from; relative names are the job's. */
static int open_file(struct step_io *io, const char *pattern, int flags, uint32_t task, struct err *e)
{
	cleanup(free) char *name = NULL, *path = NULL;

	io->vars.task = task;
	if (filename_expand(pattern, &io->vars, &name, e) < 0)
		return -1;
	path = path_join(io->spec->work_dir, name);
	return step_io_file(path, flags, e);
}

static int output_flags(const struct step_io *io)
{
	return O_WRONLY | O_CREAT | O_APPEND | (io->spec->append ? 0 : O_TRUNC);
}

static bool same_file(const struct step_stdio *a, const struct step_stdio *b)
{
	return a->kind == STDIO_FILE && b->kind == STDIO_FILE && strcmp(a->file, b->file) == 0;
}

/* The descriptor of a file that all tasks share; opened once, so that nothing of it is cut off again. */
static int shared_file(struct step_io *io, int fd, const struct step_stdio *s, struct err *e)
{
	int i = fd == STDERR_FILENO && !same_file(stream_of(io, STDOUT_FILENO), s);

	if (io->shared[i] < 0)
		io->shared[i] = open_file(io, s->file, output_flags(io), 0, e);
	return io->shared[i];
}

static void sink_event(void *arg, int fd, uint32_t events)
{
	struct sink *k = arg;
	size_t n = k->pending.len;
	ssize_t w;

	(void)events;
	/* A pipe that is ready takes at least PIPE_BUF without blocking. */
	if (!k->regular && n > PIPE_BUF)
		n = PIPE_BUF;
	w = write(fd, k->pending.data, n);
	if (w < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (w < 0) {
		k->broken = true;
		k->pending.len = 0;
	} else {
		memmove(k->pending.data, k->pending.data + w, k->pending.len - (size_t)w);
		k->pending.len -= (size_t)w;
	}
	update(k->io);
}

static void add_line(struct source *s, const char *text, size_t len)
{
	struct sink *k = s->to;

	if (k->broken)
		return;
	if (s->io->spec->label)
		strbuf_addf(&k->pending, "%*" PRIu32 ": ", s->io->label_width, s->task);
	strbuf_add(&k->pending, text, len);
	if (s->io->spec->label && (!len || text[len - 1] != '\n'))
		strbuf_addc(&k->pending, '\n');
}

static void pass_lines(struct source *s, bool all)
{
	size_t from = 0;

	for (;;) {
		char *end = s->line.len > from ? memchr(s->line.data + from, '\n', s->line.len - from) : NULL;

		if (!end)
			break;
		add_line(s, s->line.data + from, (size_t)(end - s->line.data) + 1 - from);
		from = (size_t)(end - s->line.data) + 1;
	}
	if (s->line.len > from && (all || s->line.len - from > LONG_LINE)) {
		add_line(s, s->line.data + from, s->line.len - from);
		from = s->line.len;
	}
	if (from) {
		memmove(s->line.data, s->line.data + from, s->line.len - from);
		s->line.len -= from;
	}
}

static void source_end(struct source *s)
{
	if (s->fd < 0)
		return;
	pass_lines(s, true);
	if (s->watched)
		loop_remove(s->io->loop, s->fd);
	s->watched = false;
	close(take_fd(&s->fd));
}

static void source_event(void *arg, int fd, uint32_t events)
{
	struct source *s = arg;
	char buf[32768];
	ssize_t n = read(fd, buf, sizeof(buf));

	(void)events;
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0) {
		strbuf_add(&s->line, buf, (size_t)n);
		pass_lines(s, s->io->spec->unbuffered);
	} else {
		source_end(s);
	}
	update(s->io);
}

static void sink_update(struct sink *k)
{
	bool want = k->pending.len > 0 && k->fd >= 0;

	if (want && !k->watched && loop_add(k->io->loop, k->fd, EPOLLOUT, sink_event, k, NULL) < 0) {
		k->broken = true;
		k->pending.len = 0;
		want = false;
	} else if (!want && k->watched) {
		loop_remove(k->io->loop, k->fd);
	}
	k->watched = want;
}

/* Says anew what is waited for: output that is not taken stops the reading of what comes behind it. */
static void update(struct step_io *io)
{
	bool left = false;

	for (size_t i = 0; i < io->n_sources; i++) {
		struct source *s = &io->sources[i];
		bool want;

		/* Whoever writes to a stream that nobody reads is told so, as it would be without us. */
		if (s->to->broken)
			source_end(s);
		want = s->fd >= 0 && s->to->pending.len < ENOUGH;
		if (want != s->watched) {
			if (want)
				loop_add(io->loop, s->fd, EPOLLIN, source_event, s, NULL);
			else if (s->fd >= 0)
				loop_remove(io->loop, s->fd);
			s->watched = want;
		}
		left = left || s->fd >= 0;
	}
	for (int i = 0; i < 2; i++) {
		sink_update(&io->sinks[i]);
		left = left || io->sinks[i].pending.len;
	}
	if (!left && io->done) {
		loop_timer_fn *done = io->done;

		io->done = NULL;
		done(io->arg);
	}
}

static int sink_open(struct step_io *io, int fd, const struct step_stdio *s, struct sink **out, struct err *e)
{
	int i = fd == STDERR_FILENO &&
		!(s->kind == STDIO_FILE && same_file(stream_of(io, STDOUT_FILENO), stream_of(io, STDERR_FILENO)));
	struct sink *k = &io->sinks[i];
	struct stat st;

	*out = k;
	if (k->fd >= 0)
		return 0;
	if (s->kind == STDIO_FILE) {
		k->fd = shared_file(io, fd, s, e);
		if (k->fd < 0)
			return -1;
	} else {
		k->fd = fd;
	}
	k->regular = fstat(k->fd, &st) == 0 && S_ISREG(st.st_mode);
	return 0;
}

static int relay_output(struct step_io *io, int fd, uint32_t task, const struct step_stdio *s, int *out, struct err *e)
{
	struct source *src = &io->sources[io->n_sources];
	int p[2];

	*src = (struct source){ .io = io, .fd = -1, .task = task };
	if (sink_open(io, fd, s, &src->to, e) < 0)
		return -1;
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(e, errno, "make a pipe");
	src->fd = p[0];
	*out = p[1];
	io->n_sources++;
	return 0;
}

static int open_output(struct step_io *io, int fd, uint32_t task, int *out, struct err *e)
{
	const struct step_stdio *s = stream_of(io, fd);
	bool several = io->spec->ntasks > 1;

	switch (s->kind) {
	case STDIO_NONE:
		*out = open_null(e);
		break;
	case STDIO_ALL:
		if (io->spec->label || (several && !io->spec->unbuffered))
			return relay_output(io, fd, task, s, out, e);
		return 0;
	case STDIO_TASK:
		if (task == s->task)
			return io->spec->label ? relay_output(io, fd, task, s, out, e) : 0;
		*out = open_null(e);
		break;
	case STDIO_FILE:
		if (filename_per_task(s->file)) {
			*out = open_file(io, s->file, output_flags(io), task, e);
			break;
		}
		if (io->spec->label)
			return relay_output(io, fd, task, s, out, e);
		*out = shared_file(io, fd, s, e);
		if (*out >= 0)
			*out = fcntl(*out, F_DUPFD_CLOEXEC, 3);
		break;
	}
	return *out < 0 ? -1 : 0;
}

static int open_input(struct step_io *io, uint32_t task, int *out, struct err *e)
{
	const struct step_stdio *s = &io->spec->in;

	switch (s->kind) {
	case STDIO_ALL:
		if (io->spec->ntasks == 1)
			return 0;
		if (!io->input)
			io->input = broadcast_new(io->loop, STDIN_FILENO, io->spec->ntasks);
		return broadcast_open(io->input, out, e);
	case STDIO_TASK:
		if (task == s->task)
			return 0;
		__attribute__((fallthrough));
	case STDIO_NONE:
		*out = open_null(e);
		break;
	case STDIO_FILE:
		*out = open_file(io, s->file, O_RDONLY, task, e);
		break;
	}
	return *out < 0 ? -1 : 0;
}

int step_io_open(struct step_io *io, uint32_t task, int fds[3], struct err *e)
{
	struct task_fds *t = &io->tasks[task];

	if (open_input(io, task, &t->fd[0], e) < 0 || open_output(io, STDOUT_FILENO, task, &t->fd[1], e) < 0)
		return -1;
	/* Both streams in one file are one descriptor: with two, each would cut off what the other wrote. */
	if (t->fd[1] >= 0 && stream_of(io, STDOUT_FILENO)->kind == STDIO_FILE &&
	    same_file(stream_of(io, STDOUT_FILENO), stream_of(io, STDERR_FILENO)))
		t->fd[2] = fcntl(t->fd[1], F_DUPFD_CLOEXEC, 3);
	else if (open_output(io, STDERR_FILENO, task, &t->fd[2], e) < 0)
		return -1;
	memcpy(fds, t->fd, sizeof(t->fd));
	return 0;
}

void step_io_started(struct step_io *io, uint32_t task)
{
	for (int i = 0; i < 3; i++)
		if (io->tasks[task].fd[i] >= 0)
			close(take_fd(&io->tasks[task].fd[i]));
	update(io);
}

void step_io_finish(struct step_io *io, loop_timer_fn *done, void *arg)
{
	if (io->input)
		broadcast_free(take_ptr(&io->input));
	io->done = done;
	io->arg = arg;
	update(io);
}

void step_io_abandon(struct step_io *io)
{
	for (int i = 0; i < 2; i++) {
		io->sinks[i].broken = true;
		io->sinks[i].pending.len = 0;
	}
	update(io);
}

void step_io_free(struct step_io *io)
{
	if (!io)
		return;
	broadcast_free(io->input);
	for (size_t i = 0; i < io->n_sources; i++) {
		if (io->sources[i].watched)
			loop_remove(io->loop, io->sources[i].fd);
		if (io->sources[i].fd >= 0)
			close(io->sources[i].fd);
		strbuf_free(&io->sources[i].line);
	}
	for (uint32_t i = 0; i < io->spec->ntasks; i++)
		for (int k = 0; k < 3; k++)
			if (io->tasks[i].fd[k] >= 0)
				close(io->tasks[i].fd[k]);
	for (int i = 0; i < 2; i++) {
		if (io->sinks[i].watched)
			loop_remove(io->loop, io->sinks[i].fd);
		strbuf_free(&io->sinks[i].pending);
		if (io->shared[i] >= 0)
			close(io->shared[i]);
	}
	free(io->sources);
	free(io->tasks);
	free(io);
}
