/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/check.h"
#include "config/oci_conf.h"

static void test_cgroup_kind(void **state)
{
	static const struct {
		long root, unified;
		enum cgroup_kind kind;
	} cases[] = {
		{ CGROUP2_SUPER_MAGIC, 0, CGROUP_V2 },	 { TMPFS_MAGIC, CGROUP2_SUPER_MAGIC, CGROUP_HYBRID },
		{ TMPFS_MAGIC, TMPFS_MAGIC, CGROUP_V1 }, { TMPFS_MAGIC, 0, CGROUP_V1 },
		{ SYSFS_MAGIC, 0, CGROUP_NONE },	 { 0, 0, CGROUP_NONE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(cgroup_kind_of(cases[i].root, cases[i].unified), cases[i].kind);
}

static void test_subids(void **state)
{
	static const char text[] = "alice:100000:65536\nbob:165536:1000\n1001:300000:10\n# alice:1:1\nalice:1\n"
				   "alice:1:x\nalicea:1:7\nalice:400000:1";

	assert_int_equal(subid_count(text, "alice", 1001), 65547);
	assert_int_equal(subid_count(text, "alice", 7), 65537);
	assert_int_equal(subid_count(text, "bob", 1), 1000);
	assert_int_equal(subid_count(text, "carol", 2), 0);
	assert_int_equal(subid_count("", "alice", 1), 0);
}

static void test_systemd_flag(void **state)
{
	static const struct {
		const char *text;
		bool deflt, value;
	} cases[] = {
		{ "", false, false },
		{ "", true, true },
		{ "[Login]\nKillUserProcesses=yes\n", false, true },
		{ "[Login]\n  KillUserProcesses = 1  \n", false, true },
		{ "#KillUserProcesses=yes\n", false, false },
		{ "KillUserProcesses=yes\nKillUserProcesses=no\n", false, false },
		{ "KillUserProcessesX=yes\n", false, false },
		{ "KillUserProcesses=\n", true, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(systemd_flag(cases[i].text, "KillUserProcesses", cases[i].deflt), cases[i].value);
}

static void test_words(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "", "it said nothing" },
		{ "runtime: no\n", "runtime: no" },
		{ "one\ntwo\nberth-task: error: the container of /b could not be set up\n", "two" },
		{ "time=\"2026-01-01T00:00:00Z\" level=error msg=\"can't \\\"x\\\": no\"\n", "can't \"x\": no" },
		{ "berth-task: error: bundle /b: no\n", "bundle /b: no" },
		{ "berth-task: info: x\nberth-task: error: y\n\n", "y" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cleanup(free) char *words = runtime_words(cases[i].text);

		assert_string_equal(words, cases[i].words);
	}
	assert_non_null(
		strstr(runtime_advice("cgroups in hybrid mode not supported, drop all controllers from cgroupv2"),
		       "unified_cgroup_hierarchy"));
	assert_non_null(strstr(runtime_advice("mkdir `/run/user/7/crun`: Permission denied"), "enable-linger"));
	assert_null(runtime_advice("something else"));
}

/* What is quoted comes back from the reader as it was. */
static void test_quoted(void **state)
{
	static const char *const values[] = {
		"runc run %n", "sh -c 'a \"$1\"' _ %b", "a \\\\ b \\n", "x # y", "\"", "",
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		cleanup(free) char *quoted = conf_quoted(values[i]);
		cleanup(free) char *text = NULL;
		cleanup(oci_conf) struct oci_conf *conf = NULL;
		struct err e = ERR_INIT;

		assert_true(asprintf(&text, "RunTimeRun=x\nSrunArgs=%s\n", quoted) > 0);
		assert_int_equal(oci_conf_parse("t", text, strlen(text), &conf, &e), 0);
		assert_string_equal(conf->text[OCI_KEY_SRUN_ARGS], values[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cgroup_kind), cmocka_unit_test(test_subids), cmocka_unit_test(test_systemd_flag),
		cmocka_unit_test(test_words),	    cmocka_unit_test(test_quoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
