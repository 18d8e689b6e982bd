/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "oci/runtime.h"

static void test_console_socket(void **state)
{
	static const struct {
		const char *command, *with; /* NULL: refused */
	} rows[] = {
		{ "crun create c", "crun create --console-socket=/s c" },
		{ "crun --root=/r create --bundle b c", "crun --root=/r create --console-socket=/s --bundle b c" },
		{ "create create create", "create create --console-socket=/s create" },
		{ "crun run c", NULL },
		{ "create", NULL },
		{ "sh -c script", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char **argv = str_split(rows[i].command, " ");
		cleanup(free) char *got = NULL;
		struct err e = ERR_INIT;
		int r = runtime_add_console_socket(&argv, "/s", &e);

		check(i, (r == 0) == (rows[i].with != NULL));
		got = strv_quoted(argv);
		check_text(i, got, rows[i].with ? rows[i].with : rows[i].command);
		strv_free(argv);
	}
}

static void test_start(void **state)
{
	char *const env[] = { NULL };
	char *const good[] = { "sh", "-c", "exit 7", NULL }, *const bad[] = { "no-such-runtime", NULL };
	struct child c = CHILD_INIT;
	struct exit_status st;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(runtime_start(OCI_OP_RUN, good, env, true, &c, &e), 0);
	assert_int_equal(child_wait(&c, &st, &e), 0);
	assert_int_equal(st.code, 7);
	assert_int_equal(runtime_start(OCI_OP_CREATE, bad, env, false, &c, &e), -1);
	assert_non_null(strstr(e.msg, "RunTimeCreate"));
	assert_non_null(strstr(e.msg, "no-such-runtime"));
}

static void test_query(void **state)
{
	static const struct {
		const char *said;
		enum runtime_status status;
		pid_t pid;
	} rows[] = {
		{ "echo '{\"status\":\"created\",\"pid\":12}'", RUNTIME_CREATED, 12 },
		{ "echo '{\"status\":\"creating\"}'", RUNTIME_CREATING, 0 },
		{ "echo '{\"status\":\"running\",\"pid\":1}'", RUNTIME_RUNNING, 1 },
		{ "echo '{\"status\":\"paused\",\"pid\":1}'", RUNTIME_PAUSED, 1 },
		{ "echo '{\"status\":\"stopped\",\"pid\":0}'", RUNTIME_STOPPED, 0 },
		{ "echo '{\"status\":\"dancing\",\"pid\":3}'", RUNTIME_UNKNOWN, 3 },
		{ "echo '{\"status\":5}'", RUNTIME_UNKNOWN, 0 },
		{ "echo '{\"status\":\"running\",\"pid\":-4}'", RUNTIME_UNKNOWN, 0 },
		{ "echo '{'", RUNTIME_UNKNOWN, 0 },
		{ ":", RUNTIME_UNKNOWN, 0 },
		{ "echo '{\"status\":\"running\",\"pid\":1}'; exit 1", RUNTIME_UNKNOWN, 0 },
		{ "echo '{\"status\":\"running\"}'; sleep 10", RUNTIME_UNKNOWN, 0 },
		{ "yes", RUNTIME_UNKNOWN, 0 },
	};
	char *const env[] = { "PATH=/usr/bin:/bin", NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *const argv[] = { "sh", "-c", (char *)(size_t)rows[i].said, NULL };
		struct runtime_state s = runtime_query(argv, env, 2000);

		check(i, s.status == rows[i].status);
		check(i, s.pid == rows[i].pid);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_console_socket),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_query),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
