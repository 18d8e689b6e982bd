/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_missing_program),
		cmocka_unit_test(test_capture_keeps_streams_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
