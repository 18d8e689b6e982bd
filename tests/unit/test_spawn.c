/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/path.h"
#include "base/str.h"
#include "proc/spawn.h"

static char *const env[] = { "PATH=/usr/bin:/bin", NULL };

static void test_status(void **state)
{
	char *const argv[] = { "sh", "-c", "exit 7", NULL };
	struct spawn s = SPAWN_INIT;
	struct exit_status st;
	struct err e = ERR_INIT;

	(void)state;
	s.path = "/bin/sh";
	s.argv = argv;
	s.envp = env;
	assert_int_equal(spawn_run(&s, &st, &e), 0);
	assert_int_equal(st.code, 7);
	assert_int_equal(st.signal, 0);
}

static void test_missing_program(void **state)
{
	char *const argv[] = { "x", NULL };
	struct spawn s = SPAWN_INIT;
	struct exit_status st;
	struct err e = ERR_INIT;

	(void)state;
	s.path = "/nonexistent/x";
	s.argv = argv;
	s.envp = env;
	assert_int_equal(spawn_run(&s, &st, &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_string_equal(e.msg, "execute /nonexistent/x: No such file or directory");
}

static void test_capture_keeps_streams_apart(void **state)
{
	char *const argv[] = { "sh", "-c", "echo out; echo err >&2; kill -TERM $$", NULL };
	struct spawn s = SPAWN_INIT;
	struct exit_status st;
	struct err e = ERR_INIT;
	char *out, *err;

	(void)state;
	s.path = "/bin/sh";
	s.argv = argv;
	s.envp = env;
	assert_int_equal(spawn_capture(&s, 100, 5000, &out, &err, &st, &e), 0);
	assert_string_equal(out, "out\n");
	assert_string_equal(err, "err\n");
	assert_int_equal(st.code, 128 + 15);
	assert_int_equal(st.signal, 15);
	free(out);
	free(err);
}

/* What a script prints as a child that was started so; *code is its exit code. */
static char *output_of(struct spawn *s, const char *script, int *code)
{
	char *const argv[] = { "sh", "-c", (char *)(size_t)script, NULL };
	struct exit_status st;
	struct err e = ERR_INIT;
	char *out = NULL;

	s->path = "/bin/sh";
	s->argv = argv;
	s->envp = env;
	if (spawn_capture(s, 100000, 20000, &out, NULL, &st, &e) < 0)
		fail_msg("%s", e.msg);
	if (code)
		*code = st.code;
	return out;
}

static void assert_output(struct spawn *s, const char *script, const char *want)
{
	cleanup(free) char *out = output_of(s, script, NULL);

	assert_string_equal(out, want);
}

static void test_failures_name_the_step(void **state)
{
	struct spawn s = SPAWN_INIT;
	struct exit_status st;
	struct err e = ERR_INIT;
	char *const argv[] = { "x", NULL };
	struct spawn_fd bad = { .from = 999, .to = 3 };
	cleanup(free) char *plain = path_join(*state, "plain");

	s.path = "/bin/true";
	s.argv = argv;
	s.envp = env;
	s.cwd = "/nonexistent";
	assert_int_equal(spawn_run(&s, &st, &e), -1);
	assert_string_equal(e.msg, "enter folder /nonexistent: No such file or directory");
	s.cwd = NULL;
	s.fds = &bad;
	s.n_fds = 1;
	assert_int_equal(spawn_run(&s, &st, &e), -1);
	assert_string_equal(e.msg, "start /bin/true: set up descriptors: Bad file descriptor");
	s.n_fds = SPAWN_MAX_FDS + 1;
	assert_int_equal(spawn_run(&s, &st, &e), -1);
	s.n_fds = 0;
	assert_int_equal(path_write_new(AT_FDCWD, plain, "x", 1, 0644, &e), 0);
	s.path = plain;
	assert_int_equal(spawn_run(&s, &st, &e), -1);
	assert_int_equal(e.code, EACCES);
	assert_true(str_starts(e.msg, "execute "));
	assert_int_equal(chmod(plain, 0755), 0);
	assert_int_equal(spawn_run(&s, &st, &e), -1);
	assert_int_equal(e.code, ENOEXEC);
	/* Nothing is left to reap. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* Sources and targets overlap and cross; a target may be higher than every source. */
static void test_descriptors(void **state)
{
	cleanup(close) int a = -1;
	cleanup(close) int b = -1;
	cleanup(close) int leaked = open("/dev/null", O_RDONLY);
	cleanup(free) char *file_a = path_join(*state, "fa");
	cleanup(free) char *file_b = path_join(*state, "fb");
	struct spawn s = SPAWN_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(path_write_new(AT_FDCWD, file_a, "A", 1, 0600, &e), 0);
	assert_int_equal(path_write_new(AT_FDCWD, file_b, "B", 1, 0600, &e), 0);
	a = open(file_a, O_RDONLY | O_CLOEXEC);
	b = open(file_b, O_RDONLY | O_CLOEXEC);
	{
		struct spawn_fd swap[] = { { a, b }, { b, a }, { a, 60 }, { b, 20 }, { a, 19 } };
		static const char script[] =
			"for n in %d %d 60 20 19; do head -c1 /proc/self/fd/$n; done; "
			"for n in $(seq 0 99); do test ! -e /proc/$$/fd/$n || printf ' %%s' $n; done";
		char text[256], want[128];
		int lo = a < b ? a : b, hi = a < b ? b : a;

		s.fds = swap;
		s.n_fds = COUNT(swap);
		snprintf(text, sizeof(text), script, b, a);
		snprintf(want, sizeof(want), "ABABA 0 1 2 %d %d 19 20 60", lo, hi);
		if (lo > 3 && hi < 10)
			assert_output(&s, text, want);
	}
	s.n_fds = 0;
	assert_output(&s, "for n in $(seq 0 99); do test ! -e /proc/$$/fd/$n || printf ' %s' $n; done", " 0 1 2");
}

static void test_surroundings(void **state)
{
	struct spawn s = SPAWN_INIT;
	sigset_t set, old;
	cpu_set_t cpus;

	assert_output(&s, "echo $PATH; env | wc -l", "/usr/bin:/bin\n2\n"); /* PWD is the shell's own */
	s.cwd = *state;
	{
		cleanup(free) char *out = output_of(&s, "pwd", NULL);

		assert_int_equal(strlen(out), strlen(*state) + 1);
	}
	s.cwd = NULL;
	/* Signals are as new whatever they are here. */
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, &old);
	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	assert_output(&s, "grep -E '^Sig(Blk|Ign)' /proc/self/status | tr '\\n' ' '",
		      "SigBlk:\t0000000000000000 SigIgn:\t0000000000000000 ");
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	s.new_session = true;
	assert_output(&s, "set -- $(cat /proc/$$/stat); test $6 = $$ && echo leader", "leader\n");
	s.new_session = false;
	s.nice = 3;
	assert_output(&s, "echo $(($(nice) - $(cut -d' ' -f19 /proc/$PPID/stat)))", "3\n");
	s.nice = 0;
	CPU_ZERO(&cpus);
	assert_int_equal(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &cpus)) {
			CPU_ZERO(&cpus);
			CPU_SET(cpu, &cpus);
			break;
		}
	}
	s.cpus = &cpus;
	assert_output(&s, "nproc", "1\n");
}

