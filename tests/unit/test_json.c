/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <json-c/json.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/json.h"

static struct json_object *parse(const char *text)
{
	struct json_object *doc = NULL;
	struct err e = ERR_INIT;

	if (json_parse(text, strlen(text), &doc, &e) < 0)
		fail_msg("%s: %s", text, e.msg);
	return doc;
}

static void test_bad_text(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "", "line 1, column 1: the text ends too early" },
		{ "{\n  \"a\": 1", "line 2, column 9: the text ends too early" },
		{ "[]", "line 1, column 1: expected an object" },
		{ "null ", "line 1, column 1: expected an object" },
		{ "{}\n x", "line 2, column 2: text after the end of the object" },
		{ "{\"a\":\n 'x'}", "line 2, column 2: unexpected character" },
		{ "{\"a\": 1,}", "line 1, column 9: unexpected character" },
		{ "{\"a\": \"\xff\"}", "line 1, column 8: invalid utf-8 string" },
		{ "// no\n{}", "line 1, column 1: unexpected character" },
		{ "{\"a\": \"9999999999999999999999\", \"b\": 18446744073709551616}",
		  "line 1, column 38: the number does not fit into 64 bits" },
		{ "{\"a\": -9223372036854775809}", "line 1, column 7: the number does not fit into 64 bits" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json_object *doc = NULL;
		struct err e = ERR_INIT;

		assert_int_equal(json_parse(cases[i].text, strlen(cases[i].text), &doc, &e), -1);
		assert_string_equal(e.msg, cases[i].error);
	}
}

static void test_depth(void **state)
{
	struct strbuf b = STRBUF_INIT;
	struct json_object *doc = NULL;
	struct err e = ERR_INIT;

	(void)state;
	for (int i = 0; i < 100000; i++)
		strbuf_adds(&b, "{\"a\":");
	assert_int_equal(json_parse(b.data, b.len, &doc, &e), -1);
	assert_non_null(strstr(e.msg, "nesting too deep"));
	strbuf_free(&b);
}

static void test_kept_as_written(void **state)
{
	static const char text[] =
		"{\"z\":18446744073709551615,\"n\":-9223372036854775808,\"d\":1.50,\"e\":1e3,\"o\":{},"
		"\"l\":[],\"s\":\"a/b\\u00e9\",\"a\":null}";
	cleanup(json) struct json_object *doc = parse(text);
	cleanup(free) char *back = NULL;
	char dir[] = "/tmp/berth-json-XXXXXX";
	struct err e = ERR_INIT;
	cleanup(close) int fd = -1;
	size_t len;

	(void)state;
	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(json_write(fd, "x", doc, 0600, &e), 0);
	assert_int_equal(path_read_file(fd, "x", 4096, &back, &len, NULL, &e), 0);
	assert_non_null(strstr(back, "\"z\":18446744073709551615"));
	assert_non_null(strstr(back, "-9223372036854775808"));
	assert_non_null(strstr(back, "1.50"));
	assert_non_null(strstr(back, "1e3"));
	assert_non_null(strstr(back, "\"o\":{\n  }"));
	assert_non_null(strstr(back, "\"l\":[\n  ]"));
	assert_non_null(strstr(back, "a/b\xc3\xa9"));
	assert_non_null(strstr(back, "\"a\":null"));
	assert_true(strstr(back, "\"z\"") < strstr(back, "\"n\""));
	assert_int_equal(path_remove_tree(AT_FDCWD, dir, &e), 0);
}

static void test_getters(void **state)
{
	cleanup(json) struct json_object *doc = parse(
		"{\"process\":{\"args\":[\"a\",\"b\"],\"bad\":[\"a\",1],\"cwd\":\"/\",\"terminal\":true,\"uid\":7},"
		"\"a/b\":{\"~\":\"x\"},\"neg\":-1,\"big\":18446744073709551615,\"nul\":\"a\\u0000b\"}");
	struct err e = ERR_INIT;
	const char *s = "default";
	cleanup(strv) char **v = NULL;
	uint64_t n = 5;
	uint32_t small = 1;
	bool b = false;

	(void)state;
	assert_int_equal(json_get_string(doc, "/process/none", &s, &e), 0);
	assert_string_equal(s, "default");
	assert_int_equal(json_get_string(doc, "/process/cwd", &s, &e), 0);
	assert_string_equal(s, "/");
	assert_int_equal(json_get_string(doc, "/a~1b/~0", &s, &e), 0);
	assert_string_equal(s, "x");
	assert_int_equal(json_get_string(doc, "/process/args/1", &s, &e), 0);
	assert_string_equal(s, "b");
	assert_int_equal(json_get_string(doc, "/process", &s, &e), -1);
	assert_string_equal(e.msg, "/process: expected a string");
	assert_int_equal(json_get_string(doc, "/nul", &s, &e), -1);
	assert_string_equal(e.msg, "/nul: the string holds a NUL byte");
	assert_int_equal(json_get_bool(doc, "/process/terminal", &b, &e), 0);
	assert_true(b);
	assert_int_equal(json_get_u64(doc, "/big", UINT64_MAX, &n, &e), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(json_get_u64(doc, "/neg", UINT64_MAX, &n, &e), -1);
	assert_int_equal(json_get_u32(doc, "/big", &small, &e), -1);
	assert_string_equal(e.msg, "/big: 18446744073709551615 is more than 4294967295");
	assert_int_equal(json_get_u32(doc, "/process/uid", &small, &e), 0);
	assert_int_equal(small, 7);
	assert_int_equal(json_get_strings(doc, "/process/args", &v, &e), 0);
	assert_int_equal(strv_len(v), 2);
	assert_int_equal(json_get_strings(doc, "/process/bad", &v, &e), -1);
	assert_string_equal(e.msg, "/process/bad/1: expected a string");
	assert_int_equal(json_get_strings(doc, "/process/cwd", &v, &e), -1);
	assert_string_equal(e.msg, "/process/cwd: expected an array of strings");
}

static void test_set(void **state)
{
	cleanup(json) struct json_object *doc = parse("{\"a\":[1,2],\"s\":\"x\"}");
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(json_set_string(doc, "/root/path", "/x", &e), 0);
	assert_int_equal(json_set_bool(doc, "/a/-", true, &e), 0);
	assert_int_equal(json_set_string(doc, "/a/0", "one", &e), 0);
	assert_int_equal(json_set_string(doc, "/a/9", "one", &e), -1);
	assert_string_equal(e.msg, "/a/9: there is no such element");
	assert_int_equal(json_set_string(doc, "/s/t", "one", &e), -1);
	assert_int_equal(json_set_string(doc, "/s/t/u", "one", &e), -1);
	json_remove(doc, "/s");
	json_remove(doc, "/none/at/all");
	assert_string_equal(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_NOSLASHESCAPE),
			    "{\"a\":[\"one\",2,true],\"root\":{\"path\":\"/x\"}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_text), cmocka_unit_test(test_depth), cmocka_unit_test(test_kept_as_written),
		cmocka_unit_test(test_getters),	 cmocka_unit_test(test_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
