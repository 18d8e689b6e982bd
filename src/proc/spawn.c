/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

#define CHILD_STACK (64 * 1024)

/*
 * AddressSanitizer remembers of a stack what is out of scope on it; the child's ends in the middle of its functions,
 * and its memory is used again.
 */
#define ON_CHILD_STACK __attribute__((no_sanitize_address))

/*
 * The child shares our memory until it executes (CLONE_VM | CLONE_VFORK, as posix_spawn does it), so that its start
 * costs the same however large we are, and its failure is simply written here. It must not touch anything else of ours:
 * system calls only, no malloc, no lock, no log.
 */
struct start {
	const struct spawn *s;
	sigset_t mask;
	pid_t parent;
	const char *step;
	int error;
};

static ON_CHILD_STACK int move_fds(const struct spawn *s)
{
	int at[SPAWN_MAX_FDS + 3], above = 3;
	size_t n = s->n_fds;

	/* First above every target, so that no source is overwritten before its turn. */
	for (size_t i = 0; i < n; i++)
		above = s->fds[i].to >= above ? s->fds[i].to + 1 : above;
	for (size_t i = 0; i < n; i++) {
		at[i] = fcntl(s->fds[i].from, F_DUPFD_CLOEXEC, above);
		if (at[i] < 0)
			return -1;
	}
	for (int i = 0; i < 3; i++) {
		at[n + (size_t)i] = s->stdio[i] < 0 ? -1 : fcntl(s->stdio[i], F_DUPFD_CLOEXEC, above);
		if (s->stdio[i] >= 0 && at[n + (size_t)i] < 0)
			return -1;
	}
	for (size_t i = 0; i < n; i++)
		if (dup2(at[i], s->fds[i].to) < 0)
			return -1;
	for (int i = 0; i < 3; i++)
		if (at[n + (size_t)i] >= 0 && dup2(at[n + (size_t)i], i) < 0)
			return -1;
	return 0;
}

static ON_CHILD_STACK int close_others(const struct spawn *s)
{
	if (!s->n_fds)
		return close_range(3, ~0U, 0);
	if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return -1;
	for (size_t i = 0; i < s->n_fds; i++)
		if (fcntl(s->fds[i].to, F_SETFD, 0) < 0)
			return -1;
	return 0;
}

/* Past the C library, which keeps two signals to itself that whoever started us may have ignored. */
static ON_CHILD_STACK void default_signals(void)
{
	static const struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		uint64_t mask;
	} deflt = { .handler = SIG_DFL };

	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			syscall(SYS_rt_sigaction, sig, &deflt, NULL, sizeof(deflt.mask));
}

/* Without stdio, which is not for a child that shares our memory. */
static ON_CHILD_STACK void put_pid(char *to)
{
	char digits[12];
	size_t n = 0;

	for (pid_t pid = getpid(); pid > 0; pid /= 10)
		digits[n++] = (char)('0' + pid % 10);
	while (n)
		*to++ = digits[--n];
	*to = '\0';
}

static ON_CHILD_STACK int child_main(void *arg)
{
	struct start *st = arg;
	const struct spawn *s = st->s;
	sigset_t none;

	default_signals();
	st->step = "die with its parent";
	if (s->parent_death) {
		if (prctl(PR_SET_PDEATHSIG, s->parent_death) < 0)
			goto failed;
		/* The parent may have died before the signal was asked for. */
		if (getppid() != st->parent)
			raise(s->parent_death);
	}
	st->step = "set up descriptors";
	if (move_fds(s) < 0 || close_others(s) < 0)
		goto failed;
	st->step = "start a session";
	if (s->new_session && setsid() < 0)
		goto failed;
	st->step = "take the controlling terminal";
	if (s->controlling_tty && ioctl(0, TIOCSCTTY, 0) < 0)
		goto failed;
	st->step = "bind to CPUs";
	if (s->cpus && sched_setaffinity(0, sizeof(*s->cpus), s->cpus) < 0)
		goto failed;
	st->step = "change priority";
	if (s->nice) {
		int now = getpriority(PRIO_PROCESS, 0);

		if (setpriority(PRIO_PROCESS, 0, now + s->nice) < 0)
			goto failed;
	}
	st->step = "enter folder";
	if (s->cwd && chdir(s->cwd) < 0)
		goto failed;
	if (s->pid_text)
		put_pid(s->pid_text);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	st->step = "execute";
	execve(s->path, s->argv, s->envp);
failed:
	st->error = errno ? errno : EINVAL;
	_exit(127);
}

static int report(const struct start *st, struct err *e)
{
	const struct spawn *s = st->s;

	if (strcmp(st->step, "enter folder") == 0)
		return err_sys(e, st->error, "enter folder %s", s->cwd);
	if (strcmp(st->step, "execute") == 0)
		return err_sys(e, st->error, "execute %s", s->path);
	return err_sys(e, st->error, "start %s: %s", s->path, st->step);
}

int spawn_start(const struct spawn *s, struct child *out, struct err *e)
{
	struct start st = { .s = s, .parent = getpid(), .step = "" };
	int pidfd = -1, flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
	sigset_t all;
	void *stack;
	pid_t pid;

	if (s->n_fds > SPAWN_MAX_FDS)
		return err_set(e, "start %s: more than %d descriptors", s->path, SPAWN_MAX_FDS);
	stack = mmap(NULL, CHILD_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return err_sys(e, errno, "start %s: memory for the child", s->path);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &st.mask);
	pid = clone(child_main, (char *)stack + CHILD_STACK, flags, &st, &pidfd);
	if (pid < 0)
		st.error = errno;
	sigprocmask(SIG_SETMASK, &st.mask, NULL);
	munmap(stack, CHILD_STACK);
	if (pid < 0)
		return err_sys(e, st.error, "start %s", s->path);
	*out = (struct child){ .pid = pid, .pidfd = pidfd };
	if (st.error) {
		struct exit_status ignored;

		child_wait(out, &ignored, NULL);
		return report(&st, e);
	}
	return 0;
}

int child_wait(struct child *c, struct exit_status *out, struct err *e)
{
	pid_t pid = c->pid;

	child_close(c);
	return exit_wait(pid, out, e);
}

int child_signal(const struct child *c, int sig, struct err *e)
{
	if (syscall(SYS_pidfd_send_signal, c->pidfd, sig, NULL, 0) < 0 && errno != ESRCH)
		return err_sys(e, errno, "signal process %d", c->pid);
	return 0;
}

void child_close(struct child *c)
{
	if (c->pidfd >= 0)
		close(c->pidfd);
	*c = CHILD_INIT;
}

int spawn_run(const struct spawn *s, struct exit_status *out, struct err *e)
{
	struct child c = CHILD_INIT;

	if (spawn_start(s, &c, e) < 0)
		return -1;
	return child_wait(&c, out, e);
}

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

char *spawn_find(const char *name, const char *path)
{
	cleanup(strv) char **dirs = NULL;

	if (strchr(name, '/'))
		return is_program(name) ? path_absolute(name) : NULL;
	dirs = str_split(path, ":");
	for (char **d = dirs; *d; d++) {
		cleanup(free) char *at = path_join(**d ? *d : ".", name);

		if (is_program(at))
			return path_absolute(at);
	}
	return NULL;
}
