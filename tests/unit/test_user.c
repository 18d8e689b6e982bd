/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "proc/user.h"

static void test_parse(void **state)
{
	static const struct {
		const char *line;
		bool good;
		uid_t uid;
		gid_t gid;
		const char *name, *home, *shell;
	} rows[] = {
		{ "a:x:1:2:Some One,,,:/home/a:/bin/sh", true, 1, 2, "a", "/home/a", "/bin/sh" },
		{ "a::4294967295:0:::", true, UINT32_MAX, 0, "a", "", "" },
		{ "ä b:x:1:2::/:/x y", true, 1, 2, "ä b", "/", "/x y" },
		{ "", false, 0, 0, NULL, NULL, NULL },
		{ "a:x:1:2::/", false, 0, 0, NULL, NULL, NULL },
		{ "a:x:1:2::/:/sh:", false, 0, 0, NULL, NULL, NULL },
		{ ":x:1:2::/:/sh", false, 0, 0, NULL, NULL, NULL },
		{ "a:x:-1:2::/:/sh", false, 0, 0, NULL, NULL, NULL },
		{ "a:x:1:4294967296::/:/sh", false, 0, 0, NULL, NULL, NULL },
		{ "a:x::2::/:/sh", false, 0, 0, NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct user u = { 0 };
		struct err e = ERR_INIT;

		check(i, (user_parse(rows[i].line, &u, &e) == 0) == rows[i].good);
		if (rows[i].good) {
			check(i, u.uid == rows[i].uid && u.gid == rows[i].gid);
			check_text(i, u.name, rows[i].name);
			check_text(i, u.home, rows[i].home);
			check_text(i, u.shell, rows[i].shell);
			check_text(i, u.line, rows[i].line);
		}
		user_free(&u);
	}
}

static void test_lookup(void **state)
{
	struct user u = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(user_by_uid(0, &u, &e), 0);
	assert_string_equal(u.name, "root");
	user_free(&u);
	assert_int_equal(user_by_name("root", &u, &e), 0);
	assert_int_equal(u.uid, 0);
	user_free(&u);
	assert_int_equal(user_by_name("no such user", &u, &e), -1);
	assert_int_equal(user_by_name("-h", &u, &e), -1);
	assert_int_equal(user_by_uid(4000000000U, &u, &e), -1);
	assert_non_null(strstr(e.msg, "4000000000"));
}

static void test_groups(void **state)
{
	static const gid_t gids[] = { 0, 4000000000U };
	cleanup(strv) char **lines = user_group_lines(gids, COUNT(gids));
	cleanup(strv) char **own = user_own_group_lines();

	(void)state;
	assert_int_equal(strv_len(lines), 1);
	assert_true(str_starts(lines[0], "root:"));
	assert_true(strv_len(own) <= 65537);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
