/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/prctl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "init/protocol.h"
#include "init/sys.h"

/*
 * Process 1 of a container until it executes the user's command. It runs with the image's file system and environment,
 * and uses nothing but its arguments and the socket beside it. There is no C library below it (init/sys.h).
 */

#define FILE_MAX 4096

/* In a loop: keeps the compiler from making a call of a C library out of it. */
#define KEEP_LOOP() __asm__ volatile("")

static size_t length(const char *s)
{
	size_t n = 0;

	for (; s[n]; n++)
		KEEP_LOOP();
	return n;
}

/* Adds LEN bytes at AT and a NUL. The end, or 0 where they do not fit below MAX. */
static size_t append(char *to, size_t at, size_t max, const char *s, size_t len)
{
	if (len >= max - at)
		return 0;
	for (size_t i = 0; i < len; i++) {
		KEEP_LOOP();
		to[at + i] = s[i];
	}
	to[at + len] = '\0';
	return at + len;
}

static void say(const char *s)
{
	sys_call(SYS_write, 2, (long)s, (long)length(s), 0, 0, 0);
}

static _Noreturn void end(int status)
{
	for (;;)
		sys_call(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

static _Noreturn void die(const char *what, long error)
{
	char digits[12], *p = digits + sizeof(digits) - 1;

	*p = '\0';
	for (error = error < 0 ? -error : error; error; error /= 10)
		*--p = (char)('0' + error % 10);
	say("berth-init: ");
	say(what);
	say(": error ");
	say(p);
	say("\n");
	end(EXIT_NO_CONTAINER);
}

static int connect_beside(const char *program)
{
	struct sockaddr_un addr;
	size_t folder = length(program), at;
	long fd, r;

	while (folder && program[folder - 1] != '/')
		folder--;
	addr.sun_family = AF_UNIX;
	at = append(addr.sun_path, 0, sizeof(addr.sun_path), program, folder);
	at = append(addr.sun_path, at, sizeof(addr.sun_path), INIT_SOCKET, sizeof(INIT_SOCKET) - 1);
	if (at != folder + sizeof(INIT_SOCKET) - 1)
		die(program, ENAMETOOLONG);
	fd = sys_call(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, 0, 0, 0);
	if (fd < 0)
		die("make a socket", fd);
	r = sys_call(SYS_connect, fd, (long)&addr, (long)(offsetof(struct sockaddr_un, sun_path) + at + 1), 0, 0, 0);
	if (r < 0)
		die(addr.sun_path, r);
	return (int)fd;
}

static long send_message(int fd, uint32_t kind, int32_t error)
{
	struct init_message m;

	m.kind = kind;
	m.error = error;
	return sys_call(SYS_sendto, fd, (long)&m, sizeof(m), MSG_NOSIGNAL, 0, 0);
}

static void wait_for_go(int fd)
{
	struct init_message go;
	long n = send_message(fd, INIT_HELLO, 0);

	if (n < 0)
		die("report to berth-task", n);
	do
		n = sys_call(SYS_recvfrom, fd, (long)&go, sizeof(go), 0, 0, 0);
	while (n == -EINTR);
	/* berth-task is gone: nobody would watch the command. */
	if (n != (long)sizeof(go) || go.kind != INIT_GO)
		end(EXIT_NO_CONTAINER);
}

static bool has_slash(const char *s)
{
	while (*s && *s != '/')
		s++;
	return *s == '/';
}

static const char *search_path(char *const *envp)
{
	for (; *envp; envp++) {
		const char *v = *envp;

		if (v[0] == 'P' && v[1] == 'A' && v[2] == 'T' && v[3] == 'H' && v[4] == '=')
			return v + 5;
	}
	return "/usr/local/bin:/usr/bin:/bin";
}

static int execve_errno(const char *file, char *const *argv, char *const *envp)
{
	return (int)-sys_call(SYS_execve, (long)file, (long)argv, (long)envp, 0, 0, 0);
}

/* Like execvp(3), without its resort to a shell for a file that is no program. Returns errno. */
static int execute(char *const *argv, char *const *envp)
{
	const char *p = search_path(envp);
	int error = ENOENT, now;
	char file[FILE_MAX];

	if (!*argv[0])
		return ENOENT;
	if (has_slash(argv[0]))
		return execve_errno(argv[0], argv, envp);
	for (bool more = true; more;) {
		size_t n = 0, at;

		while (p[n] && p[n] != ':')
			n++;
		at = append(file, 0, sizeof(file), n ? p : ".", n ? n : 1);
		at = at ? append(file, at, sizeof(file), "/", 1) : 0;
		at = at ? append(file, at, sizeof(file), argv[0], length(argv[0])) : 0;
		now = at ? execve_errno(file, argv, envp) : ENOENT;
		if (now != ENOENT && now != ENOTDIR && error != EACCES)
			error = now;
		more = p[n] == ':';
		p += n + more;
	}
	return error;
}

static bool is_probe(const char *word)
{
	static const char probe[] = "--probe";
	size_t i = 0;

	while (i < sizeof(probe) && word[i] == probe[i])
		i++;
	return i >= sizeof(probe);
}

int init_main(int argc, char **argv, char **envp)
{
	int fd, error;
	long r;

	if (argc == 2 && is_probe(argv[1]))
		return 0;
	if (argc < 2) {
		say("berth-init: started by berth-task(8) inside a container; not for other use\n");
		return EXIT_NO_CONTAINER;
	}
	fd = connect_beside(argv[0]);
	wait_for_go(fd);
	/* The runtime (or, after create and start, berth-task) is the parent: nobody else would end us with it. */
	r = sys_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
	if (r < 0)
		die("prctl", r);
	error = execute(argv + 1, envp);
	r = send_message(fd, INIT_FAILED, error);
	if (r < 0)
		die(argv[1], r);
	return error == ENOENT || error == ENOTDIR ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE;
}
