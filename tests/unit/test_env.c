/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/env.h"
#include "base/str.h"

static void test_set_and_get(void **state)
{
	char **env = NULL;

	(void)state;
	assert_null(env_get(NULL, "A"));
	env_set(&env, "A", "1");
	env_set(&env, "AB", "2");
	env_put(&env, "EMPTY=");
	env_put(&env, "EQ=a=b");
	env_setf(&env, "N", "%d", 7);
	assert_string_equal(env_get(env, "A"), "1");
	assert_string_equal(env_get(env, "AB"), "2");
	assert_string_equal(env_get(env, "EMPTY"), "");
	assert_string_equal(env_get(env, "EQ"), "a=b");
	assert_string_equal(env_get(env, "N"), "7");
	assert_null(env_get(env, "B"));
	assert_null(env_get(env, ""));
	env_set(&env, "A", "3");
	env_put(&env, "AB=4=5");
	assert_int_equal(strv_len(env), 5);
	assert_string_equal(env_get(env, "A"), "3");
	assert_string_equal(env_get(env, "AB"), "4=5");
	/* No name, or none at all: ignored. */
	env_put(&env, "novalue");
	env_put(&env, "=x");
	env_put(&env, "");
	assert_int_equal(strv_len(env), 5);
	strv_free(env);
}

static bool is_short(const char *entry, void *arg)
{
	++*(int *)arg;
	return env_name_len(entry) == 1;
}

static void test_remove(void **state)
{
	char **env = NULL;
	int calls = 0;

	(void)state;
	env_unset(&env, "A");
	assert_null(env);
	env_remove_if(&env, is_short, &calls);
	assert_int_equal(calls, 0);
	for (int i = 0; i < 40; i++)
		env_put(&env, i % 2 ? "A=1" : "BB=2");
	strv_push(&env, "A=second"); /* a doubled one, as an environment may hold */
	assert_int_equal(strv_len(env), 3);
	env_unset(&env, "A");
	assert_int_equal(strv_len(env), 1);
	assert_null(env_get(env, "A"));
	env_set(&env, "C", "1");
	env_remove_if(&env, is_short, &calls);
	assert_int_equal(calls, 2);
	assert_int_equal(strv_len(env), 1);
	env_unset(&env, "BB");
	assert_int_equal(strv_len(env), 0);
	assert_non_null(env);
	env_set(&env, "A", "1");
	assert_string_equal(env_get(env, "A"), "1");
	strv_free(env);
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(env_name_len("AB=1=2"), 2);
	assert_int_equal(env_name_len("=1"), 0);
	assert_int_equal(env_name_len("AB"), 0);
	assert_true(env_entry_is("AB=", "AB"));
	assert_false(env_entry_is("ABC=", "AB"));
	assert_false(env_entry_is("AB", "AB"));
	assert_false(env_entry_is("A=1", "AB"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_and_get),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
