/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/str.h"
#include "image/config_json.h"
#include "image/image_user.h"
#include "oci/json.h"

static int make_rootfs(const char *in)
{
	static const char passwd[] = "root:x:0:0::/root:/bin/sh\nbroken\nodd:x:y:0::/:\n"
				     "app:x:1000:1000::/srv/app:/bin/sh\nlate:x:1000:1:::\n";
	cleanup(free) char *dir = path_join(in, "rootfs"), *etc = path_join(dir, "etc");
	int fd;

	path_remove_tree(AT_FDCWD, dir, NULL);
	assert_int_equal(path_mkdirs(etc, 0755, NULL), 0);
	fd = open(dir, O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(path_write_new(fd, "etc/passwd", passwd, strlen(passwd), 0644, NULL), 0);
	return fd;
}

static void test_image_user(void **state)
{
	static const struct {
		const char *user;
		bool good;
		uint32_t uid;
		const char *home;
	} rows[] = {
		{ "", true, 0, "/root" },
		{ "root", true, 0, "/root" },
		{ "app", true, 1000, "/srv/app" },
		{ "1000", true, 1000, "/srv/app" },
		{ "app:x", true, 1000, "/srv/app" },
		{ "1000:7", true, 1000, "/srv/app" },
		{ "77", true, 77, NULL },
		{ "late", true, 1000, NULL },
		{ "odd", false, 0, NULL },
		{ "nobody", false, 0, NULL },
		{ "broken", false, 0, NULL },
	};
	cleanup(close) int rootfs = make_rootfs(*state);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct image_user u = { 0 };
		int r = image_user_find(rootfs, rows[i].user, &u, NULL);

		check(i, (r == 0) == rows[i].good);
		if (rows[i].good) {
			check(i, u.uid == rows[i].uid);
			check_text(i, u.home, rows[i].home);
		}
		free(u.home);
	}
}

/* An image's /etc/passwd may be a link to the host's, or no file at all. */
static void test_passwd_links(void **state)
{
	cleanup(close) int rootfs = make_rootfs(*state);
	struct image_user u = { 0 };

	unlinkat(rootfs, "etc/passwd", 0);
	assert_int_equal(symlinkat("/etc/passwd", rootfs, "etc/passwd"), 0);
	assert_int_equal(image_user_find(rootfs, "root", &u, NULL), -1);
	unlinkat(rootfs, "etc/passwd", 0);
	assert_int_equal(symlinkat("../../../../../../etc/passwd", rootfs, "etc/passwd"), 0);
	assert_int_equal(image_user_find(rootfs, "root", &u, NULL), -1);
	unlinkat(rootfs, "etc/passwd", 0);
	assert_int_equal(mkfifoat(rootfs, "etc/passwd", 0600), 0);
	assert_int_equal(image_user_find(rootfs, "root", &u, NULL), -1);
}

static void test_from_image(void **state)
{
	static const char text[] = "{\"config\":{\"Entrypoint\":[\"/init\"],\"Cmd\":[\"a\",\"b\"],\"Env\":[\"X=1\"],"
				   "\"User\":\"app\",\"WorkingDir\":\"srv\",\"Labels\":{\"k\":\"v\"}}}";
	cleanup(close) int rootfs = make_rootfs(*state);
	cleanup(json) struct json_object *image = NULL, *config = NULL;
	cleanup(strv) char **notes = NULL, **args = NULL, **env = NULL;
	struct config_json_options o = { .root_path = "rootfs" };
	struct err e = ERR_INIT;
	const char *s = NULL;
	uint32_t uid = 7;

	assert_int_equal(json_parse(text, strlen(text), &image, &e), 0);
	assert_int_equal(config_json_make(rootfs, image, &o, &config, &notes, &e), 0);
	assert_int_equal(json_get_strings(config, "/process/args", &args, &e), 0);
	assert_string_equal(args[0], "/init");
	assert_string_equal(args[2], "b");
	assert_int_equal(json_get_strings(config, "/process/env", &env, &e), 0);
	assert_true(strv_has(env, "X=1"));
	assert_true(strv_has(env, "HOME=/srv/app"));
	assert_int_equal(json_get_string(config, "/process/cwd", &s, &e), 0);
	assert_string_equal(s, "/srv");
	assert_int_equal(json_get_string(config, "/annotations/k", &s, &e), 0);
	assert_string_equal(s, "v");
	assert_int_equal(json_get_u32(config, "/process/user/uid", &uid, &e), 0);
	assert_int_equal(uid, 0);
	assert_int_equal(strv_len(notes), 1);
}

static void test_bad_image(void **state)
{
	static const char text[] = "{\"config\":{\"Entrypoint\":\"/init\"}}";
	cleanup(close) int rootfs = make_rootfs(*state);
	cleanup(json) struct json_object *image = NULL, *config = NULL;
	cleanup(strv) char **notes = NULL;
	struct config_json_options o = { .root_path = "rootfs" };
	struct err e = ERR_INIT;

	assert_int_equal(json_parse(text, strlen(text), &image, &e), 0);
	assert_int_equal(config_json_make(rootfs, image, &o, &config, &notes, &e), -1);
	assert_string_equal(e.msg, "the image's configuration: /config/Entrypoint: expected an array of strings");
}

/* Mount points are made inside, whatever links the image has in their place. */
static void test_mount_points(void **state)
{
	cleanup(close) int rootfs = make_rootfs(*state);
	cleanup(json) struct json_object *config = NULL;
	cleanup(strv) char **notes = NULL;
	struct config_json_options o = { .root_path = "rootfs" };
	struct err e = ERR_INIT;
	struct stat st;

	assert_int_equal(symlinkat("/run/nowhere/resolv.conf", rootfs, "etc/resolv.conf"), 0);
	assert_int_equal(config_json_make(rootfs, NULL, &o, &config, &notes, &e), 0);
	assert_int_equal(json_set_string(config, "/process/cwd", "/a/b/c", &e), 0);
	assert_int_equal(symlinkat("/etc", rootfs, "a"), 0);
	if (config_json_mount_points(rootfs, config, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(fstatat(rootfs, "etc/b/c", &st, 0), 0);
	assert_int_equal(fstatat(rootfs, "proc", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(fstatat(rootfs, "sys", &st, AT_SYMLINK_NOFOLLOW), 0);
	if (access("/etc/resolv.conf", R_OK) == 0) {
		assert_int_equal(fstatat(rootfs, "etc/resolv.conf", &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_true(S_ISREG(st.st_mode));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_image_user),   cmocka_unit_test(test_passwd_links),
		cmocka_unit_test(test_from_image),   cmocka_unit_test(test_bad_image),
		cmocka_unit_test(test_mount_points),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