static void test_parent_death(void **state)
{
	char *const argv[] = { "sleep", "100", NULL };
	struct spawn s = SPAWN_INIT;
	struct child c = CHILD_INIT;
	struct err e = ERR_INIT;
	int p[2];
	pid_t parent;
	char x;

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	parent = fork();
	if (parent == 0) {
		s.path = "/bin/sleep";
		s.argv = argv;
		s.envp = env;
		s.parent_death = SIGKILL;
		s.stdio[1] = p[1];
		_exit(spawn_start(&s, &c, &e) < 0);
	}
	close(p[1]);
	assert_int_equal(read(p[0], &x, 1), 0);
	close(p[0]);
	waitpid(parent, NULL, 0);
}

static void test_capture_limits(void **state)
{
	static const struct {
		const char *script;
		size_t max;
		int timeout_ms;
		const char *said; /* NULL: the text comes */
	} rows[] = {
		{ "printf 12345", 5, 0, NULL },
		{ "printf 123456", 5, 0, "it says more than 5 bytes" },
		{ "printf 123456 >&2", 5, 0, "it says more than 5 bytes" },
		{ "cat /dev/zero", 100000, 0, "it says more than 100000 bytes" },
		{ "sleep 100", 5, 50, "it took longer than 50 ms" },
		{ "exec >&- 2>&-; sleep 100", 5, 50, "it took longer than 50 ms" },
		{ "cat; printf x", 5, 5000, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *const argv[] = { "sh", "-c", (char *)(size_t)rows[i].script, NULL };
		struct spawn s = SPAWN_INIT;
		struct exit_status st = { 0 };
		struct err e = ERR_INIT;
		char *out = NULL, *err = NULL;
		int r;

		s.path = "/bin/sh";
		s.argv = argv;
		s.envp = env;
		r = spawn_capture(&s, rows[i].max, rows[i].timeout_ms, &out, &err, &st, &e);
		check(i, r == (rows[i].said ? -1 : 0));
		if (rows[i].said)
			check(i, str_ends(e.msg, rows[i].said));
		check(i, !out == (r < 0));
		free(out);
		free(err);
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_child_signal(void **state)
{
	char *const argv[] = { "sleep", "100", NULL };
	struct spawn s = SPAWN_INIT;
	struct child c = CHILD_INIT;
	struct exit_status st;
	struct err e = ERR_INIT;
	siginfo_t ended;

	(void)state;
	s.path = "/bin/sleep";
	s.argv = argv;
	s.envp = env;
	assert_int_equal(spawn_start(&s, &c, &e), 0);
	assert_int_equal(fcntl(c.pidfd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(child_signal(&c, SIGTERM, &e), 0);
	assert_int_equal(waitid(P_PID, (id_t)c.pid, &ended, WEXITED | WNOWAIT), 0);
	assert_int_equal(child_signal(&c, SIGTERM, &e), 0);
	assert_int_equal(child_wait(&c, &st, &e), 0);
	assert_int_equal(st.signal, SIGTERM);
	assert_int_equal(c.pid, 0);
	assert_int_equal(c.pidfd, -1);
	child_close(&c);
	assert_int_equal(exit_wait(getpid(), &st, &e), -1);
}

static void test_find(void **state)
{
	cleanup(free) char *dir = path_join(*state, "bin");
	cleanup(free) char *tool = path_join(*state, "bin/tool");
	cleanup(free) char *folder = path_join(*state, "bin/folder");
	cleanup(free) char *closed = path_join(*state, "bin/closed");
	char search[512];
	struct err e = ERR_INIT;
	const struct {
		const char *name;
		const char *path, *want;
	} rows[] = {
		{ "tool", search, tool },   { "closed", search, NULL },
		{ "folder", search, NULL }, { "none", search, NULL },
		{ tool, NULL, tool },	    { "tool", NULL, NULL },
		{ "tool", "", NULL },	    { closed, search, NULL },
		{ "", search, NULL },	    { "sh", "/nonexistent:/bin", "/bin/sh" },
	};

	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(mkdir(folder, 0755), 0);
	assert_int_equal(path_write_new(AT_FDCWD, tool, "", 0, 0755, &e), 0);
	assert_int_equal(path_write_new(AT_FDCWD, closed, "", 0, 0644, &e), 0);
	snprintf(search, sizeof(search), "/nonexistent::%s", dir);
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup(free) char *got = spawn_find(rows[i].name, rows[i].path);

		check_text(i, got, rows[i].want);
	}
}

/* What exit_like does to a process of its own: this program again, which ends as it is told. */
static _Noreturn void end_like(char **argv)
{
	const struct exit_status how = { .code = atoi(argv[2]), .signal = atoi(argv[3]) };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal(SIGSEGV, SIG_IGN);
	exit_like(&how);
}

static void test_exit_like(void **state)
{
	static const struct exit_status rows[] = {
		{ .code = 0 },
		{ .code = 7 },
		{ .code = 128 + SIGTERM, .signal = SIGTERM },
		{ .code = 128 + SIGSEGV, .signal = SIGSEGV },
		{ .code = 128 + SIGKILL, .signal = SIGKILL },
		{ .code = 128 + 40, .signal = 40 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char code[16], sig[16];
		char *const argv[] = { "test_spawn", "exit-like", code, sig, NULL };
		struct spawn s = SPAWN_INIT;
		struct exit_status st;
		struct err e = ERR_INIT;

		snprintf(code, sizeof(code), "%d", rows[i].code);
		snprintf(sig, sizeof(sig), "%d", rows[i].signal);
		s.path = "/proc/self/exe";
		s.argv = argv;
		s.envp = environ;
		check(i, spawn_run(&s, &st, &e) == 0);
		check(i, st.code == rows[i].code && st.signal == rows[i].signal);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_missing_program),
		cmocka_unit_test(test_capture_keeps_streams_apart),
		cmocka_unit_test(test_failures_name_the_step),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_surroundings),
		cmocka_unit_test(test_parent_death),
		cmocka_unit_test(test_capture_limits),
		cmocka_unit_test(test_child_signal),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_exit_like),
	};

	if (argc == 4 && strcmp(argv[1], "exit-like") == 0)
		end_like(argv);
	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
