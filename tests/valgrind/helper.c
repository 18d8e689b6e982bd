/* SPDX-License-Identifier: Apache-2.0 */
/* syscall-helper CALL TEXT A B: makes one system call for shim.c, and answers on descriptor 0. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "reply.h"

int main(int argc, char **argv)
{
	struct reply r = { .result = -1, .error = EINVAL };
	int fd = -1;
	uint64_t a, b;

	if (argc != 5)
		return 2;
	a = strtoull(argv[3], NULL, 10);
	b = strtoull(argv[4], NULL, 10);
	errno = 0;
	if (strcmp(argv[1], "openat2") == 0) {
		struct open_how how = { .flags = a, .resolve = b };
		int dir = fcntl(3, F_GETFD) < 0 ? AT_FDCWD : 3;

		r.result = fd = (int)syscall(SYS_openat2, dir, argv[2], &how, sizeof(how));
	} else if (strcmp(argv[1], "pidfd_open") == 0) {
		r.result = fd = (int)syscall(SYS_pidfd_open, (pid_t)a, 0);
	} else if (strcmp(argv[1], "pidfd_send_signal") == 0) {
		r.result = syscall(SYS_pidfd_send_signal, 3, (int)a, NULL, 0);
	}
	r.error = errno;
	return fd_send(0, &r, sizeof(r), fd, NULL) < 0;
}
