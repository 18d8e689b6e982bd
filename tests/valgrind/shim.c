/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a program under valgrind, whose version in Debian 12 answers ENOSYS to the newer system calls that we
 * cannot do without. It stands in for syscall(2) and has a helper, which valgrind does not follow, make those calls;
 * the descriptors they give come back over a socket, so valgrind sees and counts them.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/openat2.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reply.h"

static long receive(int sock)
{
	struct reply r = { .result = -1, .error = EIO };
	struct iovec iov = { .iov_base = &r, .iov_len = sizeof(r) };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf, .msg_controllen = CMSG_LEN(sizeof(int))
	};
	struct cmsghdr *c;
	int fd;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(r) || r.result < 0) {
		errno = r.error;
		return -1;
	}
	c = CMSG_FIRSTHDR(&msg);
	if (!c)
		return r.result;
	memcpy(&fd, CMSG_DATA(c), sizeof(int));
	return fd;
}

/* FD, where it is one, is the helper's descriptor 3. */
static long ask(const char *what, int fd, const char *text, uint64_t a, uint64_t b)
{
	char num[2][32];
	char *const argv[] = {
		(char *)(size_t) "syscall-helper", (char *)(size_t)what, (char *)(size_t)text, num[0], num[1], NULL
	};
	char *const envp[] = { NULL };
	posix_spawn_file_actions_t fa;
	int s[2], status, spawned;
	pid_t pid;
	long r = -1;

	snprintf(num[0], sizeof(num[0]), "%llu", (unsigned long long)a);
	snprintf(num[1], sizeof(num[1]), "%llu", (unsigned long long)b);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s) < 0)
		return -1;
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, s[1], 0);
	if (fd >= 0)
		posix_spawn_file_actions_adddup2(&fa, fd, 3);
	spawned = posix_spawn(&pid, getenv("BERTH_SYSCALL_HELPER"), &fa, NULL, argv, envp);
	posix_spawn_file_actions_destroy(&fa);
	close(s[1]);
	if (spawned == 0) {
		r = receive(s[0]);
		status = errno;
		waitpid(pid, NULL, 0);
		errno = status;
	} else {
		errno = spawned;
	}
	close(s[0]);
	return r;
}

long syscall(long n, ...)
{
	long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	long a[6];
	va_list ap;

	va_start(ap, n);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	switch (n) {
	case SYS_openat2: {
		const struct open_how *how = (const void *)a[2];

		return ask("openat2", (int)a[0], (const char *)a[1], how->flags, how->resolve);
	}
	case SYS_pidfd_open:
		return ask("pidfd_open", -1, "", (uint64_t)(uint32_t)a[0], 0);
	case SYS_pidfd_send_signal:
		return ask("pidfd_send_signal", (int)a[0], "", (uint64_t)(uint32_t)a[1], 0);
	default:
		return real(n, a[0], a[1], a[2], a[3], a[4], a[5]);
	}
}
