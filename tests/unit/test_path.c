/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"

static void test_join(void **state)
{
	static const struct {
		const char *a, *b, *want;
	} rows[] = {
		{ "a", "b", "a/b" }, { "a/", "b", "a/b" }, { "a", "/b", "/b" }, { "", "b", "b" },
		{ "/", "b", "/b" },  { "a", "", "a/" },	   { "", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup(free) char *got = path_join(rows[i].a, rows[i].b);

		check_text(i, got, rows[i].want);
	}
}

static void test_absolute(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "/", "/" },		{ "//", "/" },
		{ "/a", "/a" },		{ "/a/", "/a" },
		{ "/a//b", "/a/b" },	{ "/a/./b", "/a/b" },
		{ "/a/../b", "/b" },	{ "/..", "/" },
		{ "/../../a", "/a" },	{ "/a/b/../..", "/" },
		{ "/a/..b", "/a/..b" }, { "/a/.b", "/a/.b" },
		{ "/a b/c", "/a b/c" }, { "/a/b/../../../c", "/c" },
	};
	cleanup(free) char *here = path_absolute(".");
	cleanup(free) char *sub = path_absolute("x/../y");
	char cwd[4096], want[4200];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup(free) char *got = path_absolute(rows[i].in);

		check_text(i, got, rows[i].want);
	}
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_string_equal(here, cwd);
	snprintf(want, sizeof(want), "%s/y", cwd);
	assert_string_equal(sub, want);
}

/* In a folder that was removed a relative path must not turn into one below "/". */
static void test_absolute_nowhere(void **state)
{
	cleanup(close) int back = open(".", O_DIRECTORY | O_CLOEXEC);
	cleanup(free) char *dir = path_join(*state, "gone");
	cleanup(free) char *got = NULL;

	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(rmdir(dir), 0);
	got = path_absolute("tmp");
	assert_int_equal(fchdir(back), 0);
	assert_string_equal(got, "tmp");
}

static void test_base(void **state)
{
	(void)state;
	assert_string_equal(path_base("/a/b"), "b");
	assert_string_equal(path_base("b"), "b");
	assert_string_equal(path_base("/"), "");
}

static void test_program_dir(void **state)
{
	cleanup(free) char *dir = path_program_dir();

	(void)state;
	assert_non_null(dir);
	assert_int_equal(dir[0], '/');
	assert_int_not_equal(access(dir, X_OK), -1);
}

