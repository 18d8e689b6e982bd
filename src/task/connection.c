/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "init/protocol.h"
#include "task/run.h"

static void hang_up(struct run *r)
{
	loop_remove(r->loop, r->conn);
	close(take_fd(&r->conn));
}

/* The peer is process 1; it waits for our go, so its pid cannot be another's by now. */
static int greet(struct run *r, struct err *e)
{
	const struct init_message go = { .kind = INIT_GO };
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(r->conn, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return err_sys(e, errno, "SO_PEERCRED");
	if (run_adopt_init(r, peer.pid, e) < 0)
		return -1;
	if (send(r->conn, &go, sizeof(go), MSG_NOSIGNAL) < 0)
		return err_sys(e, errno, "send to berth-init");
	r->go_sent = true;
	return 0;
}

/* False where nothing more can be read just now. */
static bool receive(struct run *r)
{
	struct init_message m;
	struct err e = ERR_INIT;
	ssize_t n;

	if (r->conn < 0)
		return false;
	n = recv(r->conn, &m, sizeof(m), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n == (ssize_t)sizeof(m) && m.kind == INIT_HELLO && !r->go_sent) {
		if (greet(r, &e) == 0)
			return true;
		log_error("%s", e.msg);
	} else if (n == (ssize_t)sizeof(m) && m.kind == INIT_FAILED && r->go_sent) {
		r->exec_error = m.error > 0 ? m.error : EINVAL;
	} else if (n == 0 && r->go_sent) {
		r->executed = true;
	}
	hang_up(r);
	if (r->executed) {
		run_set_phase(r, RUN_RUNNING);
		signals_release_held(r);
	}
	return false;
}

static void on_message(void *arg, int fd, uint32_t events)
{
	while (receive(arg))
		;
}

static void on_connection(void *arg, int fd, uint32_t events)
{
	struct run *r = arg;
	struct err e = ERR_INIT;

	r->conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (r->conn < 0)
		return;
	/* One process 1, one connection. */
	loop_remove(r->loop, r->task->listen_fd);
	close(take_fd(&r->task->listen_fd));
	unlinkat(r->task->folder.fd, INIT_SOCKET, 0);
	if (loop_add(r->loop, r->conn, EPOLLIN, on_message, r, &e) < 0) {
		log_error("%s", e.msg);
		close(take_fd(&r->conn));
	}
}

int connection_listen(struct run *r, struct err *e)
{
	if (r->task->listen_fd < 0)
		return 0;
	return loop_add(r->loop, r->task->listen_fd, EPOLLIN, on_connection, r, e);
}

void connection_drain(struct run *r)
{
	if (r->conn < 0 && r->task->listen_fd >= 0)
		on_connection(r, r->task->listen_fd, EPOLLIN);
	while (receive(r))
		;
}
