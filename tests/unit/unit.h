/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TESTS_UNIT_H
#define BERTH_TESTS_UNIT_H

/* cmocka with the headers that it wants before it, and what many tests need. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* A check inside a table of cases: says which row it was. */
#define check(row, condition)                                                                      \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("%s:%d: row %d: %s", __FILE__, __LINE__, (int)(row), #condition); \
	} while (0)

#define check_text(row, got, want)                                                                       \
	do {                                                                                             \
		const char *got_ = (got), *want_ = (want);                                               \
		if (!got_ != !want_ || (got_ && strcmp(got_, want_) != 0))                               \
			fail_msg("%s:%d: row %d: \"%s\", wanted \"%s\"", __FILE__, __LINE__, (int)(row), \
				 got_ ? got_ : "NULL", want_ ? want_ : "NULL");                          \
	} while (0)

/* A scratch folder for a whole group of tests: setup and teardown; *state is its path. */
static inline int scratch_setup(void **state)
{
	char *dir = strdup("/tmp/berth-unit-XXXXXX");

	*state = dir ? mkdtemp(dir) : NULL;
	return *state ? 0 : -1;
}

static inline int scratch_teardown(void **state)
{
	char cmd[256];
	int r;

	snprintf(cmd, sizeof(cmd), "chmod -R u+rwx '%s' 2>/dev/null; rm -rf '%s'", (char *)*state, (char *)*state);
	r = system(cmd); /* NOLINT(cert-env33-c): not by the code under test */
	free(*state);
	return r == 0 ? 0 : -1;
}

#endif
