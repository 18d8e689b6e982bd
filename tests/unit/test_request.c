/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "task/request.h"

/* Text literals whose NUL bytes count: '|' stands for one. */
static char *records(const char *text, size_t *len)
{
	char *s = strdup(text);

	assert_non_null(s);
	*len = strlen(s);
	for (size_t i = 0; i < *len; i++)
		if (s[i] == '|')
			s[i] = '\0';
	return s;
}

#define REQUIRED "bundle=b|chdir=/|job=1|step=2|task=3|node=n|spool=/s|"

static void test_errors(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "", "request: it is cut off" },
		{ "x", "request: record 1 is cut off" },
		{ "berth-request=2|end=1|", "request: 'berth-request=2' is no request of version 1" },
		{ "berth-request=1|end=1|", "request: bundle= is missing" },
		{ "berth-request=1|" REQUIRED, "request: it is cut off" },
		{ "berth-request=1|" REQUIRED "end=1", "request: record 9 is cut off" },
		{ "berth-request=1|" REQUIRED "end=1|x", "request: 1 bytes follow its end" },
		{ "berth-request=1|" REQUIRED "end=2|", "request: record 9: unknown record 'end=2'" },
		{ "berth-request=1|" REQUIRED "|end=1|", "request: record 9: unknown record ''" },
		{ "berth-request=1|" REQUIRED "nokey|end=1|", "request: record 9: unknown record 'nokey'" },
		{ "berth-request=1|" REQUIRED "bundle=c|end=1|", "request: record 9: bundle= stands twice" },
		{ "berth-request=1|" REQUIRED "config=|end=1|", "request: record 9: config= is empty" },
		{ "berth-request=1|" REQUIRED "config=x|end=1|", "request: record 9: config=x: not an absolute path" },
		{ "berth-request=1|" REQUIRED "mark=x|end=1|", "request: record 9: mark=x: expected NAME=value" },
		{ "berth-request=1|" REQUIRED "env==x|end=1|", "request: record 9: env==x: expected NAME=value" },
		{ "berth-request=1|" REQUIRED "pty=2|end=1|", "request: record 9: pty=2: expected 0 or 1" },
		{ "berth-request=1|" REQUIRED "job=-1|end=1|",
		  "request: record 9: job=: '-1' is not a number from 0 to 4294967295" },
		{ "berth-request=1|" REQUIRED "job=4294967296|end=1|",
		  "request: record 9: job=: '4294967296' is not a number from 0 to 4294967295" },
		{ "berth-request=1|" REQUIRED "parent=0|end=1|",
		  "request: record 9: parent=: '0' is not a number from 1 to 2147483647" },
		{ "berth-request=1|bundle=b|chdir=x|end=1|", "request: record 3: chdir=x: not an absolute path" },
		{ "berth-request=1|bundle=b|chdir=/|job=1|step=2|task=3|node=n|end=1|", "request: spool= is missing" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct request r;
		struct err e = ERR_INIT;
		size_t len;
		cleanup(free) char *text = records(rows[i].text, &len);

		check(i, request_parse(text, len, &r, &e) < 0);
		check_text(i, e.msg, rows[i].error);
		request_free(&r);
	}
}

static void test_fields(void **state)
{
	cleanup(free) char *formatted = NULL;
	struct request r;
	struct err e = ERR_INIT;
	size_t len, again;
	cleanup(free) char *text =
		records("berth-request=1|bundle=/b "
			"c|container-id=id|arg=sh|arg=|arg=a=b\n|env=A=|env=B=x=y|export=PATH|chdir=/w|job=0|"
			"step=4294967295|task=7|node=n1|spool=/s|config=/c|script=/"
			"x|embedded=1|pty=1|mark=M=1|passwd=u:x:1:1::/:/s|"
			"group=a:x:1:|group=b:x:2:|parent=2147483647|end=1|",
			&len);

	(void)state;
	assert_int_equal(request_parse(text, len, &r, &e), 0);
	assert_string_equal(r.bundle, "/b c");
	assert_int_equal(strv_len(r.argv), 3);
	assert_string_equal(r.argv[1], "");
	assert_string_equal(r.argv[2], "a=b\n");
	assert_int_equal(strv_len(r.env), 2);
	assert_string_equal(r.env[0], "A=");
	assert_int_equal(r.step, UINT32_MAX);
	assert_true(r.embedded && r.pty);
	assert_int_equal(r.parent, INT32_MAX);
	assert_int_equal(strv_len(r.groups), 2);
	/* What is written is what was read. */
	formatted = request_format(&r, &again);
	assert_int_equal(again, len);
	assert_memory_equal(formatted, text, len);
	request_free(&r);
	assert_null(r.bundle);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_errors), cmocka_unit_test(test_fields) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
