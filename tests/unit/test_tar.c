/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "image/tar.h"
#include "image/tar_header.h"

static void test_number(void **state)
{
	static const struct {
		const char *field;
		bool good;
		uint64_t n;
	} rows[] = {
		{ "00000000017\0", true, 15 },
		{ "       17   ", true, 15 },
		{ "17\0xxxxxxxxx", false, 0 },
		{ "777777777777", true, 0777777777777 },
		{ "\0\0\0\0\0\0\0\0\0\0\0\0", true, 0 },
		{ "0000000001-7", false, 0 },
		{ "-0000000001\0", false, 0 },
		{ "\x80\0\0\0\0\0\0\0\0\0\1\2", true, 258 },
		{ "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", true, INT64_MAX },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", false, 0 },
		{ "\x80\1\0\0\0\0\0\0\0\0\0\0", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t n = 0;

		check(i, tar_number((const unsigned char *)rows[i].field, 12, &n) == rows[i].good);
		check(i, !rows[i].good || n == rows[i].n);
	}
}

static void test_time(void **state)
{
	static const struct {
		const char *text;
		bool good;
		long s, ns;
	} rows[] = {
		{ "1", true, 1, 0 },
		{ "1.5", true, 1, 500000000 },
		{ "1.0000000019", true, 1, 1 },
		{ "-3.5", true, -3, 0 },
		{ "", false, 0, 0 },
		{ "x", false, 0, 0 },
		{ "1.x", false, 0, 0 },
		{ "1.", true, 1, 0 },
		{ "1.5.5", false, 0, 0 },
		{ "99999999999999999999", false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct timespec t = { 0 };

		check(i, tar_parse_time(rows[i].text, &t) == rows[i].good);
		check(i, !rows[i].good || (t.tv_sec == rows[i].s && t.tv_nsec == rows[i].ns));
	}
}

/* An archive in memory. */
struct archive {
	struct strbuf b;
	size_t at;
};

static ssize_t read_archive(void *arg, void *buf, size_t n, struct err *e)
{
	struct archive *a = arg;

	(void)e;
	if (n > a->b.len - a->at)
		n = a->b.len - a->at;
	if (n)
		memcpy(buf, a->b.data + a->at, n);
	a->at += n;
	return (ssize_t)n;
}

static void add_header(struct archive *a, char type, const char *name, const char *size)
{
	unsigned char h[TAR_BLOCK_SIZE] = { 0 };
	unsigned sum = 0;

	memcpy(h, name, strlen(name));
	memcpy(h + 100, "0000755", 8);
	memcpy(h + 124, size, strlen(size));
	memcpy(h + 148, "        ", 8);
	h[156] = (unsigned char)type;
	memcpy(h + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
	strbuf_add(&a->b, h, sizeof(h));
}

static void add_data(struct archive *a, const char *text)
{
	static const char zeros[TAR_BLOCK_SIZE];
	size_t n = strlen(text);

	strbuf_add(&a->b, text, n);
	strbuf_add(&a->b, zeros, (TAR_BLOCK_SIZE - n % TAR_BLOCK_SIZE) % TAR_BLOCK_SIZE);
}

static void test_entries(void **state)
{
	struct archive a = { .b = STRBUF_INIT };
	cleanup(tar) struct tar *t = tar_new(read_archive, &a);
	struct tar_entry entry;
	struct err e = ERR_INIT;
	const void *data;
	uint64_t offset;

	(void)state;
	add_header(&a, '5', "d/", "0");
	add_header(&a, 'x', "pax", "70"); /* octal */
	add_data(&a, "12 path=a/b\n19 mtime=12.250000\n25 SCHILY.xattr.user.a=x\n");
	add_header(&a, '0', "short", "5");
	add_data(&a, "hello");
	add_header(&a, 'L', "long", "4");
	add_data(&a, "l/n\0");
	add_header(&a, '2', "link", "0");
	assert_int_equal(tar_next(t, &entry, &e), 1);
	assert_int_equal(entry.type, TAR_DIR);
	assert_string_equal(entry.name, "d/");
	if (tar_next(t, &entry, &e) != 1)
		fail_msg("%s", e.msg);
	assert_string_equal(entry.name, "a/b");
	assert_int_equal(entry.size, 5);
	assert_int_equal(entry.mtime.tv_nsec, 250000000);
	assert_true(entry.has_xattrs);
	assert_int_equal(tar_data(t, &data, &offset, &e), 5);
	assert_memory_equal(data, "hello", 5);
	assert_int_equal(tar_data(t, &data, &offset, &e), 0);
	assert_int_equal(tar_next(t, &entry, &e), 1);
	assert_int_equal(entry.type, TAR_SYMLINK);
	assert_string_equal(entry.name, "l/n");
	assert_int_equal(tar_next(t, &entry, &e), 0);
	strbuf_free(&a.b);
}

static void test_damage(void **state)
{
	static const struct {
		char type;
		const char *size, *data, *error;
	} rows[] = {
		{ 'x', "14", "12 path=a/b\n", "the archive ends too early" },
		{ 'x', "14", "99 path=a/b\n", "a damaged pax header" },
		{ 'x', "14", "0 path=a/bb\n", "a damaged pax header" },
		{ 'x', "13", "11 patha/b\n", "a damaged pax header" },
		{ 'x', "77777777777", "", "an extended header of 8589934591 bytes; at most 1048576 are read" },
		{ 'L', "77777777777", "", "an extended header of 8589934591 bytes; at most 1048576 are read" },
		{ '0', "7", "", "the archive ends too early" },
		{ 'M', "0", "", "name: an entry of unknown type 'M'" },
		{ '0', "-1", "", "a damaged size in a tar header" },
		{ 'S', "0", "", NULL }, /* no map, no data: an empty file */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct archive a = { .b = STRBUF_INIT };
		cleanup(tar) struct tar *t = tar_new(read_archive, &a);
		struct tar_entry entry;
		struct err e = ERR_INIT;
		int r;

		add_header(&a, rows[i].type, "name", rows[i].size);
		add_data(&a, rows[i].data);
		while ((r = tar_next(t, &entry, &e)) > 0)
			;
		strbuf_free(&a.b);
		check(i, (r < 0) == (rows[i].error != NULL));
		if (rows[i].error && !strstr(e.msg, rows[i].error))
			fail_msg("row %zu: %s", i, e.msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
