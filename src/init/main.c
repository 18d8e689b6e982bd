/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "init/protocol.h"

/*
 * Process 1 of a container until it executes the user's command. It runs with the image's file system and environment,
 * linked statically, and uses nothing but its arguments and the socket beside it.
 */

extern char **environ;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "berth-init: %s: %s\n", what, strerror(errno));
	_exit(EXIT_NO_CONTAINER);
}

static int connect_beside(const char *program)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *slash = strrchr(program, '/');
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int n = snprintf(addr.sun_path, sizeof(addr.sun_path), "%.*s/" INIT_SOCKET, slash ? (int)(slash - program) : 1,
			 slash ? program : ".");

	if (n < 0 || (size_t)n >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		die(program);
	}
	if (fd < 0)
		die("make a socket");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die(addr.sun_path);
	return fd;
}

static void wait_for_go(int fd)
{
	struct init_message hello = { .kind = INIT_HELLO }, go = { 0 };
	ssize_t n;

	if (send(fd, &hello, sizeof(hello), MSG_NOSIGNAL) < 0)
		die("report to berth-task");
	do
		n = recv(fd, &go, sizeof(go), 0);
	while (n < 0 && errno == EINTR);
	/* berth-task is gone: nobody would watch the command. */
	if (n != (ssize_t)sizeof(go) || go.kind != INIT_GO)
		_exit(EXIT_NO_CONTAINER);
}

/* Like execvp(3), without its resort to a shell for a file that is no program. Returns errno. */
static int execute(char *const *argv)
{
	const char *path = getenv("PATH");
	char file[4096];
	int error = ENOENT;

	if (!*argv[0])
		return ENOENT;
	if (strchr(argv[0], '/')) {
		execve(argv[0], argv, environ);
		return errno;
	}
	for (const char *p = path ? path : "/usr/local/bin:/usr/bin:/bin"; p;
	     p = strchr(p, ':') ? strchr(p, ':') + 1 : NULL) {
		int n = (int)strcspn(p, ":");
		int len = snprintf(file, sizeof(file), "%.*s/%s", n ? n : 1, n ? p : ".", argv[0]);

		if (len < 0 || (size_t)len >= sizeof(file))
			continue;
		execve(file, argv, environ);
		if (errno != ENOENT && errno != ENOTDIR && error != EACCES)
			error = errno;
	}
	return error;
}

int main(int argc, char **argv)
{
	struct init_message failed = { .kind = INIT_FAILED };
	int fd;

	if (argc == 2 && strcmp(argv[1], "--probe") == 0)
		return 0;
	if (argc < 2) {
		fputs("berth-init: started by berth-task(8) inside a container; not for other use\n", stderr);
		return EXIT_NO_CONTAINER;
	}
	fd = connect_beside(argv[0]);
	wait_for_go(fd);
	/* The runtime (or, after create and start, berth-task) is the parent: nobody else would end us with it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		die("prctl");
	failed.error = execute(argv + 1);
	if (send(fd, &failed, sizeof(failed), MSG_NOSIGNAL) < 0)
		die(argv[1]);
	return failed.error == ENOENT || failed.error == ENOTDIR ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE;
}
