/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle.h"

#include "base/str.h"
#include "oci/skeleton.h"

struct seen {
	const char *target; /* what is mounted on later */
	struct strbuf emitted;
	const char *root;
};

static bool is_target(void *arg, const char *path)
{
	const struct seen *s = arg;

	return s->target && strcmp(path, s->target) == 0;
}

/* "source-below-the-scratch-folder>target " */
static void emit(void *arg, const char *source, const char *target)
{
	struct seen *s = arg;

	strbuf_addf(&s->emitted, "%s>%s ", source + strlen(s->root) + 1, target);
}

static char kind_of(const char *dir, const char *name)
{
	cleanup(free) char *path = path_join(dir, name);
	struct stat st;

	if (lstat(path, &st) < 0)
		return '-';
	return S_ISDIR(st.st_mode) ? 'd' : S_ISLNK(st.st_mode) ? 'l' : 'f';
}

static void test_make(void **state)
{
	static const struct {
		const char *hole;
		size_t at;
		bool is_file;
		const char *target, *made;
		char kind;
		bool is_root;
	} rows[] = {
		{ "/etc/new", 4, false, NULL, "new", 'd', false },
		{ "/etc/new", 4, true, NULL, "new", 'f', false },
		{ "/etc/a/b/c", 4, true, NULL, "a/b/c", 'f', false },
		{ "/new/x", 0, false, NULL, "new/x", 'd', true },
		{ "/new", 0, false, "/usr", "usr", 'd', true },
		/* A link that leads nowhere makes room. */
		{ "/etc/link/x", 4, false, NULL, "link/x", 'd', false },
		{ "/etc/link", 4, true, NULL, "link", 'f', false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup(free) char *root = path_join(*state, "r"), *rootfs = path_join(root, "rootfs");
		cleanup(free) char *dir = path_join(root, "skeleton"), *folder = path_join(dir, "0"), *new_root = NULL;
		struct seen seen = { .target = rows[i].target, .emitted = STRBUF_INIT, .root = root };
		cleanup(close) int fd = -1;
		struct skeleton *s;

		path_remove_tree(AT_FDCWD, root, NULL);
		make_rootfs_at(root);
		fd = open(rootfs, O_DIRECTORY | O_CLOEXEC);
		assert_int_equal(symlinkat("nowhere", fd, "etc/link"), 0);
		s = skeleton_new(rootfs, fd, dir);
		skeleton_add(s, rows[i].hole, rows[i].at, rows[i].is_file);
		check(i, skeleton_make(s, is_target, &seen, emit, &seen, &new_root, NULL) == 0);
		skeleton_free(s);
		check(i, kind_of(folder, rows[i].made) == rows[i].kind);
		check(i, (new_root != NULL) == rows[i].is_root);
		if (rows[i].is_root) {
			check(i, strstr(seen.emitted.data, "rootfs/etc>/etc "));
			check(i, !strstr(seen.emitted.data, "skeleton"));
		} else {
			check(i, str_starts(seen.emitted.data, "skeleton/0>/etc "));
			check(i, strstr(seen.emitted.data, "rootfs/etc/passwd>/etc/passwd "));
			check(i, kind_of(folder, "passwd") == 'f');
		}
		if (rows[i].target)
			check(i, !strstr(seen.emitted.data, ">/usr "));
		/* The original has nothing new. */
		check(i, kind_of(rootfs, "etc/new") == '-' && kind_of(rootfs, "new") == '-');
		check(i, kind_of(rootfs, "etc/link") == 'l');
		strbuf_free(&seen.emitted);
	}
}

/* The stand-in of a folder looks like it. */
static void test_mode(void **state)
{
	cleanup(free) char *root = path_join(*state, "m"), *rootfs = path_join(root, "rootfs");
	cleanup(free) char *dir = path_join(root, "skeleton"), *folder = path_join(dir, "0"), *new_root = NULL;
	cleanup(free) char *tmp = path_join(rootfs, "tmp");
	struct seen seen = { .emitted = STRBUF_INIT, .root = root };
	cleanup(close) int fd = -1;
	struct skeleton *s;
	struct stat st;

	make_rootfs_at(root);
	assert_int_equal(chmod(tmp, 01777), 0);
	fd = open(rootfs, O_DIRECTORY | O_CLOEXEC);
	s = skeleton_new(rootfs, fd, dir);
	skeleton_add(s, "/tmp/x", 4, false);
	assert_int_equal(skeleton_make(s, is_target, &seen, emit, &seen, &new_root, NULL), 0);
	skeleton_free(s);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 07777, 01777);
	strbuf_free(&seen.emitted);
}

static void test_possible(void **state)
{
	cleanup(free) char *root = path_join(*state, "p"), *rootfs = path_join(root, "rootfs");
	cleanup(close) int fd = -1;

	make_rootfs_at(root);
	fd = open(rootfs, O_DIRECTORY | O_CLOEXEC);
	assert_true(skeleton_possible(fd, "/"));
	assert_true(skeleton_possible(fd, "/etc"));
	assert_false(skeleton_possible(fd, "/none"));
	assert_false(skeleton_possible(fd, "/etc/passwd"));
	for (int i = 0; i < 600; i++) {
		char name[32];

		snprintf(name, sizeof(name), "tmp/%d", i);
		assert_int_equal(mkdirat(fd, name, 0755), 0);
	}
	assert_false(skeleton_possible(fd, "/tmp"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_possible),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
