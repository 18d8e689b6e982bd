/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "config/lexer.h"

/* Each pair as "key<line:column>[value]". */
static int record(void *arg, const struct conf_pair *p, struct err *e)
{
	strbuf_addf(arg, "%s<%u:%u>[%s]", p->key, p->line, p->column, p->value);
	return 0;
}

static void test_pairs(void **state)
{
	static const struct {
		const char *text, *pairs;
		int warnings;
	} cases[] = {
		{ "", "", 0 },
		{ "\n \t\r\n# a=b\n", "", 0 },
		{ "a=b", "a<1:1>[b]", 0 },
		{ "A.b_1 \t=\t c\r\n", "A.b_1<1:1>[c]", 0 },
		{ "a=1 b=2\n c = 3", "a<1:1>[1]b<1:5>[2]c<2:2>[3]", 0 },
		{ "a=b=c", "a<1:1>[b=c]", 0 },
		{ "a=\"b = c\" d=\"\"", "a<1:1>[b = c]d<1:11>[]", 0 },
		{ "a=\"b\"#c\n", "a<1:1>[b]", 0 },
		{ "a=b#c=d", "a<1:1>[b]", 0 },
		{ "a=b\\#c \\\n d=e", "a<1:1>[b#c]d<2:2>[e]", 0 },
		{ "a=\"b\\#c\"", "a<1:1>[b#c]", 0 },
		{ "a=\"b#c\"", "a<1:1>[b#c]", 1 },
		{ "a=b\\\nc\\  \r\nd", "a<1:1>[bcd]", 0 },
		{ "a\\\n=\\\nb", "a<1:1>[b]", 0 },
		{ "a=\"b \\\n  c\"", "a<1:1>[b   c]", 0 },
		{ "a=b\\\\\nc=d", "a<1:1>[b\\]c<2:1>[d]", 0 },
		{ "a=\"^x\\.y\\\\.\"", "a<1:1>[^x.y\\.]", 1 },
		{ "a=\"b \\\"c\\\" d\"", "a<1:1>[b \"c\" d]", 2 },
		{ "a=b\"c", "a<1:1>[b\"c]", 0 },
		{ "a=\xc3\xa9 # \xc3\xa9", "a<1:1>[\xc3\xa9]", 0 },
		{ "include=x", "include<1:1>[x]", 0 },
		{ "# x \\\na=b", "a<2:1>[b]", 0 },
		{ "a=b \\", "a<1:1>[b]", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct strbuf b = STRBUF_INIT;
		cleanup(strv) char **warnings = NULL;
		cleanup(free) char *got = NULL;
		struct err e = ERR_INIT;

		if (conf_read_text("t", cases[i].text, strlen(cases[i].text), record, &b, &warnings, &e) < 0)
			fail_msg("<%s>: %s", cases[i].text, e.msg);
		got = strbuf_take(&b);
		assert_string_equal(got, cases[i].pairs);
		assert_int_equal(strv_len(warnings), cases[i].warnings);
	}
}

static void test_errors(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *says;
	} cases[] = {
#define CASE(text, says) { text, sizeof(text) - 1, says }
		CASE("a=\"b c\nd=e", "t:1:3: missing closing quote: '\"b c'"),
		CASE("x=y\na = \"b \\\nc", "t:2:5: missing closing quote"),
		CASE("a=\"b\"c", "t:1:6: 'c' right after a closing quote"),
		CASE("a", "t:1:1: 'a' is not followed by '='"),
		CASE("a=b c", "t:1:5: 'c' is not followed by '='; Key=Value is expected, and a value with spaces must"),
		CASE("a=\n", "t:1:3: a value is expected"),
		CASE("a= # b", "t:1:4: a value is expected"),
		CASE("=b", "t:1:1: '=' where Key=Value"),
		CASE("a=b\n\"c\"=d", "t:2:1: '\"' where Key=Value"),
		CASE("a=b\0", "t:1:4: a NUL byte"),
		CASE("a=\"b\0\"", "t:1:5: a NUL byte"),
		CASE("\0", "t:1:1: a NUL byte"),
		CASE("a=b\n\xc3\xa9=c", "t:2:1: a byte 0xc3"),
		CASE("\xef\xbb\xbf"
		     "a=b",
		     "t:1:1: a byte 0xef"),
		CASE("a\x01=b", "t:1:1: 'a' is not followed"),
		CASE("Include x", "t:1:1: Include is not possible here"),
		CASE("a=b Include x", "t:1:5: 'Include' is not followed by '='"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cleanup(strbuf) struct strbuf b = STRBUF_INIT;
		cleanup(strv) char **warnings = NULL;
		struct err e = ERR_INIT;

		assert_int_equal(conf_read_text("t", cases[i].text, cases[i].len, record, &b, &warnings, &e), -1);
		if (!str_starts(e.msg, cases[i].says))
			fail_msg("<%s>: %s", cases[i].text, e.msg);
	}
}

static void test_size(void **state)
{
	cleanup(free) char *big = xcalloc(CONF_MAX_SIZE + 1, 1);
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	memset(big, '\n', CONF_MAX_SIZE + 1);
	assert_int_equal(conf_read_text("t", big, CONF_MAX_SIZE, record, &b, NULL, &e), 0);
	assert_int_equal(conf_read_text("t", big, CONF_MAX_SIZE + 1, record, &b, NULL, &e), -1);
}

static int positions(void *arg, const struct conf_pair *p, struct err *e)
{
	for (size_t i = 0; p->value[i]; i++) {
		unsigned line, column;

		conf_pair_position(p, i, &line, &column);
		strbuf_addf(arg, "%c%u:%u ", p->value[i], line, column);
	}
	return 0;
}

/* A byte of a value is found again behind escapes and continued lines. */
static void test_positions(void **state)
{
	static const char text[] = "\n k=\"ab\\#c\\\n  d\\\\e\"";
	cleanup(strbuf) struct strbuf b = STRBUF_INIT;
	cleanup(strv) char **warnings = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(conf_read_text("t", text, sizeof(text) - 1, positions, &b, &warnings, &e), 0);
	assert_string_equal(b.data, "a2:5 b2:6 #2:8 c2:9  3:1  3:2 d3:3 \\3:5 e3:6 ");
}

static char folder[] = "/tmp/berth-test-lexer.XXXXXX";

static void write_file(const char *name, const char *text)
{
	cleanup(close) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e = ERR_INIT;

	unlinkat(dir, name, 0);
	if (path_write_new(dir, name, text, strlen(text), 0600, &e) < 0)
		fail_msg("%s", e.msg);
}

static void read_main(char **got, struct err *e, int want)
{
	cleanup(free) char *path = xasprintf("%s/main.conf", folder);
	cleanup(strv) char **warnings = NULL;
	struct strbuf b = STRBUF_INIT;
	int rc = conf_read_file(path, record, &b, &warnings, e);

	if (rc != want)
		fail_msg("%d: %s", rc, e->msg);
	*got = strbuf_take(&b);
}

static void test_include(void **state)
{
	cleanup(free) char *got = NULL;
	cleanup(free) char *sub = xasprintf("%s/sub", folder);
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(mkdir(sub, 0700), 0);
	write_file("main.conf", "a=1\n  include \"sub/x y.conf\" # that one\nb=2\n");
	write_file("sub/x y.conf", "c=3\nINCLUDE ../z.conf\n");
	write_file("z.conf", "d=4");
	read_main(&got, &e, 0);
	assert_string_equal(got, "a<1:1>[1]c<1:1>[3]d<1:1>[4]b<3:1>[2]");
}

static void test_include_errors(void **state)
{
	cleanup(free) char *cycle = xasprintf("%s/sub/../main.conf: the file includes itself", folder);
	char *got = NULL;
	struct err e = ERR_INIT;

	(void)state;
	write_file("z.conf", "d");
	read_main(&got, &e, -1);
	free(got);
	if (!strstr(e.msg, "/sub/../z.conf:1:1: 'd' is not followed by '='"))
		fail_msg("%s", e.msg);
	write_file("sub/x y.conf", "\n Include ../main.conf\n");
	read_main(&got, &e, -1);
	free(got);
	if (!strstr(e.msg, cycle) || !strstr(e.msg, "/sub/x y.conf:2:2: Include"))
		fail_msg("%s", e.msg);
	write_file("main.conf", "\nInclude nowhere.conf");
	read_main(&got, &e, -1);
	free(got);
	if (!strstr(e.msg, "/main.conf:2:1: Include: open") || e.code == 0)
		fail_msg("%s", e.msg);
}

static void test_writable_by_all(void **state)
{
	cleanup(free) char *path = xasprintf("%s/z.conf", folder);
	char *got = NULL;
	struct err e = ERR_INIT;

	(void)state;
	write_file("z.conf", "d=4");
	write_file("main.conf", "Include z.conf");
	assert_int_equal(chmod(path, 0646), 0);
	read_main(&got, &e, -1);
	free(got);
	assert_non_null(strstr(e.msg, "/z.conf:1:1: anyone may write to this file; run chmod"));
}

/* Not a cycle, but without an end all the same. */
static void test_include_depth(void **state)
{
	char *got = NULL;
	struct err e = ERR_INIT;

	(void)state;
	write_file("main.conf", "Include 0");
	for (int i = 0; i < CONF_MAX_DEPTH; i++) {
		cleanup(free) char *name = xasprintf("%d", i);
		cleanup(free) char *text = xasprintf("Include %d", i + 1);

		write_file(name, text);
	}
	read_main(&got, &e, -1);
	free(got);
	assert_non_null(strstr(e.msg, "files within each other"));
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	return path_remove_tree(AT_FDCWD, folder, &e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),	      cmocka_unit_test(test_errors),
		cmocka_unit_test(test_size),	      cmocka_unit_test(test_positions),
		cmocka_unit_test(test_include),	      cmocka_unit_test(test_include_errors),
		cmocka_unit_test(test_include_depth), cmocka_unit_test(test_writable_by_all),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
