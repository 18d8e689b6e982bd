/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "engine/spec/filename.h"
#include "engine/spec/spec.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void duration(void **state)
{
	static const struct {
		const char *text;
		uint32_t seconds; /* 0: an error */
		const char *shown;
	} cases[] = {
		{ "1", 60, "1:00" },
		{ "90", 5400, "1:30:00" },
		{ "0:05", 5, "0:05" },
		{ "1:30", 90, "1:30" },
		{ "2:03:04", 7384, "2:03:04" },
		{ "100:00:00", 360000, "4-04:00:00" },
		{ "1-0", 86400, "1-00:00:00" },
		{ "1-2", 93600, "1-02:00:00" },
		{ "1-2:3", 93780, "1-02:03:00" },
		{ "1-02:03:04", 93784, "1-02:03:04" },
		{ "0-1", 3600, "1:00:00" },
		{ "0", SPEC_UNLIMITED, "UNLIMITED" },
		{ "0:00:00", SPEC_UNLIMITED, "UNLIMITED" },
		{ "UNLIMITED", SPEC_UNLIMITED, "UNLIMITED" },
		{ "infinite", SPEC_UNLIMITED, "UNLIMITED" },
		{ "-1", SPEC_UNLIMITED, "UNLIMITED" },
		{ "", 0, NULL },
		{ ":", 0, NULL },
		{ "1:", 0, NULL },
		{ ":1", 0, NULL },
		{ "1-", 0, NULL },
		{ "-2", 0, NULL },
		{ "1-2-3", 0, NULL },
		{ "1:2:3:4", 0, NULL },
		{ "1-2:3:4:5", 0, NULL },
		{ "1h", 0, NULL },
		{ " 1", 0, NULL },
		{ "1 ", 0, NULL },
		{ "+1", 0, NULL },
		{ "4294967295", 0, NULL },
		{ "4294967296", 0, NULL },
		{ "99999999999999999999", 0, NULL },
		{ "49710-7", 0, NULL },
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct err e = ERR_INIT;
		uint32_t got = 12345;
		char buf[32];
		int rc = spec_duration(cases[i].text, &got, &e);

		if (cases[i].seconds == 0) {
			assert_int_equal(rc, -1);
			assert_int_equal(got, 12345);
			assert_non_null(strstr(e.msg, cases[i].text));
			continue;
		}
		if (rc < 0)
			fail_msg("%s: %s", cases[i].text, e.msg);
		assert_int_equal(got, cases[i].seconds);
		assert_string_equal(spec_duration_text(got, buf), cases[i].shown);
	}
}

static void memory(void **state)
{
	static const struct {
		const char *text;
		int64_t mb; /* -1: an error */
	} cases[] = {
		{ "0", 0 },
		{ "100", 100 },
		{ "100M", 100 },
		{ "100m", 100 },
		{ "4G", 4096 },
		{ "4GB", 4096 },
		{ "1T", 1048576 },
		{ "1K", 1 },
		{ "1024k", 1 },
		{ "1025K", 2 },
		{ "0K", 0 },
		{ "8796093022208", 8796093022208 },
		{ "8796093022209", -1 },
		{ "8388609T", -1 },
		{ "", -1 },
		{ "G", -1 },
		{ "1.5G", -1 },
		{ "-1", -1 },
		{ "1P", -1 },
		{ "1Gi", -1 },
		{ "1GBB", -1 },
		{ "1 G", -1 },
		{ "99999999999999999999999999", -1 },
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct err e = ERR_INIT;
		uint64_t got = 77;
		int rc = spec_memory(cases[i].text, &got, &e);

		if ((rc < 0) != (cases[i].mb < 0) || (int64_t)got != (cases[i].mb < 0 ? 77 : cases[i].mb))
			fail_msg("%s: %d, %lu: %s", cases[i].text, rc, got, e.msg);
	}
}

