/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

static int written = 41;

static void test_trim(void **state)
{
	enum { N = 64, SIZE = 100 * 1024 };
	cleanup(free) char *kept = xstrdup("kept");
	void *given[N];

	written++;
	for (int i = 0; i < N; i++)
		memset(given[i] = xcalloc(1, SIZE), i, SIZE);
	for (int i = 0; i < N; i++)
		free(given[i]);
	mem_trim();
	/* What was written is still there, and so is the code that looks. */
	assert_string_equal(kept, "kept");
	assert_int_equal(written, 42);
	mem_trim();
	assert_int_equal(written, 42);
}

static void test_strings(void **state)
{
	cleanup(free) char *part = xstrndup("half of it", 4);
	cleanup(free) char *made = xasprintf("%s %d", part, 7);

	assert_string_equal(made, "half 7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
