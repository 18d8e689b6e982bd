/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <limits.h>

#include "base/str.h"
#include "image/extract.h"

static void test_clean_name(void **state)
{
	static const struct {
		const char *in, *out; /* NULL: refused */
	} rows[] = {
		{ "a", "a" },
		{ "./a//b/./c/", "a/b/c" },
		{ "/etc/passwd", "etc/passwd" },
		{ "///", "" },
		{ ".", "" },
		{ "./", "" },
		{ "..a/b..", "..a/b.." },
		{ "...", "..." },
		{ "..", NULL },
		{ "a/..", NULL },
		{ "a/../b", NULL },
		{ "../x", NULL },
		{ "a b\n\xff", "a b\n\xff" },
	};
	char out[PATH_MAX];
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int r = extract_clean_name(rows[i].in, out, &e);

		check(i, (r == 0) == (rows[i].out != NULL));
		if (rows[i].out)
			check_text(i, out, rows[i].out);
	}
}

static void test_bounds(void **state)
{
	char name[PATH_MAX + 8], out[PATH_MAX];
	struct err e = ERR_INIT;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[PATH_MAX - 2] = '\0';
	assert_int_equal(extract_clean_name(name, out, &e), 0);
	assert_int_equal(strlen(out), PATH_MAX - 2);
	name[PATH_MAX - 2] = 'n';
	name[PATH_MAX - 1] = '\0';
	assert_int_equal(extract_clean_name(name, out, &e), -1);
	for (size_t i = 0; i + 1 < 514; i += 2)
		memcpy(name + i, "d/", 2);
	name[512] = '\0';
	assert_int_equal(extract_clean_name(name, out, &e), 0);
	memcpy(name + 512, "d", 2);
	assert_int_equal(extract_clean_name(name, out, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean_name),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
