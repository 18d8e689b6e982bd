/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/str.h"
#include "task/folder.h"
#include "task/undo.h"

static void test_round_trip(void **state)
{
	char *kill_argv[] = { "crun", "kill", "a b", "", NULL }, *delete_argv[] = { "sh", "-c", "x=1\ny", NULL };
	char *env[] = { "A=1", "B=bundle=x", NULL };
	const struct undo u = { .bundle = "/b\nc", .kill_argv = kill_argv, .delete_argv = delete_argv, .env = env };
	cleanup(close) int fd = open(*state, O_DIRECTORY | O_CLOEXEC);
	cleanup(undo) struct undo got = { 0 };
	cleanup(undo) struct undo none = { 0 };

	assert_int_equal(undo_read(fd, &none, NULL), 0);
	assert_null(none.bundle);
	/* The first is what is known before anything exists; the second replaces it. */
	assert_int_equal(undo_write(fd, &(struct undo){ .bundle = "/b\nc" }, NULL), 0);
	assert_int_equal(undo_write(fd, &u, NULL), 0);
	assert_int_equal(undo_read(fd, &got, NULL), 0);
	assert_string_equal(got.bundle, "/b\nc");
	assert_int_equal(strv_len(got.kill_argv), 4);
	assert_string_equal(got.kill_argv[2], "a b");
	assert_string_equal(got.kill_argv[3], "");
	assert_string_equal(got.delete_argv[2], "x=1\ny");
	assert_string_equal(got.env[1], "B=bundle=x");
}

/* A spool folder with one task, whose Delete makes the file "deleted" in the scratch folder. */
static char *make_spool(const char *scratch, struct task_folder *f, const char *container_path)
{
	char *spool = path_join(scratch, "spool");
	cleanup(free) char *deleted = path_join(scratch, "deleted");
	char *kill_argv[] = { "false", NULL }, *delete_argv[] = { "touch", deleted, NULL }, *env[] = { NULL };
	struct err e = ERR_INIT;

	unlink(deleted);
	path_remove_tree(AT_FDCWD, spool, NULL);
	if (task_folder_make(spool, 3, container_path, f, &e) < 0 ||
	    task_folder_record(f, kill_argv, delete_argv, env, &e) < 0)
		fail_msg("%s", e.msg);
	return spool;
}

static bool exists(const char *dir, const char *name)
{
	cleanup(free) char *path = path_join(dir, name);

	return access(path, F_OK) == 0;
}

static void test_clean_up(void **state)
{
	struct task_folder f;
	cleanup(free) char *spool = make_spool(*state, &f, NULL);
	struct err e = ERR_INIT;

	/* Locked: its berth-task, which is we, lives. */
	assert_int_equal(task_folder_clean_up(spool, &e), 0);
	assert_true(exists(f.path, "undo"));
	assert_false(exists(*state, "deleted"));
	close(take_fd(&f.fd));
	assert_int_equal(task_folder_clean_up(spool, &e), 0);
	assert_false(exists(f.path, ""));
	assert_true(exists(*state, "deleted"));
	assert_true(exists(spool, ""));
	assert_int_equal(task_folder_clean_up(spool, &e), 0);
	task_folder_free(&f);
}

static void test_clean_up_one(void **state)
{
	struct task_folder f, other;
	cleanup(free) char *spool = make_spool(*state, &f, NULL);
	struct err e = ERR_INIT;

	assert_int_equal(task_folder_make(spool, 4, NULL, &other, &e), 0);
	close(take_fd(&f.fd));
	close(take_fd(&other.fd));
	assert_int_equal(task_folder_clean_up(f.path, &e), 0);
	assert_false(exists(f.path, ""));
	assert_true(exists(other.path, "bundle"));
	task_folder_free(&f);
	task_folder_free(&other);
}

static void test_container_path(void **state)
{
	cleanup(free) char *parent = path_join(*state, "containers/of me");
	struct task_folder f, second;
	cleanup(free) char *spool = make_spool(*state, &f, parent);
	struct err e = ERR_INIT;

	assert_true(str_starts(f.bundle, parent) && exists(f.bundle, ""));
	assert_int_equal(task_folder_make(spool, 4, parent, &second, &e), 0);
	task_folder_remove(&second);
	task_folder_free(&second);
	assert_true(exists(f.bundle, ""));
	close(take_fd(&f.fd));
	assert_int_equal(task_folder_clean_up(spool, &e), 0);
	assert_false(exists(f.bundle, ""));
	assert_false(exists(parent, ""));
	task_folder_free(&f);
	/* Open to others. */
	assert_int_equal(path_mkdirs(parent, 0700, &e), 0);
	assert_int_equal(chmod(parent, 0777), 0);
	assert_int_equal(task_folder_make(spool, 5, parent, &f, &e), -1);
	assert_non_null(strstr(e.msg, "ContainerPath"));
	task_folder_remove(&f);
	task_folder_free(&f);
}

static void test_missing(void **state)
{
	cleanup(free) char *none = path_join(*state, "none");
	struct err e = ERR_INIT;

	assert_int_equal(task_folder_clean_up(none, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_clean_up),
		cmocka_unit_test(test_clean_up_one), cmocka_unit_test(test_container_path),
		cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
