/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>

#include "base/err.h"

static char long_text[3000];

static void test_set(void **state)
{
	struct err e = { .code = 5 };

	(void)state;
	assert_int_equal(err_set(&e, "%s is %d", "x", 3), -1);
	assert_string_equal(e.msg, "x is 3");
	assert_int_equal(e.code, 0);
	assert_int_equal(err_set(NULL, "x"), -1);
	assert_int_equal(err_sys(NULL, EIO, "x"), -1);
	assert_int_equal(err_wrap(NULL, "x"), -1);
	assert_int_equal(err_hint(NULL, "x"), -1);
}

static void test_layers(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(err_sys(&e, ENOENT, "open %s", "config.json"), -1);
	assert_int_equal(err_wrap(&e, "bundle %s", "/b"), -1);
	assert_int_equal(err_hint(&e, "try %d", 1), -1);
	assert_string_equal(e.msg, "bundle /b: open config.json: No such file or directory; try 1");
	assert_int_equal(e.code, ENOENT);
}

/* Whatever is too long ends in "..." and stays inside. */
static void test_cut(void **state)
{
	static int (*const fns[])(struct err *, const char *, ...) = { err_set, err_wrap, err_hint };
	struct {
		struct err e;
		char guard;
	} g;

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	for (size_t start = 0; start < sizeof(g.e.msg); start++) {
		for (size_t i = 0; i < COUNT(fns); i++) {
			g.guard = 'g';
			err_set(&g.e, "%.*s", (int)start, long_text);
			fns[i](&g.e, "%.*s", i == 0 ? 2000 : 700, long_text);
			check(start, g.guard == 'g');
			check(start, strlen(g.e.msg) < sizeof(g.e.msg));
			if (i == 0 || start + 702 >= sizeof(g.e.msg))
				check_text(start, g.e.msg + strlen(g.e.msg) - 3, "...");
		}
		err_sys(&g.e, ENOENT, "%.*s", (int)start, long_text);
		check(start, g.guard == 'g');
		check(start, strlen(g.e.msg) < sizeof(g.e.msg));
	}
	err_set(&g.e, "%s", long_text);
	assert_int_equal(strlen(g.e.msg), sizeof(g.e.msg) - 1);
	assert_string_equal(g.e.msg + sizeof(g.e.msg) - 5, "x...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
