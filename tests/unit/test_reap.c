/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "proc/procfs.h"
#include "proc/spawn.h"

static void shell(const char *script, const char *mark, struct child *c, int out)
{
	char *const argv[] = { "sh", "-c", (char *)(size_t)script, NULL };
	char *const env[] = { "PATH=/usr/bin:/bin", (char *)(size_t)mark, NULL };
	struct spawn s = SPAWN_INIT;
	struct err e = ERR_INIT;

	s.path = "/bin/sh";
	s.argv = argv;
	s.envp = env;
	s.stdio[1] = out;
	if (spawn_start(&s, c, &e) < 0)
		fail_msg("%s", e.msg);
}

/* Waits until SCRIPT's processes have said N bytes. */
static void wait_bytes(int fd, size_t n)
{
	char c;

	while (n--)
		assert_int_equal(read(fd, &c, 1), 1);
}

/* Every writer is gone when the pipe is at its end. */
static void assert_all_gone(int fd)
{
	char c;

	assert_int_equal(read(fd, &c, 1), 0);
}

static void test_descendants(void **state)
{
	/* A child, its child, one that left its session with its parent gone, one that ignores TERM and one stopped. */
	static const char script[] = "(printf 1; exec sleep 100) & (setsid sh -c 'printf 2; sleep 100' &) & "
				     "(trap '' TERM HUP INT; printf 3; sleep 100; sleep 100) & "
				     "(printf 4; kill -STOP $(sh -c 'echo $PPID')) & printf 5; wait";
	struct child c = CHILD_INIT;
	struct err e = ERR_INIT;
	int p[2];

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(reap_become_subreaper(&e), 0);
	shell(script, NULL, &c, p[1]);
	close(p[1]);
	wait_bytes(p[0], 5);
	assert_int_equal(reap_kill_descendants(0, 5000, &e), 0);
	assert_all_gone(p[0]);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	child_close(&c);
	close(p[0]);
}

static void test_none(void **state)
{
	struct err e = ERR_INIT;
	int64_t start = clock_ms();

	(void)state;
	assert_int_equal(reap_kill_descendants(0, 5000, &e), 0);
	assert_true(clock_ms() - start < 100);
}

static void test_except(void **state)
{
	struct child keep = CHILD_INIT, end = CHILD_INIT;
	struct err e = ERR_INIT;
	struct proc_id id;
	int p[2], q[2];

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(pipe2(q, O_CLOEXEC), 0);
	shell("sleep 100 & printf 1; wait", NULL, &keep, p[1]);
	shell("sleep 100 & printf 1; wait", NULL, &end, q[1]);
	close(p[1]);
	close(q[1]);
	wait_bytes(p[0], 1);
	wait_bytes(q[0], 1);
	assert_int_equal(proc_identify(keep.pid, &id), 0);
	assert_int_equal(reap_kill_descendants(keep.pid, 5000, &e), 0);
	assert_all_gone(q[0]);
	assert_true(proc_alive(&id));
	assert_int_equal(reap_kill_descendants(0, 5000, &e), 0);
	assert_all_gone(p[0]);
	child_close(&keep);
	child_close(&end);
	close(p[0]);
	close(q[0]);
}

/* One that forks as fast as it can does not get away. */
static void test_fork_storm(void **state)
{
	struct child c = CHILD_INIT;
	struct err e = ERR_INIT;
	int p[2];

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	shell("f() { (printf x; setsid sleep 50 & f) & }; for i in 1 2 3; do f; done; while :; do sleep 0.01; done",
	      NULL, &c, p[1]);
	close(p[1]);
	wait_bytes(p[0], 20);
	assert_int_equal(reap_kill_descendants(0, 20000, &e), 0);
	while (read(p[0], &(char){ 0 }, 1) == 1)
		;
	child_close(&c);
	close(p[0]);
}

static void test_marked(void **state)
{
	struct child marked = CHILD_INIT, other = CHILD_INIT;
	struct exit_status st;
	struct err e = ERR_INIT;
	char mark[64], longer[80];
	int p[2], q[2];

	(void)state;
	snprintf(mark, sizeof(mark), "UNIT_MARK=%d", getpid());
	snprintf(longer, sizeof(longer), "%sx", mark);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(pipe2(q, O_CLOEXEC), 0);
	shell("(setsid sleep 100 &) ; sleep 100 & printf 1; wait", mark, &marked, p[1]);
	shell("printf 1; exec sleep 100", longer, &other, q[1]);
	close(p[1]);
	close(q[1]);
	wait_bytes(p[0], 1);
	wait_bytes(q[0], 1);
	assert_true(reap_kill_marked(mark, &e) > 0);
	assert_all_gone(p[0]);
	assert_int_equal(child_wait(&marked, &st, &e), 0);
	assert_int_equal(st.signal, SIGKILL);
	assert_int_equal(reap_kill_marked(mark, &e), 0);
	assert_true(reap_kill_marked(longer, &e) > 0);
	assert_int_equal(child_wait(&other, &st, &e), 0);
	assert_int_equal(reap_kill_descendants(0, 5000, &e), 0);
	close(p[0]);
	close(q[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descendants), cmocka_unit_test(test_none),   cmocka_unit_test(test_except),
		cmocka_unit_test(test_fork_storm),  cmocka_unit_test(test_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
