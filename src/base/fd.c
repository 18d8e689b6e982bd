/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"

void fd_open_standard(void)
{
	struct pollfd fds[3] = { { .fd = 0 }, { .fd = 1 }, { .fd = 2 } };

	if (poll(fds, 3, 0) <= 0)
		return;
	/* The lowest free number is taken, so in this order each gets its own. */
	for (int i = 0; i < 3; i++)
		if (fds[i].revents & POLLNVAL)
			(void)!open("/dev/null", O_RDWR);
}

int fd_write_all(int fd, const void *data, size_t len, struct err *e)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, errno, "write");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int fd_read_all(int fd, size_t max, char **out, size_t *len, struct err *e)
{
	cleanup(free) char *buf = xcalloc(1, 4096);
	size_t cap = 4096, used = 0;

	for (;;) {
		ssize_t n = read(fd, buf + used, cap - used - 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, errno, "read");
		if (n == 0)
			break;
		used += (size_t)n;
		if (used > max)
			return err_set(e, "longer than %zu bytes", max);
		if (used == cap - 1) {
			cap *= 2;
			buf = xrealloc(buf, cap, 1);
		}
	}
	buf[used] = '\0';
	if (len)
		*len = used;
	*out = take_ptr(&buf);
	return 0;
}

int fd_send(int sock, const void *data, size_t len, int send_fd, struct err *e)
{
	struct iovec iov = { .iov_base = (void *)(size_t)data, .iov_len = len };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (send_fd >= 0) {
		struct cmsghdr *c;

		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &send_fd, sizeof(int));
	}
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, errno, "sendmsg");
	if ((size_t)n != len)
		return err_set(e, "sendmsg: %zd of %zu bytes", n, len);
	return 0;
}

ssize_t fd_recv(int sock, void *data, size_t cap, int *got_fd, struct err *e)
{
	struct iovec iov = { .iov_base = data, .iov_len = cap };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	/* Alignment leaves room for a second descriptor, of which the kernel is not told. */
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf, .msg_controllen = CMSG_LEN(sizeof(int))
	};
	ssize_t n;

	*got_fd = -1;
	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, errno, "recvmsg");
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
			memcpy(got_fd, CMSG_DATA(c), sizeof(int));
	return n;
}
