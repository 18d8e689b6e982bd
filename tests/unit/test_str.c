/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/cleanup.h"
#include "base/str.h"

static void test_strbuf(void **state)
{
	cleanup(strbuf) struct strbuf b = STRBUF_INIT;
	char *s;

	(void)state;
	s = strbuf_take(&b);
	assert_string_equal(s, "");
	free(s);
	strbuf_adds(&b, "");
	assert_string_equal(b.data, "");
	strbuf_add(&b, "a\0b", 3);
	strbuf_addc(&b, 'c');
	strbuf_addf(&b, "%d%s", 12, "");
	assert_int_equal(b.len, 6);
	assert_memory_equal(b.data, "a\0bc12", 7);
	strbuf_add(&b, NULL, 0);
	for (int i = 0; i < 1000; i++)
		strbuf_addf(&b, "%010d", i);
	assert_int_equal(b.len, 10006);
	s = strbuf_take(&b);
	assert_string_equal(s + 6 + 9990, "0000000999");
	free(s);
	assert_null(b.data);
	strbuf_free(&b);
}

static void test_quoted(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "plain", "plain" },
		{ "/a/b-c_d.e:f,g@h%i+j=k", "/a/b-c_d.e:f,g@h%i+j=k" },
		{ "", "''" },
		{ "a b", "'a b'" },
		{ "it's", "'it'\\''s'" },
		{ "'", "''\\'''" },
		{ "$(x)", "'$(x)'" },
		{ "a\nb", "'a\nb'" },
		{ "~", "'~'" },
		{ "\xc3\xa4", "'\xc3\xa4'" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup(strbuf) struct strbuf b = STRBUF_INIT;

		strbuf_addquoted(&b, rows[i].in);
		check_text(i, b.data, rows[i].out);
	}
}

static void test_strv(void **state)
{
	cleanup(strv) char **v = NULL;
	cleanup(strv) char **copy = NULL;
	cleanup(free) char *line = NULL;

	(void)state;
	assert_int_equal(strv_len(NULL), 0);
	assert_false(strv_has(NULL, "x"));
	copy = strv_copy(NULL);
	assert_non_null(copy);
	assert_null(copy[0]);
	for (int i = 0; i < 300; i++) {
		char buf[16];

		snprintf(buf, sizeof(buf), "%d", i);
		strv_push(&v, buf);
		strv_push(&copy, buf);
		assert_int_equal(strv_len(v), i + 1);
		assert_null(v[i + 1]);
	}
	assert_true(strv_has(v, "299"));
	assert_false(strv_has(v, "300"));
	/* A copy of any length can be pushed to. */
	for (size_t n = 0; n < 20; n++) {
		cleanup(strv) char **part = NULL;

		for (size_t i = 0; i < n; i++)
			strv_push(&part, "x");
		strv_free(copy);
		copy = strv_copy(part);
		assert_int_equal(strv_len(copy), n);
		strv_push_own(&copy, strdup("y"));
		assert_string_equal(copy[n], "y");
	}
	strv_free(v);
	v = NULL;
	strv_push(&v, "echo");
	strv_push(&v, "a b");
	line = strv_quoted(v);
	assert_string_equal(line, "echo 'a b'");
}

static void test_split(void **state)
{
	static const struct {
		const char *in, *seps, *joined; /* fields with '|' behind each */
	} rows[] = {
		{ NULL, ",", "" },	{ "", ",", "" },	  { "a", ",", "a|" },	{ "a,b", ",", "a|b|" },
		{ ",", ",", "||" },	{ "a,,b", ",", "a||b|" }, { "a,", ",", "a||" }, { "a:b,c", ":,", "a|b|c|" },
		{ "a b", ",", "a b|" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup(strv) char **v = str_split(rows[i].in, rows[i].seps);
		cleanup(strbuf) struct strbuf b = STRBUF_INIT;

		strbuf_adds(&b, "");
		for (char **p = v; *p; p++)
			strbuf_addf(&b, "%s|", *p);
		check_text(i, b.data, rows[i].joined);
	}
}

static void test_small(void **state)
{
	static const struct {
		const char *in, *out;
	} trims[] = { { "", "" }, { "  ", "" }, { "a", "a" }, { " \t a b\n", "a b" }, { "\v\fa", "a" } };

	(void)state;
	for (size_t i = 0; i < COUNT(trims); i++) {
		char buf[16];

		strcpy(buf, trims[i].in);
		check_text(i, str_trim(buf), trims[i].out);
	}
	assert_true(str_starts("abc", "ab"));
	assert_true(str_starts("abc", ""));
	assert_false(str_starts("a", "ab"));
	assert_true(str_ends("abc", "bc"));
	assert_true(str_ends("abc", ""));
	assert_false(str_ends("c", "bc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strbuf), cmocka_unit_test(test_quoted), cmocka_unit_test(test_strv),
		cmocka_unit_test(test_split),  cmocka_unit_test(test_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
