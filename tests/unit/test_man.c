/* SPDX-License-Identifier: Apache-2.0 */
/* oci.conf(5) has the keys of the key table, and no others. */
#include "unit.h"

#include <fcntl.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/str.h"
#include "config/oci_conf.h"

static void read_page(char ***lines)
{
	cleanup(free) char *text = NULL;
	struct err e = ERR_INIT;

	if (path_read_file(AT_FDCWD, TEST_DATA "/../../doc/man/oci.conf.5.scd", 1 << 20, &text, NULL, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	*lines = str_split(text, "\n");
}

/* The names that a line such as "*FileDebug*, *StdIODebug*" defines, the explanation standing indented below it. */
static void add_keys(const char *line, char ***keys)
{
	for (const char *end; *line == '*' && (end = strchr(line + 1, '*')); line = end + 1 + strspn(end + 1, ", "))
		strv_push_own(keys, strndup(line + 1, (size_t)(end - line - 1)));
}

static void keys_of_page(char ***keys)
{
	cleanup(strv) char **lines = NULL;
	bool inside = false;

	read_page(&lines);
	for (char **l = lines; *l; l++) {
		if (str_starts(*l, "# "))
			inside = strcmp(*l, "# KEYS") == 0;
		else if (inside && l[1] && l[1][0] == '\t')
			add_keys(*l, keys);
	}
}

static void test_keys(void **state)
{
	cleanup(strv) char **documented = NULL;
	size_t n = 0;

	(void)state;
	keys_of_page(&documented);
	for (unsigned k = 0; k < OCI_KEY_COUNT; k++)
		if (!strv_has(documented, oci_key_name((enum oci_key)k)))
			fail_msg("%s is not in oci.conf(5)", oci_key_name((enum oci_key)k));
	for (char **d = documented; *d; d++) {
		bool known = false;

		for (unsigned k = 0; k < OCI_KEY_COUNT; k++)
			known = known || strcmp(*d, oci_key_name((enum oci_key)k)) == 0;
		if (!known)
			fail_msg("'%s' of oci.conf(5) is no key", *d);
		n++;
	}
	assert_int_equal(n, OCI_KEY_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_keys) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
