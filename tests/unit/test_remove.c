/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"

static bool exists(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void touch(int dir, const char *name)
{
	assert_int_equal(path_write_new(dir, name, "x", 1, 0600, NULL), 0);
}

static void test_kinds(void **state)
{
	cleanup(close) int dir = open(*state, O_DIRECTORY | O_CLOEXEC);
	struct err e = ERR_INIT;

	assert_int_equal(path_remove_tree(dir, "nothing", &e), 0);
	touch(dir, "file");
	assert_int_equal(path_remove_tree(dir, "file", &e), 0);
	assert_false(exists(dir, "file"));
	assert_int_equal(mkdirat(dir, "kept", 0700), 0);
	touch(dir, "kept/file");
	assert_int_equal(symlinkat("kept", dir, "link"), 0);
	assert_int_equal(path_remove_tree(dir, "link", &e), 0);
	assert_false(exists(dir, "link"));
	assert_true(exists(dir, "kept/file"));
	assert_int_equal(mkdirat(dir, "tree", 0700), 0);
	assert_int_equal(mkdirat(dir, "tree/sub", 0700), 0);
	assert_int_equal(symlinkat("../../kept", dir, "tree/sub/link"), 0);
	assert_int_equal(symlinkat("/", dir, "tree/slash"), 0);
	assert_int_equal(symlinkat("nowhere", dir, "tree/dangling"), 0);
	assert_int_equal(mkfifoat(dir, "tree/fifo", 0600), 0);
	for (int i = 0; i < 3000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "tree/sub/%d", i);
		touch(dir, name);
	}
	assert_int_equal(path_remove_tree(dir, "tree", &e), 0);
	assert_false(exists(dir, "tree"));
	assert_true(exists(dir, "kept/file"));
	assert_int_equal(symlinkat("kept", dir, "way"), 0);
	assert_int_equal(mkdirat(dir, "kept/sub", 0700), 0);
	touch(dir, "kept/sub/file");
	assert_int_equal(path_remove_tree(dir, "way/sub", &e), 0);
	assert_false(exists(dir, "kept/sub"));
	assert_int_equal(path_remove_tree(dir, "nowhere/sub", &e), 0);
}

/* Deeper than a path may be long, with side branches, and with few descriptors to spare. */
static void test_deep(void **state)
{
	cleanup(close) int dir = open(*state, O_DIRECTORY | O_CLOEXEC);
	struct rlimit before, few = { 64, 64 };
	struct err e = ERR_INIT;
	int fd;

	assert_int_equal(mkdirat(dir, "deep", 0700), 0);
	fd = openat(dir, "deep", O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 3000; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "d", 0700), 0);
		if (i % 100 == 0)
			touch(fd, "file");
		next = openat(fd, "d", O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		if (i % 500 == 0)
			assert_int_equal(fchmod(fd, 0500), 0);
		close(fd);
		fd = next;
	}
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	if (path_remove_tree(dir, "deep", &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_false(exists(dir, "deep"));
}

static int without_permission(void *dir_fd)
{
	static const mode_t modes[] = { 0000, 0100, 0200, 0300, 0400, 0500 };
	int dir = *(int *)dir_fd;
	struct err e = ERR_INIT;
	char name[32], inner[48];

	for (size_t i = 0; i < COUNT(modes); i++) {
		snprintf(name, sizeof(name), "closed%zu", i);
		snprintf(inner, sizeof(inner), "%s/sub", name);
		if (mkdirat(dir, name, 0700) < 0 || mkdirat(dir, inner, 0700) < 0)
			return 2;
		snprintf(inner, sizeof(inner), "%s/sub/file", name);
		if (path_write_new(dir, inner, "x", 1, 0600, &e) < 0)
			return 3;
		snprintf(inner, sizeof(inner), "%s/sub", name);
		if (fchmodat(dir, inner, modes[i], 0) < 0 || fchmodat(dir, name, modes[i], 0) < 0)
			return 4;
		if (path_remove_tree(dir, name, &e) < 0 || exists(dir, name)) {
			fprintf(stderr, "mode %03o: %s\n", (unsigned)modes[i], e.msg);
			return 5;
		}
	}
	return 0;
}

static int in_child(int (*fn)(void *), void *arg, bool as_nobody)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (as_nobody && geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(9);
		_exit(fn(arg));
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_closed_folders(void **state)
{
	cleanup(close) int dir = -1;
	cleanup(free) char *sub = path_join(*state, "open");

	assert_int_equal(mkdir(sub, 0777), 0);
	assert_int_equal(chmod(sub, 0777), 0);
	assert_int_equal(chmod(*state, 0755), 0);
	dir = open(sub, O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(in_child(without_permission, &dir, true), 0);
}

static int with_mount(void *path)
{
	cleanup(close) int dir = -1;
	cleanup(free) char *precious = path_join(path, "precious");
	cleanup(free) char *at = path_join(path, "spool/mnt");
	struct err e = ERR_INIT;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 77;
	/* What was opened before shows the mounts of before. */
	dir = open(path, O_DIRECTORY | O_CLOEXEC);
	if (mkdirat(dir, "precious", 0700) < 0 || path_write_new(dir, "precious/file", "x", 1, 0600, &e) < 0 ||
	    mkdirat(dir, "spool", 0700) < 0 || mkdirat(dir, "spool/mnt", 0700) < 0)
		return 2;
	/* A bind mount has the device number of its surroundings. */
	if (mount(precious, at, NULL, MS_BIND, NULL) < 0)
		return 77;
	if (path_remove_tree(dir, "spool", &e) == 0 || !exists(dir, "precious/file"))
		return 3;
	/* What lies on the mount may be removed when it is named. */
	if (mkdirat(dir, "precious/tree", 0700) < 0 ||
	    path_write_new(dir, "precious/tree/file", "x", 1, 0600, &e) < 0 ||
	    path_remove_tree(dir, "spool/mnt/tree", &e) < 0 || exists(dir, "precious/tree"))
		return 5;
	umount(at);
	return path_remove_tree(dir, "spool", &e) == 0 && exists(dir, "precious/file") ? 0 : 4;
}

static void test_mount(void **state)
{
	int r = in_child(with_mount, *state, false);

	if (r == 77)
		skip();
	assert_int_equal(r, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_closed_folders),
		cmocka_unit_test(test_mount),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
