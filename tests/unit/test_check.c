/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "image/check.h"
#include "image/config_json.h"
#include "oci/json.h"

/* A bundle that runs, with one value of its config.json put in (NULL: taken out). */
static char *make_bundle(const char *in, const char *pointer, const char *value)
{
	char *dir = path_join(in, "bundle");
	cleanup(free) char *rootfs = path_join(dir, "rootfs");
	cleanup(close) int fd = -1, root_fd = -1;
	cleanup(json) struct json_object *doc = NULL;
	cleanup(strv) char **notes = NULL;
	struct config_json_options o = { .root_path = "rootfs" };
	struct err e = ERR_INIT;

	path_remove_tree(AT_FDCWD, dir, NULL);
	assert_int_equal(path_mkdirs(rootfs, 0755, &e), 0);
	fd = open(dir, O_DIRECTORY | O_CLOEXEC);
	root_fd = open(rootfs, O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(fd, "other", 0755), 0);
	assert_int_equal(symlinkat("rootfs", fd, "link"), 0);
	assert_int_equal(path_write_new(fd, "file", "", 0, 0644, &e), 0);
	assert_int_equal(config_json_make(root_fd, NULL, &o, &doc, &notes, &e), 0);
	if (pointer && !value)
		json_remove(doc, pointer);
	else if (pointer)
		assert_int_equal(json_set(doc, pointer, json_tokener_parse(value), &e), 0);
	assert_int_equal(json_write(fd, "config.json", doc, 0644, &e), 0);
	return dir;
}

static void test_good(void **state)
{
	cleanup(free) char *dir = make_bundle(*state, NULL, NULL);
	cleanup(check_result) struct check_result r = CHECK_RESULT_INIT;

	check_bundle(dir, &r);
	for (size_t i = 0; i < r.n; i++)
		print_error("%s: %s\n", r.problems[i].pointer, r.problems[i].text);
	assert_int_equal(r.n, 0);
}

