/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/local/state.h"

static void test_named(void **state)
{
	cleanup(free) char *dir = path_join(*state, "spool");
	cleanup(free) char *path = NULL;
	cleanup(close) int fd = -1;
	struct err e = ERR_INIT;
	struct stat st;

	setenv("BERTH_SPOOL_DIR", dir, 1);
	fd = state_spool(&path, &e);
	assert_true(fd >= 0);
	assert_string_equal(path, dir);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

/* One that others may enter is refused, and the error says how to have another. */
static void test_open_to_others(void **state)
{
	cleanup(free) char *dir = path_join(*state, "open");
	cleanup(free) char *path = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	setenv("BERTH_SPOOL_DIR", dir, 1);
	assert_int_equal(state_spool(&path, &e), -1);
	assert_null(path);
	assert_non_null(strstr(e.msg, "BERTH_SPOOL_DIR"));
}

/* Never in a folder that goes with the login session. */
static void test_usual(void **state)
{
	cleanup(free) char *shm = xasprintf("/dev/shm/berth-%u", geteuid());
	cleanup(free) char *tmp = xasprintf("/tmp/berth-%u", geteuid());
	bool had_shm = access(shm, F_OK) == 0, had_tmp = access(tmp, F_OK) == 0;
	cleanup(free) char *path = NULL;
	cleanup(close) int fd = -1;
	struct err e = ERR_INIT;

	unsetenv("BERTH_SPOOL_DIR");
	setenv("XDG_RUNTIME_DIR", *state, 1);
	fd = state_spool(&path, &e);
	assert_true(fd >= 0);
	assert_true(strcmp(path, shm) == 0 || strcmp(path, tmp) == 0);
	if (!had_shm)
		rmdir(shm);
	if (!had_tmp)
		rmdir(tmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_open_to_others),
		cmocka_unit_test(test_usual),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
