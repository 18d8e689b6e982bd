/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/str.h"
#include "image/extract.h"

enum { BLOCK = 512 };

static void test_clean_name(void **state)
{
	static const struct {
		const char *in, *out; /* NULL: refused */
	} rows[] = {
		{ "a", "a" },
		{ "./a//b/./c/", "a/b/c" },
		{ "/etc/passwd", "etc/passwd" },
		{ "///", "" },
		{ ".", "" },
		{ "./", "" },
		{ "..a/b..", "..a/b.." },
		{ "...", "..." },
		{ "..", NULL },
		{ "a/..", NULL },
		{ "a/../b", NULL },
		{ "../x", NULL },
		{ "a b\n\xff", "a b\n\xff" },
	};
	char out[PATH_MAX];
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int r = extract_clean_name(rows[i].in, out, &e);

		check(i, (r == 0) == (rows[i].out != NULL));
		if (rows[i].out)
			check_text(i, out, rows[i].out);
	}
}

static void test_bounds(void **state)
{
	char name[PATH_MAX + 8], out[PATH_MAX];
	struct err e = ERR_INIT;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[PATH_MAX - 2] = '\0';
	assert_int_equal(extract_clean_name(name, out, &e), 0);
	assert_int_equal(strlen(out), PATH_MAX - 2);
	name[PATH_MAX - 2] = 'n';
	name[PATH_MAX - 1] = '\0';
	assert_int_equal(extract_clean_name(name, out, &e), -1);
	for (size_t i = 0; i + 1 < 514; i += 2)
		memcpy(name + i, "d/", 2);
	name[512] = '\0';
	assert_int_equal(extract_clean_name(name, out, &e), 0);
	memcpy(name + 512, "d", 2);
	assert_int_equal(extract_clean_name(name, out, &e), -1);
}