static void test_mkdirs(void **state)
{
	cleanup(free) char *deep = path_join(*state, "m/n//o/./p/");
	cleanup(free) char *file = path_join(*state, "m/file");
	cleanup(free) char *below = path_join(*state, "m/file/x");
	struct err e = ERR_INIT;
	struct stat st;

	assert_int_equal(path_mkdirs(deep, 0750, &e), 0);
	assert_int_equal(path_mkdirs(deep, 0750, &e), 0);
	assert_int_equal(stat(deep, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0750);
	assert_int_equal(path_write_new(AT_FDCWD, file, "", 0, 0644, &e), 0);
	assert_int_equal(path_mkdirs(below, 0700, &e), -1);
	assert_int_equal(e.code, ENOTDIR);
}

static void test_private_dir(void **state)
{
	cleanup(free) char *dir = path_join(*state, "p/q");
	cleanup(free) char *link = path_join(*state, "link");
	cleanup(free) char *link_slash = path_join(*state, "link/");
	struct err e = ERR_INIT;
	struct stat st;
	int fd = path_private_dir(dir, &e);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	/* Again, and refused where others can look or it is a link, with a slash behind it too. */
	fd = path_private_dir(dir, &e);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(symlink(dir, link), 0);
	assert_int_equal(path_private_dir(link, &e), -1);
	assert_int_equal(path_private_dir(link_slash, &e), -1);
	assert_int_equal(chmod(dir, 0710), 0);
	assert_int_equal(path_private_dir(dir, &e), -1);
	assert_non_null(strstr(e.msg, "chmod 700"));
	assert_int_equal(path_private_dir("/", &e), -1);
}

static void test_foreign_private_dir(void **state)
{
	cleanup(free) char *dir = path_join(*state, "foreign");
	struct err e = ERR_INIT;

	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(chown(dir, 12345, 12345), 0);
	assert_int_equal(path_private_dir(dir, &e), -1);
	assert_non_null(strstr(e.msg, "belongs to uid 12345"));
}

static void test_unique_dir(void **state)
{
	cleanup(close) int dir = open(*state, O_DIRECTORY | O_CLOEXEC);
	cleanup(free) char *first = NULL;
	cleanup(free) char *second = NULL;
	struct err e = ERR_INIT;
	struct stat st;
	int fd;

	fd = path_unique_dir(dir, "u-", &first, &e);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	close(fd);
	fd = path_unique_dir(dir, "u-", &second, &e);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(strlen(first), 18);
	assert_string_not_equal(first, second);
	assert_int_equal(path_unique_dir(dir, "none/u-", &second, &e), -1);
	assert_int_equal(e.code, ENOENT);
}

static void test_files(void **state)
{
	cleanup(close) int dir = open(*state, O_DIRECTORY | O_CLOEXEC);
	cleanup(free) char *text = NULL;
	struct err e = ERR_INIT;
	struct stat st;
	size_t len;

	assert_int_equal(path_write_new(dir, "new", "a\0b", 3, 0640, &e), 0);
	assert_int_equal(path_write_new(dir, "new", "x", 1, 0640, &e), -1);
	assert_int_equal(e.code, EEXIST);
	assert_int_equal(path_read_file(dir, "new", 3, &text, &len, &st, &e), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(text, "a\0b", 4);
	assert_int_equal(st.st_mode & 0777, 0640);
	free(take_ptr(&text));
	assert_int_equal(path_read_file(dir, "new", 2, &text, &len, NULL, &e), -1);
	assert_string_equal(e.msg, "new: longer than 2 bytes");
	assert_int_equal(path_read_file(dir, "none", 2, &text, &len, NULL, &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_int_equal(path_read_file(dir, ".", 2, &text, &len, NULL, &e), -1);
	assert_string_equal(e.msg, ". is not a file");
	/* A pipe without a writer must not hold us up. */
	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	assert_int_equal(path_read_file(dir, "fifo", 9, &text, &len, NULL, &e), 0);
	assert_int_equal(len, 0);
}

static bool holds_hidden(const char *dir)
{
	cleanup(closedir) DIR *d = opendir(dir);
	struct dirent *entry;

	while ((entry = readdir(d)))
		if (entry->d_name[0] == '.' && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return true;
	return false;
}

static void test_atomic(void **state)
{
	cleanup(close) int dir = open(*state, O_DIRECTORY | O_CLOEXEC);
	cleanup(free) char *text = NULL;
	struct err e = ERR_INIT;
	struct stat st;

	assert_int_equal(path_write_atomic(dir, "state", "one", 3, true, &e), 0);
	assert_int_equal(path_write_atomic(dir, "state", "second", 6, false, &e), 0);
	assert_int_equal(path_read_file(dir, "state", 99, &text, NULL, &st, &e), 0);
	assert_string_equal(text, "second");
	assert_int_equal(st.st_mode & 0777, 0600);
	/* What cannot be replaced leaves no temporary file behind. */
	assert_int_equal(mkdirat(dir, "busy", 0700), 0);
	assert_int_equal(mkdirat(dir, "busy/x", 0700), 0);
	assert_int_equal(path_write_atomic(dir, "busy", "x", 1, false, &e), -1);
	assert_int_equal(path_write_atomic(dir, "none/x", "x", 1, false, &e), -1);
	assert_false(holds_hidden(*state));
}

static void test_open_in_root(void **state)
{
	cleanup(close) int root = -1;
	cleanup(free) char *dir = path_join(*state, "root");
	cleanup(free) char *inner = path_join(*state, "root/etc/passwd");
	cleanup(free) char *etc = path_join(*state, "root/etc");
	struct err e = ERR_INIT;
	static const struct {
		const char *target, *name;
	} links[] = { { "/etc/passwd", "abs" }, { "../../../etc/passwd", "up" }, { "/", "slash" } };
	static const struct {
		const char *path;
		bool found;
	} rows[] = {
		{ "etc/passwd", true }, { "/etc/passwd", true }, { "abs", true },
		{ "up", true },		{ "slash/abs", true },	 { "../../../../etc/passwd", true },
		{ "etc/group", false },
	};

	assert_int_equal(path_mkdirs(etc, 0700, &e), 0);
	root = open(dir, O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(path_write_new(AT_FDCWD, inner, "inner", 5, 0600, &e), 0);
	for (size_t i = 0; i < COUNT(links); i++)
		assert_int_equal(symlinkat(links[i].target, root, links[i].name), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup(close) int fd = path_open_in_root(root, rows[i].path, O_RDONLY);
		char text[8] = "";

		check(i, (fd >= 0) == rows[i].found);
		if (fd >= 0) {
			check(i, read(fd, text, 7) == 5);
			check_text(i, text, "inner");
			check(i, fcntl(fd, F_GETFD) == FD_CLOEXEC);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_absolute),
		cmocka_unit_test(test_absolute_nowhere),
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_program_dir),
		cmocka_unit_test(test_mkdirs),
		cmocka_unit_test(test_private_dir),
		cmocka_unit_test(test_foreign_private_dir),
		cmocka_unit_test(test_unique_dir),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_atomic),
		cmocka_unit_test(test_open_in_root),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
