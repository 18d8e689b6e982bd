/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "proc/procfs.h"

static pid_t start_child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static void test_identity(void **state)
{
	pid_t pid = start_child();
	struct proc_id id, other;
	siginfo_t ended;
	int fd;

	(void)state;
	assert_int_equal(proc_identify(pid, &id), 0);
	assert_int_equal(id.pid, pid);
	assert_true(proc_alive(&id));
	other = id;
	other.start++;
	assert_false(proc_alive(&other));
	errno = 0;
	assert_int_equal(proc_open(&other), -1);
	assert_int_equal(errno, ESRCH);
	fd = proc_open(&id);
	assert_true(fd >= 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT), 0);
	assert_false(proc_alive(&id)); /* a zombie */
	assert_int_equal(proc_open(&id), -1);
	assert_int_equal(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0), 1);
	waitpid(pid, NULL, 0);
	assert_int_equal(proc_identify(pid, &other), -1);
	assert_false(proc_alive(&id));
	assert_int_equal(proc_identify(0, &other), -1);
	assert_int_equal(proc_identify(-1, &other), -1);
	close(fd);
}

/* The name of a process may look like the fields behind it. */
static void test_hostile_name(void **state)
{
	struct proc_id before, after;

	(void)state;
	assert_int_equal(proc_identify(getpid(), &before), 0);
	prctl(PR_SET_NAME, ") Z 1 (x) Z 0");
	assert_int_equal(proc_identify(getpid(), &after), 0);
	assert_true(proc_alive(&before));
	prctl(PR_SET_NAME, "test_procfs");
	assert_int_equal(before.start, after.start);
}

static void ignore(int sig)
{
	(void)sig;
}

static void test_signal_masks(void **state)
{
	struct proc_signals s;
	sigset_t set, old;

	(void)state;
	signal(SIGUSR1, ignore);
	signal(SIGUSR2, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &old);
	assert_int_equal(proc_signals(getpid(), &s), 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	assert_true(s.caught >> (SIGUSR1 - 1) & 1);
	assert_false(s.caught >> (SIGUSR2 - 1) & 1);
	assert_true(s.ignored >> (SIGUSR2 - 1) & 1);
	assert_true(s.blocked >> (SIGHUP - 1) & 1);
	assert_int_equal(proc_signals(-1, &s), -1);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
}

static void test_boot_id(void **state)
{
	(void)state;
	assert_int_equal(strlen(proc_boot_id()), 36);
	assert_ptr_equal(proc_boot_id(), proc_boot_id());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_hostile_name),
		cmocka_unit_test(test_signal_masks),
		cmocka_unit_test(test_boot_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
