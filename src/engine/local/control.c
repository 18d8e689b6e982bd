/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/control.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"

struct control {
	struct loop *loop;
	int fd;
	control_fn *fn;
	void *arg;
};

static socklen_t address(struct sockaddr_un *a, const struct job *j, uint32_t step)
{
	int n;

	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	n = snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "berth/%s/%" PRIu32, j->mark ? j->mark : "", step);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

static bool from_us(struct msghdr *m, uid_t *from)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred cred;

			memcpy(&cred, CMSG_DATA(c), sizeof(cred));
			*from = cred.uid;
			return cred.uid == 0 || cred.uid == geteuid();
		}
	}
	return false;
}

static void on_message(void *arg, int fd, uint32_t events)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(struct ucred))];
	} room;
	struct control *c = arg;
	struct control_msg msg;
	struct iovec io = { .iov_base = &msg, .iov_len = sizeof(msg) };
	struct msghdr m = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = room.space, .msg_controllen = sizeof(room.space)
	};
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	(void)events;
	if (n != (ssize_t)sizeof(msg) || msg.version != CONTROL_VERSION || !from_us(&m, &msg.from))
		return;
	c->fn(c->arg, &msg);
}

int control_listen(struct loop *l, const struct job *j, uint32_t step, control_fn *fn, void *arg, struct control **out,
		   struct err *e)
{
	cleanup(close) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a;
	struct control *c;
	socklen_t len;
	int on = 1;

	if (fd < 0)
		return err_sys(e, errno, "make a socket");
	len = address(&a, j, step);
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 || bind(fd, (struct sockaddr *)&a, len) < 0)
		return err_sys(e, errno, "listen for job %" PRIu32, j->id);
	c = xcalloc(1, sizeof(*c));
	*c = (struct control){ .loop = l, .fd = fd, .fn = fn, .arg = arg };
	if (loop_add(l, fd, EPOLLIN, on_message, c, e) < 0) {
		free(c);
		return -1;
	}
	take_fd(&fd);
	*out = c;
	return 0;
}

void control_close(struct control *c)
{
	if (!c)
		return;
	loop_remove(c->loop, c->fd);
	close(c->fd);
	free(c);
}

int control_send(const struct job *j, uint32_t step, const struct control_msg *msg, struct err *e)
{
	cleanup(close) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct control_msg m = *msg;
	struct sockaddr_un a;

	m.version = CONTROL_VERSION;
	if (fd < 0)
		return err_sys(e, errno, "make a socket");
	if (sendto(fd, &m, sizeof(m), MSG_NOSIGNAL, (struct sockaddr *)&a, address(&a, j, step)) < 0)
		return err_sys(e, errno, "reach the owner of job %" PRIu32, j->id);
	return 0;
}
