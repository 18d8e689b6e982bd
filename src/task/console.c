/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "oci/runtime.h"
#include "task/run.h"

#define SOCKET_NAME "console"
#define QUIET_ROUNDS 10
#define QUIET_MS 50

/*
 * With Run the runtime itself joins the container's terminal with its own. With Create it sends the master of the
 * container's terminal over a socket and is gone, so joining them is our part.
 */
struct console {
	struct run *run;
	int listen_fd, master;
	struct pty_raw raw;
	struct pty_relay *relay;
	bool drained;
};

static void on_drained(void *arg)
{
	struct console *c = arg;

	c->drained = true;
}

static int receive_master(struct console *c, struct err *e)
{
	cleanup(close) int conn = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	char name[4096];

	if (conn < 0)
		return err_sys(e, errno, "accept");
	if (fd_recv(conn, name, sizeof(name), &c->master, e) < 0)
		return -1;
	if (c->master < 0)
		return err_set(e, "the runtime sent no terminal");
	pty_copy_size(STDIN_FILENO, c->master);
	if (pty_raw_on(&c->raw, STDIN_FILENO, e) < 0)
		return -1;
	return pty_relay_new(c->run->loop, c->master, STDIN_FILENO, STDOUT_FILENO, on_drained, c, &c->relay, e);
}

static void on_console(void *arg, int fd, uint32_t events)
{
	struct console *c = arg;
	struct err e = ERR_INIT;

	if (receive_master(c, &e) < 0)
		log_error("console: %s", e.msg);
	loop_remove(c->run->loop, fd);
	close(take_fd(&c->listen_fd));
}

static int listen_at(const struct task *t, struct err *e)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	cleanup(close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/" SOCKET_NAME, t->folder.fd);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 1) < 0)
		return err_sys(e, errno, "console socket");
	return take_fd(&fd);
}

int console_new(struct run *r, char ***create_argv, struct err *e)
{
	cleanup(free) char *path = path_join(r->task->folder.path, SOCKET_NAME);
	struct console *c;

	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
		free(path);
		path = xasprintf("/proc/%d/fd/%d/" SOCKET_NAME, getpid(), r->task->folder.fd);
	}
	if (runtime_add_console_socket(create_argv, path, e) < 0)
		return -1;
	c = xcalloc(1, sizeof(*c));
	*c = (struct console){ .run = r, .listen_fd = -1, .master = -1, .raw = PTY_RAW_INIT };
	r->console = c;
	c->listen_fd = listen_at(r->task, e);
	if (c->listen_fd < 0)
		return -1;
	return loop_add(r->loop, c->listen_fd, EPOLLIN, on_console, c, e);
}

/* With Run the master is the runtime's, and some leave its size as it was: process 1 has the slave. */
static void resize_inside(const struct run *r)
{
	struct winsize now, want;
	char path[64];

	if (r->init_pid <= 0 || ioctl(STDIN_FILENO, TIOCGWINSZ, &want) < 0)
		return;
	for (int i = 0; i < 3; i++) {
		cleanup(close) int fd = -1;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", r->init_pid, i);
		fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0 || ioctl(fd, TIOCGWINSZ, &now) < 0)
			continue;
		if (now.ws_row != want.ws_row || now.ws_col != want.ws_col)
			ioctl(fd, TIOCSWINSZ, &want);
		return;
	}
}

void console_resize(struct run *r)
{
	if (r->console && r->console->master >= 0)
		pty_copy_size(STDIN_FILENO, r->console->master);
	else if (!r->create_start)
		resize_inside(r);
}

/*
 * The container is gone and with it the last user of the slave: what it wrote is still in the master. Somebody who is
 * no descendant of ours but has the slave open and says nothing does not hold us up.
 */
static void drain(struct console *c)
{
	int quiet = 0;

	while (c->relay && !c->drained && quiet < QUIET_ROUNDS) {
		struct pollfd p = { .fd = c->master, .events = POLLIN };

		quiet = poll(&p, 1, 0) == 0 ? quiet + 1 : 0;
		if (loop_once(c->run->loop, QUIET_MS, NULL) < 0)
			return;
	}
}

void console_free(struct run *r)
{
	struct console *c = r->console;

	if (!c)
		return;
	drain(c);
	pty_relay_free(c->relay);
	pty_raw_off(&c->raw);
	if (c->listen_fd >= 0) {
		loop_remove(r->loop, c->listen_fd);
		close(c->listen_fd);
	}
	if (c->master >= 0)
		close(c->master);
	free(c);
	r->console = NULL;
}
