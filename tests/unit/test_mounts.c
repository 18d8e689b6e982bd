/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle.h"

#include "base/str.h"
#include "oci/mounts.h"

/* A root file system with links, and mounts of each kind; DATA is a folder of the host with "there" in it. */
static struct mount_plan *make_plan(const char *dir, struct bundle *b)
{
	cleanup(free) char *data = path_join(dir, "data/there"), *skeleton = path_join(dir, "skeleton");
	cleanup(free) char *root = path_join(dir, "b/rootfs"), *config = NULL;
	cleanup(close) int fd = -1;

	path_mkdirs(data, 0755, NULL);
	path_remove_tree(AT_FDCWD, skeleton, NULL);
	assert_true(asprintf(&config,
			     "{\"root\":{\"path\":\"rootfs\"},\"process\":{},\"mounts\":["
			     "{\"destination\":\"/tmp\",\"type\":\"tmpfs\"},"
			     "{\"destination\":\"/data\",\"type\":\"bind\",\"source\":\"%s/data\"},"
			     "{\"destination\":\"/proc\",\"type\":\"proc\"},"
			     "{\"destination\":\"/abs/in\",\"type\":\"none\",\"source\":\"%s/"
			     "data\",\"options\":[\"rbind\"]},"
			     "5, {\"type\":\"tmpfs\"}, {\"destination\":7}]}",
			     dir, dir) > 0);
	load_bundle_at(dir, config, b);
	fd = open(root, O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(symlinkat("/real", fd, "abs"), 0);
	assert_int_equal(symlinkat("../../../../real/deep", fd, "usr/up"), 0);
	assert_int_equal(symlinkat("/nowhere", fd, "dangling"), 0);
	assert_int_equal(symlinkat("loop", fd, "loop"), 0);
	return mount_plan_new(b, skeleton);
}

static void test_questions(void **state)
{
	static const struct {
		const char *path;
		bool has, covers, private, can;
	} rows[] = {
		{ "/", true, false, false, true },
		{ "/etc", true, false, false, true },
		{ "/etc/passwd", true, false, false, true },
		{ "/etc/none", false, false, false, true },
		{ "/none/at/all", false, false, false, true },
		{ "/tmp", true, true, true, true },
		{ "/tmp/x", false, true, true, true },
		{ "/tmpx", false, false, false, true },
		{ "/data", true, true, false, true },
		{ "/data/there", true, true, false, true },
		{ "/data/../tmp", true, true, true, true },
		{ "/data/none", false, true, false, false },
		{ "/proc/1", false, true, false, false },
		{ "/real/in/there", true, true, false, true },
		{ "/abs/in", true, true, false, true },
		{ "/abs/in/none", false, true, false, false },
		{ "/usr/up", true, false, false, true },
		{ "/usr/up/none", false, false, false, true },
		{ "/dangling", false, false, false, true },
		{ "/dangling/x", false, false, false, true },
		{ "/etc/passwd/x", false, false, false, false },
	};
	struct bundle b;
	cleanup(mount_plan) struct mount_plan *p = make_plan(*state, &b);

	for (size_t i = 0; i < COUNT(rows); i++) {
		check(i, mount_plan_has(p, rows[i].path) == rows[i].has);
		check(i, mount_plan_covers(p, rows[i].path) == rows[i].covers);
		check(i, mount_plan_private(p, rows[i].path) == rows[i].private);
		check(i, mount_plan_can(p, rows[i].path) == rows[i].can);
	}
	bundle_free(&b);
}

/* The index of the mount at DESTINATION, or -1. */
static int index_of(struct json_object *mounts, const char *destination)
{
	for (size_t i = 0; i < json_object_array_length(mounts); i++) {
		struct json_object *m = json_object_array_get_idx(mounts, i);
		const char *at = "";

		if (json_object_is_type(m, json_type_object) && json_get_string(m, "/destination", &at, NULL) == 0 &&
		    strcmp(at, destination) == 0)
			return (int)i;
	}
	return -1;
}

static void test_apply(void **state)
{
	cleanup(free) char *data = path_join(*state, "data"), *root = path_join(*state, "skeleton/0");
	cleanup(free) char *place = path_join(root, "proc"), *link = path_join(root, "abs");
	struct json_object *mounts = NULL;
	const char *path = "";
	struct bundle b;
	struct stat st;
	cleanup(mount_plan) struct mount_plan *p = make_plan(*state, &b);

	mount_plan_bind(p, data, "/etc/new", true);
	mount_plan_bind(p, data, "/tmp/new", false);
	assert_int_equal(mount_plan_apply(p, NULL), 0);
	assert_int_equal(json_get_array(b.config, "/mounts", &mounts, NULL), 0);
	/* "/" lacks proc and data, so it is replaced; /etc lacks new and lies in that. */
	assert_int_equal(json_get_string(b.config, "/root/path", &path, NULL), 0);
	assert_string_equal(path, root);
	assert_int_equal(lstat(place, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	/* The stand-ins come first, then what config.json says, then ours. */
	assert_true(index_of(mounts, "/etc") >= 0 && index_of(mounts, "/etc") < index_of(mounts, "/etc/passwd"));
	assert_true(index_of(mounts, "/etc/passwd") < index_of(mounts, "/tmp"));
	assert_true(index_of(mounts, "/tmp") < index_of(mounts, "/etc/new"));
	assert_true(index_of(mounts, "/tmp/new") > 0);
	assert_true(index_of(mounts, "/usr") >= 0);
	bundle_free(&b);
}

static void test_nothing_missing(void **state)
{
	cleanup(free) char *skeleton = path_join(*state, "skeleton"), *rootfs = NULL;
	cleanup(mount_plan) struct mount_plan *p = NULL;
	const char *path = "";
	struct bundle b;

	path_remove_tree(AT_FDCWD, skeleton, NULL);
	load_bundle_at(*state, "{\"root\":{\"path\":\"rootfs\"},\"process\":{}}", &b);
	p = mount_plan_new(&b, skeleton);
	mount_plan_bind(p, "/", "/tmp", false);
	assert_int_equal(mount_plan_apply(p, NULL), 0);
	assert_int_equal(json_get_string(b.config, "/root/path", &path, NULL), 0);
	rootfs = path_join(b.dir, "rootfs");
	assert_string_equal(path, rootfs);
	assert_int_equal(access(skeleton, F_OK), -1);
	bundle_free(&b);
}

static void test_no_array(void **state)
{
	cleanup(mount_plan) struct mount_plan *p = NULL;
	struct err e = ERR_INIT;
	struct bundle b;

	load_bundle_at(*state, "{\"root\":{\"path\":\"rootfs\"},\"process\":{},\"mounts\":\"x\"}", &b);
	p = mount_plan_new(&b, "/nonexistent");
	assert_int_equal(mount_plan_apply(p, &e), -1);
	assert_non_null(strstr(e.msg, "/mounts: expected an array"));
	bundle_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_apply),
		cmocka_unit_test(test_nothing_missing),
		cmocka_unit_test(test_no_array),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
