/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/local/cpus.h"
#include "engine/local/queue.h"

static cpu_set_t set_of(const char *text)
{
	struct err e = ERR_INIT;
	cpu_set_t set;

	if (cpus_parse(text, &set, &e) < 0)
		fail_msg("%s", e.msg);
	return set;
}

static void assert_set(const cpu_set_t *set, const char *want)
{
	char *text = cpus_format(set);

	assert_string_equal(text, want);
	free(text);
}

static void test_lists(void **state)
{
	static const struct {
		const char *text, *back; /* NULL: refused */
	} cases[] = {
		{ "0", "0" },		{ "0-3", "0-3" },   { "3,1,0", "0-1,3" }, { "1-2,2-4", "1-4" },
		{ "7,9-11", "7,9-11" }, { "1023", "1023" }, { "1024", NULL },	  { "3-1", NULL },
		{ "a", NULL },		{ "1,,2", NULL },   { "-1", NULL },	  { "1-", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cpu_set_t set;

		if (cpus_parse(cases[i].text, &set, NULL) == 0) {
			assert_non_null(cases[i].back);
			assert_set(&set, cases[i].back);
		} else {
			assert_null(cases[i].back);
		}
	}
}

static void test_take(void **state)
{
	cpu_set_t from = set_of("1,3-5"), out;

	(void)state;
	assert_int_equal(cpus_take(&from, 5, &out), -1);
	assert_set(&from, "1,3-5");
	assert_int_equal(cpus_take(&from, 2, &out), 0);
	assert_set(&out, "1,3");
	assert_set(&from, "4-5");
}

static void test_share(void **state)
{
	static const struct {
		const char *set;
		uint32_t index, count;
		const char *want;
	} cases[] = {
		{ "0-3", 0, 1, "0-3" }, { "0-3", 0, 2, "0-1" }, { "0-3", 1, 2, "2-3" }, { "0-4", 1, 2, "2-3" },
		{ "0-2", 2, 3, "2" },	{ "0-1", 2, 4, "0" },	{ "0-1", 3, 4, "1" },	{ "5", 7, 8, "5" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cpu_set_t set = set_of(cases[i].set), out;

		cpus_share(&set, cases[i].index, cases[i].count, &out);
		assert_set(&out, cases[i].want);
	}
}

static void test_pool(void **state)
{
	struct pool p = { .all = set_of("0-3"), .free = set_of("0-3"), .mem = 100 };
	struct job a, b, c;

	(void)state;
	job_init(&a);
	job_init(&b);
	job_init(&c);
	a.cpus = 3;
	a.mem = 60;
	assert_true(pool_take(&p, &a));
	assert_string_equal(a.cpu_list, "0-2");
	b.cpus = 2;
	assert_false(pool_take(&p, &b)); /* CPUs */
	b.cpus = 1;
	b.mem = 41;
	assert_false(pool_take(&p, &b)); /* memory */
	b.mem = 40;
	b.exclusive = true;
	assert_false(pool_take(&p, &b)); /* not alone */
	b.exclusive = false;
	assert_true(pool_take(&p, &b));
	assert_string_equal(b.cpu_list, "3");
	/* The same again from the records. */
	p = (struct pool){ .all = set_of("0-3"), .free = set_of("0-3"), .mem = 100 };
	pool_use(&p, &a);
	assert_set(&p.free, "3");
	assert_int_equal(p.mem, 40);
	pool_use(&p, &a); /* what is not there is not taken twice */
	assert_set(&p.free, "3");
	pool_use(&p, &b);
	c.cpus = 1;
	assert_false(pool_take(&p, &c));
	p = (struct pool){ .all = set_of("0-3"), .free = set_of("0-3"), .near = 3 };
	assert_true(pool_take(&p, &c));
	assert_string_equal(c.cpu_list, "2");
	job_free(&a);
	job_free(&b);
	job_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