static const struct row {
	const char *pointer, *value;
	bool error;
	const char *problem; /* its beginning */
} rows[] = {
	{ "/ociVersion", NULL, true, "/ociVersion: missing" },
	{ "/ociVersion", "1", true, "/ociVersion: expected a string" },
	{ "/ociVersion", "\"2.0\"", true, "/ociVersion: 2.0 is not known" },
	{ "/root", NULL, true, "/root: missing" },
	{ "/root", "[]", true, "/root: expected an object" },
	{ "/root/path", NULL, true, "/root/path: missing; expected a string" },
	{ "/root/path", "7", true, "/root/path: expected a string" },
	{ "/root/path", "\"\"", true, "/root/path: an empty path" },
	{ "/root/path", "\"rootfs/../../etc\"", true, "/root/path: rootfs/../../etc leaves the bundle" },
	{ "/root/path", "\"nowhere\"", true, "/root/path: nowhere: No such file or directory" },
	{ "/root/path", "\"file\"", true, "/root/path: file is not a folder" },
	{ "/root/path", "\"link/\"", true, "/root/path: link/ is a symbolic link, which runc refuses" },
	{ "/root/path", "\"a\\u0000b\"", true, "/root/path: the string holds a NUL byte" },
	{ "/root/readonly", "\"no\"", true, "/root/readonly: expected true or false" },
	{ "/hostname", "\"x\"", true, "/hostname: set without a uts namespace" },
	{ "/annotations/a", "1", true, "/annotations/a: expected a string" },
	{ "/process", NULL, true, "/process: missing" },
	{ "/process/args", "\"sh\"", true, "/process/args: expected an array of strings" },
	{ "/process/args", "[]", true, "/process/args: expected at least one string" },
	{ "/process/args", "[1]", true, "/process/args/0: expected a string" },
	{ "/process/args", "[\"\"]", true, "/process/args/0: an empty command" },
	{ "/process/args", "[\"/bin/none\"]", false, "/process/args/0: /bin/none is not in the root" },
	{ "/process/args", NULL, false, "/process/args: missing" },
	{ "/process/env/-", "\"NOTHING\"", true, "/process/env/1: expected NAME=value" },
	{ "/process/cwd", NULL, true, "/process/cwd: missing" },
	{ "/process/cwd", "\"tmp\"", true, "/process/cwd: expected an absolute path" },
	{ "/process/terminal", "1", true, "/process/terminal: expected true or false" },
	{ "/process/user/uid", "1000", true, "/process/user/uid: 1000 is not among /linux/uidMappings" },
	{ "/process/user/uid", "-1", true, "/process/user/uid: expected a whole number" },
	{ "/process/user/gid", "5", true, "/process/user/gid: 5 is not among /linux/gidMappings" },
	{ "/process/user/additionalGids", "[0, 10]", true, "/process/user/additionalGids/1: 10 is not among" },
	{ "/process/capabilities/bounding", "[\"KILL\"]", true, "/process/capabilities/bounding: 'KILL' is no" },
	{ "/process/rlimits", "[{\"type\": \"RLIMIT_FUN\", \"hard\": 1, \"soft\": 1}]", true,
	  "/process/rlimits/0/type: 'RLIMIT_FUN' is no limit" },
	{ "/process/rlimits", "[{\"type\": \"RLIMIT_CORE\", \"hard\": 1, \"soft\": 2}]", true,
	  "/process/rlimits/0/soft: 2 is more than the hard limit 1" },
	{ "/process/selinuxLabel", "\"a:b\"", true, "/process/selinuxLabel: 'a:b': this host has no SELinux" },
	{ "/mounts", "[]", true, "/mounts: nothing is mounted at /proc" },
	{ "/mounts/-", "7", true, "/mounts/8: expected an object" },
	{ "/mounts/-", "{\"type\": \"tmpfs\"}", true, "/mounts/8/destination: missing" },
	{ "/mounts/-", "{\"destination\": \"x\", \"type\": \"tmpfs\"}", true,
	  "/mounts/8/destination: expected an abs" },
	{ "/mounts/-", "{\"destination\": \"/x\"}", true, "/mounts/8/type: missing" },
	{ "/mounts/-", "{\"destination\": \"/x\", \"type\": \"ext4\", \"source\": \"/dev/sda\"}", true,
	  "/mounts/8/type: only root can mount a file system of type ext4" },
	{ "/mounts/-", "{\"destination\": \"/x\", \"type\": \"sysfs\", \"source\": \"s\"}", true,
	  "/mounts/8/type: sysfs can be mounted without privileges only with a network namespace" },
	{ "/mounts/-", "{\"destination\": \"/x\", \"type\": \"bind\", \"source\": \"/no/where\"}", true,
	  "/mounts/8/source: /no/where: No such file" },
	{ "/mounts/-", "{\"destination\": \"/x\", \"options\": [\"rbind\"]}", true, "/mounts/8/source: missing" },
	{ "/mounts/-", "{\"destination\": \"/x\", \"type\": \"tmpfs\", \"options\": [\"ro\", \"gid=5\"]}", true,
	  "/mounts/8/options/1: gid=5 is not among /linux/gidMappings" },
	{ "/linux", NULL, true, "/linux: missing" },
	{ "/linux/namespaces", "[{\"type\": \"pid\"}]", true, "/linux/namespaces: no mount namespace" },
	{ "/linux/namespaces/-", "{\"type\": \"fun\"}", true, "/linux/namespaces/4/type: 'fun' is no kind" },
	{ "/linux/namespaces/-", "{\"type\": \"pid\"}", true, "/linux/namespaces/4/type: 'pid' for the second" },
	{ "/linux/namespaces/-", "{\"type\": \"uts\", \"path\": \"/no\"}", true, "/linux/namespaces/4/path: /no: No" },
	{ "/linux/namespaces/-", "{\"type\": \"network\"}", false, "/linux/namespaces: a network namespace" },
	{ "/linux/uidMappings", NULL, true, "/linux/uidMappings: missing; runc needs it" },
	{ "/linux/gidMappings", "[]", true, "/linux/gidMappings: missing; runc needs it" },
	{ "/linux/uidMappings", "[{\"containerID\": 0, \"size\": 1}]", true, "/linux/uidMappings/0: expected cont" },
	{ "/linux/uidMappings", "[{\"containerID\": 0, \"hostID\": 0, \"size\": 0}]", true,
	  "/linux/uidMappings/0/size: 0 ids from 0 is no range" },
	{ "/linux/devices", "[{\"path\": \"/dev/none\", \"type\": \"c\"}]", true, "/linux/devices/0/path: /dev/none" },
	{ "/linux/sysctl", "{\"vm.swappiness\": \"1\"}", true, "/linux/sysctl/vm.swappiness: it belongs to no" },
	{ "/linux/sysctl", "{\"net.ipv4.x\": \"1\"}", true, "/linux/sysctl/net.ipv4.x: it needs a network" },
	{ "/linux/maskedPaths/-", "\"proc\"", true, "/linux/maskedPaths/10: expected an absolute path" },
	{ "/linux/seccomp", "{}", true, "/linux/seccomp/defaultAction: missing" },
	{ "/hooks", "{\"prestart\": {}}", true, "/hooks/prestart: expected an array" },
	{ "/hooks", "{\"poststop\": [{}]}", true, "/hooks/poststop/0/path: missing" },
	{ "/hooks", "{\"prestart\": [{\"path\": \"x\"}]}", true, "/hooks/prestart/0/path: expected an absolute" },
	{ "/hooks", "{\"prestart\": [{\"path\": \"/no/hook\"}]}", true, "/hooks/prestart/0/path: /no/hook: No such" },
	{ "/hooks", "{\"prestart\": [{\"path\": \"/etc/passwd\"}]}", true,
	  "/hooks/prestart/0/path: /etc/passwd is not" },
	{ "/hooks", "{\"poststart\": [{\"path\": \"/bin/sh\", \"timeout\": 0}]}", true, "/hooks/poststart/0/timeout:" },
	{ "/hooks", "{\"fun\": []}", false, "/hooks/fun: no kind of hook" },
};