static void counts(void **state)
{
	uint32_t n = 0;

	assert_int_equal(spec_count("4", 1, 100, &n, NULL), 0);
	assert_int_equal(n, 4);
	assert_int_equal(spec_count("4k", 1, 100000, &n, NULL), 0);
	assert_int_equal(n, 4096);
	assert_int_equal(spec_count("0", 1, 100, &n, NULL), -1);
	assert_int_equal(spec_count("101", 1, 100, &n, NULL), -1);
	assert_int_equal(spec_count("4294967295m", 1, UINT32_MAX, &n, NULL), -1);
	assert_int_equal(spec_count("4kk", 1, 100000, &n, NULL), -1);
	assert_int_equal(spec_count("", 0, 100000, &n, NULL), -1);
	assert_int_equal(n, 4096);
}

static void signals(void **state)
{
	static const struct {
		const char *text;
		int sig; /* 0: an error */
		uint32_t seconds;
		bool batch;
	} cases[] = {
		{ "USR1", 10, 60, false },
		{ "B:USR1@30", 10, 30, true },
		{ "R:10@5", 10, 5, false },
		{ "SIGTERM@0", 15, 0, false },
		{ "9@65535", 9, 65535, false },
		{ "9@65536", 0, 0, false },
		{ "", 0, 0, false },
		{ "@3", 0, 0, false },
		{ "B:", 0, 0, false },
		{ "NOPE", 0, 0, false },
		{ "USR1@", 0, 0, false },
		{ "USR1@x", 0, 0, false },
		{ "Q:USR1", 0, 0, false },
		{ "SIGAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0, 0, false },
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct spec_signal got = { .sig = -1 };
		int rc = spec_signal(cases[i].text, &got, NULL);

		assert_int_equal(rc, cases[i].sig ? 0 : -1);
		if (rc < 0) {
			assert_int_equal(got.sig, -1);
			continue;
		}
		assert_int_equal(got.sig, cases[i].sig);
		assert_int_equal(got.seconds, cases[i].seconds);
		assert_int_equal(got.batch_only, cases[i].batch);
	}
}

static void arrays(void **state)
{
	static const struct {
		const char *text;
		size_t n; /* 0: an error */
		const char *shown;
	} cases[] = {
		{ "0", 1, "0" },
		{ "1-3", 3, "1-3" },
		{ "1,2", 2, "1-2" },
		{ "0-15:4", 4, "0-12:4" },
		{ "0-15:4,20%2", 5, "0,4,8,12,20%2" },
		{ "0-3,7,5", 6, "0-3,5,7" },
		{ "3,1,2,2,1-3", 3, "1-3" },
		{ "[1-3]", 3, "1-3" },
		{ "[1-3%2]", 3, "1-3%2" },
		{ "1-3%2", 3, "1-3%2" },
		{ "5-5", 1, "5" },
		{ "1-10000", 10000, "1-10000" },
		{ "0-10000", 10001, "0-10000" },
		{ "0-10001", 0, NULL },
		{ "0-4000000:400", 10001, "0-4000000:400" },
		{ "0-4000000", 0, NULL },
		{ "4000001", 0, NULL },
		{ "0-10000,20000-20001", 0, NULL },
		{ "", 0, NULL },
		{ "[]", 0, NULL },
		{ "%2", 0, NULL },
		{ "1%", 0, NULL },
		{ "1%0", 0, NULL },
		{ "1-", 0, NULL },
		{ "-1", 0, NULL },
		{ "3-1", 0, NULL },
		{ "1:2", 0, NULL },
		{ "1-4:0", 0, NULL },
		{ "1:2-4", 0, NULL },
		{ "1,,2", 0, NULL },
		{ "1,", 0, NULL },
		{ "a", 0, NULL },
		{ "1 2", 0, NULL },
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct err e = ERR_INIT;
		struct spec_array got = { 0 };
		cleanup(free) char *text = NULL;
		int rc = spec_array(cases[i].text, &got, &e);

		if (cases[i].n == 0) {
			assert_int_equal(rc, -1);
			assert_null(got.ids);
			continue;
		}
		if (rc < 0)
			fail_msg("%s: %s", cases[i].text, e.msg);
		assert_int_equal(got.n, cases[i].n);
		text = spec_array_text(&got);
		assert_string_equal(text, cases[i].shown);
		spec_array_free(&got);
	}
}

static void jobids(void **state)
{
	static const struct {
		const char *text;
		uint32_t job; /* 0: an error */
		int64_t step;
		size_t elements;
	} cases[] = {
		{ "12", 12, SPEC_STEP_NONE, 0 },
		{ "12_3", 12, SPEC_STEP_NONE, 1 },
		{ "12_[1-3,5]", 12, SPEC_STEP_NONE, 4 },
		{ "12_*", 12, SPEC_STEP_NONE, 0 },
		{ "12.0", 12, 0, 0 },
		{ "12_3.7", 12, 7, 1 },
		{ "12.batch", 12, SPEC_STEP_BATCH, 0 },
		{ "12.extern", 12, SPEC_STEP_EXTERN, 0 },
		{ "12.interactive", 12, SPEC_STEP_INTERACTIVE, 0 },
		{ "0", 0, 0, 0 },
		{ "", 0, 0, 0 },
		{ "12.", 0, 0, 0 },
		{ "12_", 0, 0, 0 },
		{ "12.x", 0, 0, 0 },
		{ "12+1", 0, 0, 0 },
		{ "x", 0, 0, 0 },
		{ "_3", 0, 0, 0 },
		{ "4294967295", 0, 0, 0 },
		{ "12.4294967295", 0, 0, 0 },
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct spec_jobid got = { 0 };
		int rc = spec_jobid(cases[i].text, &got, NULL);

		assert_int_equal(rc, cases[i].job ? 0 : -1);
		assert_int_equal(got.job, cases[i].job);
		assert_int_equal(got.step, cases[i].step);
		assert_int_equal(got.array.n, cases[i].elements);
		spec_jobid_free(&got);
	}
}

static void dependencies(void **state)
{
	static const struct {
		const char *text;
		size_t n; /* 0: an error */
		bool any;
		struct spec_depend_item last;
	} cases[] = {
		{ "afterok:20", 1, false, { DEPEND_AFTEROK, 20, -1, 0 } },
		{ "afterok:20:21,afterany:23", 3, false, { DEPEND_AFTERANY, 23, -1, 0 } },
		{ "afterok:20:21?afternotok:23", 3, true, { DEPEND_AFTERNOTOK, 23, -1, 0 } },
		{ "after:4+10", 1, false, { DEPEND_AFTER, 4, -1, 10 } },
		{ "after:4+10:5", 2, false, { DEPEND_AFTER, 5, -1, 0 } },
		{ "aftercorr:7", 1, false, { DEPEND_AFTERCORR, 7, -1, 0 } },
		{ "afterok:12_3", 1, false, { DEPEND_AFTEROK, 12, 3, 0 } },
		{ "afterok:12_*", 1, false, { DEPEND_AFTEROK, 12, -1, 0 } },
		{ "singleton", 1, false, { DEPEND_SINGLETON, 0, -1, 0 } },
		{ "12", 1, false, { DEPEND_AFTERANY, 12, -1, 0 } },
		{ "AfterOK:1", 1, false, { DEPEND_AFTEROK, 1, -1, 0 } },
		{ "", 0, false, { 0 } },
		{ "afterok", 0, false, { 0 } },
		{ "afterok:", 0, false, { 0 } },
		{ "afterok:0", 0, false, { 0 } },
		{ "afterok:x", 0, false, { 0 } },
		{ "afterok:1,", 0, false, { 0 } },
		{ "afterok:1,afterok:2?afterok:3", 0, false, { 0 } },
		{ "afterok:1+5", 0, false, { 0 } },
		{ "singleton:3", 0, false, { 0 } },
		{ "expand:3", 0, false, { 0 } },
		{ "afterok 3", 0, false, { 0 } },
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct err e = ERR_INIT;
		struct spec_depend got = { 0 };
		const struct spec_depend_item *want = &cases[i].last, *last;
		int rc = spec_depend(cases[i].text, &got, &e);

		if (cases[i].n == 0) {
			assert_int_equal(rc, -1);
			assert_null(got.items);
			continue;
		}
		if (rc < 0)
			fail_msg("%s: %s", cases[i].text, e.msg);
		assert_int_equal(got.n, cases[i].n);
		assert_int_equal(got.any, cases[i].any);
		last = &got.items[got.n - 1];
		assert_int_equal(last->type, want->type);
		assert_int_equal(last->job, want->job);
		assert_int_equal(last->element, want->element);
		assert_int_equal(last->minutes, want->minutes);
		spec_depend_free(&got);
	}
}

/* A Wednesday; the table's times are those of UTC. */
#define NOON_20300619 1908100800

static void moments(void **state)
{
	static const struct {
		const char *text;
		const char *next, *past; /* NULL: an error */
	} cases[] = {
		{ "now", "2030-06-19T12:00:00", "2030-06-19T12:00:00" },
		{ "now+60", "2030-06-19T12:01:00", "2030-06-19T12:01:00" },
		{ "now+1hour", "2030-06-19T13:00:00", "2030-06-19T13:00:00" },
		{ "now + 2 days", "2030-06-21T12:00:00", "2030-06-21T12:00:00" },
		{ "now-1week", "2030-06-12T12:00:00", "2030-06-12T12:00:00" },
		{ "16:00", "2030-06-19T16:00:00", "2030-06-19T16:00:00" },
		{ "8:30:01", "2030-06-20T08:30:01", "2030-06-19T08:30:01" },
		{ "8:30 PM", "2030-06-19T20:30:00", "2030-06-19T20:30:00" },
		{ "12:01am", "2030-06-20T00:01:00", "2030-06-19T00:01:00" },
		{ "midnight", "2030-06-20T00:00:00", "2030-06-19T00:00:00" },
		{ "noon", "2030-06-19T12:00:00", "2030-06-19T12:00:00" },
		{ "fika", "2030-06-19T15:00:00", "2030-06-19T15:00:00" },
		{ "teatime", "2030-06-19T16:00:00", "2030-06-19T16:00:00" },
		{ "today", "2030-06-19T00:00:00", "2030-06-19T00:00:00" },
		{ "tomorrow", "2030-06-20T00:00:00", "2030-06-20T00:00:00" },
		{ "tomorrow teatime", "2030-06-20T16:00:00", "2030-06-20T16:00:00" },
		{ "2031-01-20", "2031-01-20T00:00:00", "2031-01-20T00:00:00" },
		{ "2010-01-20T12:34:00", "2010-01-20T12:34:00", "2010-01-20T12:34:00" },
		{ "2031-01-20T12:34", "2031-01-20T12:34:00", "2031-01-20T12:34:00" },
		{ "0120", "2031-01-20T00:00:00", "2030-01-20T00:00:00" },
		{ "012031", "2031-01-20T00:00:00", "2031-01-20T00:00:00" },
		{ "01/20", "2031-01-20T00:00:00", "2030-01-20T00:00:00" },
		{ "1/20/31", "2031-01-20T00:00:00", "2031-01-20T00:00:00" },
		{ "01.20.31-08:00", "2031-01-20T08:00:00", "2031-01-20T08:00:00" },
		{ "12/24 noon", "2030-12-24T12:00:00", "2030-12-24T12:00:00" },
		{ "uts=0", "1970-01-01T00:00:00", "1970-01-01T00:00:00" },
		{ "", NULL, NULL },
		{ "soon", NULL, NULL },
		{ "nowish", NULL, NULL },
		{ "now+", NULL, NULL },
		{ "now+1fortnight", NULL, NULL },
		{ "25:00", NULL, NULL },
		{ "12:60", NULL, NULL },
		{ "13:00pm", NULL, NULL },
		{ "8", NULL, NULL },
		{ "1332", NULL, NULL },
		{ "2031-13-01", NULL, NULL },
		{ "2031-01-20T", NULL, NULL },
		{ "2031-01-20Tx", NULL, NULL },
		{ "16:00 17:00", NULL, NULL },
		{ "uts=x", NULL, NULL },
		{ "99999999999999", NULL, NULL },
	};

	for (size_t i = 0; i < 2 * N(cases); i++) {
		const char *want = i % 2 ? cases[i / 2].past : cases[i / 2].next;
		time_t got = 0;
		struct tm tm;
		char text[32];
		int rc = spec_moment(cases[i / 2].text, NOON_20300619, i % 2, &got, NULL);

		assert_int_equal(rc, want ? 0 : -1);
		if (!want)
			continue;
		gmtime_r(&got, &tm);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
		assert_string_equal(text, want);
	}
}

static void exports(void **state)
{
	char *env[] = { "A=1", "B=2", "SLURM_JOB_ID=7", "PATH=/bin", NULL };
	static const struct {
		const char *text, *want; /* joined by spaces; NULL: an error */
	} cases[] = {
		{ "ALL", "A=1 B=2 SLURM_JOB_ID=7 PATH=/bin" },
		{ "all", "A=1 B=2 SLURM_JOB_ID=7 PATH=/bin" },
		{ "NONE", "SLURM_JOB_ID=7" },
		{ "NIL", "SLURM_JOB_ID=7" },
		{ "A", "SLURM_JOB_ID=7 A=1" },
		{ "A,NOSUCH,C=3", "SLURM_JOB_ID=7 A=1 C=3" },
		{ "ALL,A=9,C=3", "A=1 B=2 SLURM_JOB_ID=7 PATH=/bin C=3" },
		{ "C=,B", "SLURM_JOB_ID=7 C= B=2" },
		{ "C=\"x,y\",B", "SLURM_JOB_ID=7 C=x,y B=2" },
		{ "C='x\"y'", "SLURM_JOB_ID=7 C=x\"y" },
		{ "C='x", NULL },
		{ "", NULL },
		{ "A,,B", NULL },
		{ "=3", NULL },
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct err e = ERR_INIT;
		struct spec_export got = { 0 };
		struct strbuf b = STRBUF_INIT;
		cleanup(strv) char **result = NULL;
		int rc = spec_export(cases[i].text, &got, &e);

		assert_int_equal(rc, cases[i].want ? 0 : -1);
		if (rc < 0)
			continue;
		result = spec_export_apply(&got, env);
		for (char **v = result; *v; v++)
			strbuf_addf(&b, v == result ? "%s" : " %s", *v);
		assert_string_equal(b.data, cases[i].want);
		strbuf_free(&b);
		spec_export_free(&got);
	}
}

static void filenames(void **state)
{
	static const struct filename_vars vars = { .job = 128,
						   .array_job = 120,
						   .array_task = 8,
						   .step = "0",
						   .task = 3,
						   .node_name = "host",
						   .user = "alice",
						   .job_name = "my job" };
	static const struct {
		const char *pattern, *want;
		bool per_task;
	} cases[] = {
		{ "job%J.out", "job128.0.out", false },
		{ "job%4j.out", "job0128.out", false },
		{ "job%j-%2t.out", "job128-03.out", true },
		{ "%A_%a", "120_8", false },
		{ "%5A_%3a", "00120_008", false },
		{ "%N-%n-%u-%x", "host-0-alice-my job", false },
		{ "%9N", "host", false },
		{ "%3s", "000", false },
		{ "%99j", "0000000128", false },
		{ "100%%", "100%", false },
		{ "%%t", "%t", false },
		{ "%q %", "%q %", false },
		{ "%12", "%12", false },
		{ "a\\%j", "a%j", false },
		{ "\\\\x%t", "x%t", false },
		{ "", "", false },
		{ "plain", "plain", false },
	};
	char huge[5000];
	char *out = NULL;

	for (size_t i = 0; i < N(cases); i++) {
		cleanup(free) char *got = NULL;

		assert_int_equal(filename_expand(cases[i].pattern, &vars, &got, NULL), 0);
		assert_string_equal(got, cases[i].want);
		assert_int_equal(filename_per_task(cases[i].pattern), cases[i].per_task);
	}
	memset(huge, 'x', sizeof(huge));
	huge[sizeof(huge) - 1] = '\0';
	assert_int_equal(filename_expand(huge, &vars, &out, NULL), -1);
}

static void filenames_without_array(void **state)
{
	const struct filename_vars vars = { .job = 5, .array_task = -1, .step = "batch", .user = "u", .job_name = "n" };
	cleanup(free) char *got = NULL;

	assert_int_equal(filename_expand("%A %a %s %3s %J", &vars, &got, NULL), 0);
	assert_string_equal(got, "5 4294967294 batch batch 5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(duration),
		cmocka_unit_test(memory),
		cmocka_unit_test(counts),
		cmocka_unit_test(signals),
		cmocka_unit_test(arrays),
		cmocka_unit_test(jobids),
		cmocka_unit_test(dependencies),
		cmocka_unit_test(moments),
		cmocka_unit_test(exports),
		cmocka_unit_test(filenames),
		cmocka_unit_test(filenames_without_array),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