static void add_header(struct strbuf *b, char type, const char *name, const char *size)
{
	/* What writers put there beside a pax record of a link. */
	static const char link[] = "shortened";
	unsigned char h[BLOCK] = { 0 };
	unsigned sum = 0;

	memcpy(h, name, strlen(name));
	memcpy(h + 100, "0000755", 8);
	memcpy(h + 124, size, strlen(size));
	memcpy(h + 148, "        ", 8);
	h[156] = (unsigned char)type;
	if (type == '1' || type == '2')
		memcpy(h + 157, link, sizeof(link));
	memcpy(h + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
	strbuf_add(b, h, sizeof(h));
}

static void add_data(struct strbuf *b, const void *data, size_t n)
{
	static const char zeros[BLOCK];

	strbuf_add(b, data, n);
	strbuf_add(b, zeros, (BLOCK - n % BLOCK) % BLOCK);
}

/* One pax record; its length counts its own two digits. */
static void add_pax(struct strbuf *b, const char *key, const char *value, size_t len)
{
	struct strbuf r = STRBUF_INIT;
	char text[32], size[12];

	snprintf(text, sizeof(text), "%02zu ", 3 + strlen(key) + 1 + len + 1);
	strbuf_add(&r, text, 3);
	strbuf_add(&r, key, strlen(key));
	strbuf_add(&r, "=", 1);
	strbuf_add(&r, value, len);
	strbuf_add(&r, "\n", 1);
	snprintf(size, sizeof(size), "%011zo", r.len);
	add_header(b, 'x', "pax", size);
	add_data(b, r.data, r.len);
	strbuf_free(&r);
}

struct unpacked {
	int root;
	struct extract_notes notes;
	int result;
	struct err err;
};

/* Unpacks what B holds into a new folder in DIR, which the caller closes. */
static void unpack(const char *dir, struct strbuf *b, struct unpacked *u)
{
	static const struct extract_limits limits = { .size = 1 << 20, .entries = 100 };
	struct work w = { .signals = -1 };
	int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = memfd_create("archive", MFD_CLOEXEC);
	cleanup(stream) struct stream *s = NULL;
	cleanup(extract) struct extract *x = NULL;
	cleanup(free) char *name = NULL;

	*u = (struct unpacked){ .err = ERR_INIT };
	assert_int_equal(write(fd, b->data, b->len), b->len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	u->root = path_unique_dir(at, "root-", &name, &u->err);
	assert_true(u->root >= 0);
	x = extract_new(&w, u->root, &limits);
	u->result = stream_open(&w, fd, &s, &u->err) < 0 ? -1 : extract_tar(x, s, &u->err);
	u->notes = *extract_notes(x);
	close(at);
	strbuf_free(b);
}

static void test_entries(void **state)
{
	struct strbuf b = STRBUF_INIT;
	struct unpacked u;
	struct stat st;

	add_header(&b, '5', "d/", "0");
	add_pax(&b, "mtime", "12.250000", 9);
	add_header(&b, '0', "d/file", "5");
	add_data(&b, "hello", 5);
	add_header(&b, 'L', "long", "4");
	add_data(&b, "l/n\0", 4);
	add_header(&b, '2', "link", "0");
	add_header(&b, '3', "device", "0");
	unpack(*state, &b, &u);
	if (u.result < 0)
		fail_msg("%s", u.err.msg);
	assert_int_equal(fstatat(u.root, "d/file", &st, 0), 0);
	assert_int_equal(st.st_size, 5);
	assert_int_equal(st.st_mtim.tv_sec, 12);
	assert_int_equal(st.st_mtim.tv_nsec, 250000000);
	assert_int_equal(fstatat(u.root, "l/n", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(u.notes.devices, 1);
	assert_int_equal(faccessat(u.root, "device", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	close(u.root);
}

/* A name is the bytes that the archive has, in UTF-8 or not, composed or not. */
static void test_names(void **state)
{
	static const char *const rows[] = { "gr\303\274n", "gru\314\210n", "gr\374n \377", "a\nb" };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct strbuf b = STRBUF_INIT;
		struct unpacked u;
		char target[64] = "";

		add_pax(&b, "path", rows[i], strlen(rows[i]));
		add_header(&b, '0', "other", "0");
		add_pax(&b, "linkpath", rows[i], strlen(rows[i]));
		add_header(&b, '2', "link", "0");
		add_header(&b, '0', rows[i], "0");
		add_pax(&b, "linkpath", rows[i], strlen(rows[i]));
		add_header(&b, '1', "hard", "0");
		unpack(*state, &b, &u);
		if (u.result < 0)
			fail_msg("row %zu: %s", i, u.err.msg);
		check(i, faccessat(u.root, rows[i], F_OK, 0) == 0);
		check(i, faccessat(u.root, "hard", F_OK, 0) == 0);
		check(i, readlinkat(u.root, "link", target, sizeof(target) - 1) > 0);
		check_text(i, target, rows[i]);
		close(u.root);
	}
}

/* What an image's layer says of a file with capabilities: bytes with NUL among them, before the name. */
static void test_xattrs(void **state)
{
	struct strbuf b = STRBUF_INIT;
	struct unpacked u;

	add_pax(&b, "SCHILY.xattr.security.capability", "\1\0\0\2\0\40\0\0", 8);
	add_header(&b, '0', "ping", "0");
	unpack(*state, &b, &u);
	if (u.result < 0)
		fail_msg("%s", u.err.msg);
	assert_int_equal(u.notes.xattrs, 1);
	assert_int_equal(faccessat(u.root, "ping", F_OK, 0), 0);
	close(u.root);
}

static void test_damage(void **state)
{
	static const struct {
		char type;
		const char *size, *data;
		bool good;
	} rows[] = {
		{ '0', "5", "hello", true },
		{ '0', "17777", "hello", false },
		{ '0', "-1", "", false },
		{ 'x', "14", "12 path=a/b\n", true },
		{ 'x', "14", "99 path=a/b\n", false },
		{ 'x', "14", "0 path=a/bb\n", false },
		{ 'x', "13", "11 patha/b\n", false },
		{ 'x', "77777777777", "", false },
		{ 'L', "77777777777", "", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct strbuf b = STRBUF_INIT;
		struct unpacked u;

		add_header(&b, rows[i].type, "name", rows[i].size);
		add_data(&b, rows[i].data, strlen(rows[i].data));
		if (rows[i].type != '0')
			add_header(&b, '0', "file", "0");
		unpack(*state, &b, &u);
		check(i, (u.result == 0) == rows[i].good);
		check(i, rows[i].good || *u.err.msg);
		close(u.root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean_name), cmocka_unit_test(test_bounds), cmocka_unit_test(test_entries),
		cmocka_unit_test(test_names),	   cmocka_unit_test(test_xattrs), cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
