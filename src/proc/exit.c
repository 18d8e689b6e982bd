/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/exit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct exit_status decode(int status)
{
	if (WIFSIGNALED(status))
		return (struct exit_status){ .code = 128 + WTERMSIG(status), .signal = WTERMSIG(status) };
	return (struct exit_status){ .code = WEXITSTATUS(status) };
}

void exit_statuses_are_kept(void)
{
	signal(SIGCHLD, SIG_DFL);
}

int exit_wait(pid_t pid, struct exit_status *out, struct err *e)
{
	int status;
	pid_t got;

	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_sys(e, errno, "wait for process %d", pid);
	*out = decode(status);
	return 0;
}

int exit_reap_any(pid_t *pid, struct exit_status *out)
{
	int status;
	pid_t got;

	do
		got = waitpid(-1, &status, WNOHANG | __WALL);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -1;
	if (got == 0)
		return 0;
	*pid = got;
	*out = decode(status);
	return 1;
}

void exit_reap_orphans(bool (*is_ours)(const void *arg, pid_t pid), const void *arg)
{
	siginfo_t si;

	for (;;) {
		si.si_pid = 0;
		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 || !si.si_pid ||
		    is_ours(arg, si.si_pid))
			return;
		waitpid(si.si_pid, NULL, WNOHANG | __WALL);
	}
}

_Noreturn void exit_like(const struct exit_status *status)
{
	if (status->signal) {
		struct rlimit none = { 0 };
		sigset_t set;

		fflush(NULL);
		setrlimit(RLIMIT_CORE, &none);
		signal(status->signal, SIG_DFL);
		sigemptyset(&set);
		sigaddset(&set, status->signal);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		raise(status->signal);
	}
	exit(status->code);
}