static void test_problems(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup(free) char *dir = make_bundle(*state, rows[i].pointer, rows[i].value);
		cleanup(check_result) struct check_result r = CHECK_RESULT_INIT;
		bool found = false;

		check_bundle(dir, &r);
		for (size_t p = 0; p < r.n; p++) {
			cleanup(free) char *text = xasprintf("%s: %s", r.problems[p].pointer, r.problems[p].text);

			found = found || (str_starts(text, rows[i].problem) && r.problems[p].error == rows[i].error);
		}
		if (!found)
			fail_msg("row %zu: no \"%s\", but %zu others (%s: %s)", i, rows[i].problem, r.n,
				 r.n ? r.problems[0].pointer : "", r.n ? r.problems[0].text : "");
	}
}

static void test_no_json(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "{} x" };
	cleanup(check_result) struct check_result none = CHECK_RESULT_INIT;

	for (size_t i = 0; i < COUNT(texts); i++) {
		cleanup(free) char *dir = make_bundle(*state, NULL, NULL), *file = path_join(dir, "config.json");
		cleanup(check_result) struct check_result r = CHECK_RESULT_INIT;

		assert_int_equal(unlink(file), 0);
		if (i)
			assert_int_equal(path_write_new(AT_FDCWD, file, texts[i], strlen(texts[i]), 0644, NULL), 0);
		check_bundle(dir, &r);
		assert_int_equal(r.errors, 1);
		assert_string_equal(r.problems[0].pointer, "");
		assert_non_null(strstr(r.problems[0].text, "config.json: "));
	}
	check_bundle("/nonexistent", &none);
	assert_int_equal(none.errors, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_no_json),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
