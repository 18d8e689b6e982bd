/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any config.json goes through all the edits that a task makes and is written and read again. What no edit is meant to
 * touch must be as it was.
 */
#include <fcntl.h>
#include <json-c/json_object_iterator.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "config/oci_conf.h"
#include "fuzz.h"
#include "oci/bundle.h"
#include "oci/json.h"
#include "oci/mounts.h"

static char scratch[] = "/tmp/berth-fuzz-XXXXXX";
static int out_fd = -1;

static void remove_scratch(void)
{
	path_remove_tree(AT_FDCWD, scratch, NULL);
}

static void set_up(void)
{
	static const char *const folders[] = { "b/rootfs/etc", "b/rootfs/tmp", "out" };

	if (out_fd >= 0)
		return;
	if (!mkdtemp(scratch))
		abort();
	atexit(remove_scratch);
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		cleanup(free) char *path = path_join(scratch, folders[i]);

		if (path_mkdirs(path, 0755, NULL) < 0)
			abort();
	}
	out_fd = open(scratch, O_DIRECTORY | O_CLOEXEC);
}

static int edit(struct bundle *b, const char *skeleton)
{
	cleanup(mount_plan) struct mount_plan *plan = NULL;

	bundle_drop_hooks(b, OCI_HOOK_PRESTART);
	if (bundle_own_ids(b, 1, 2, NULL) < 0 || bundle_add_dev(b, NULL) < 0)
		return -1;
	plan = mount_plan_new(b, skeleton);
	if (mount_plan_can(plan, "/job/dir"))
		mount_plan_bind(plan, "/tmp", "/job/dir", false);
	mount_plan_bind(plan, "/etc/passwd", "/etc/passwd", true);
	return mount_plan_apply(plan, NULL);
}

static bool is_edited(const char *name)
{
	static const char *const names[] = { "root", "mounts", "hooks", "linux", "process" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static void compare(struct json_object *before, struct json_object *after)
{
	struct json_object_iterator end = json_object_iter_end(before);

	for (struct json_object_iterator it = json_object_iter_begin(before); !json_object_iter_equal(&it, &end);
	     json_object_iter_next(&it)) {
		const char *name = json_object_iter_peek_name(&it);
		struct json_object *now = NULL;

		if (is_edited(name))
			continue;
		if (!json_object_object_get_ex(after, name, &now) ||
		    !json_object_equal(json_object_iter_peek_value(&it), now))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(free) char *skeleton = NULL, *dir = NULL;
	cleanup(json) struct json_object *before = NULL;
	cleanup(json) struct json_object *after = NULL;
	cleanup(bundle) struct bundle b = BUNDLE_INIT;

	set_up();
	skeleton = path_join(scratch, "skeleton");
	dir = path_join(scratch, "b");
	unlinkat(out_fd, "b/config.json", 0);
	if (path_write_new(out_fd, "b/config.json", data, size, 0600, NULL) < 0)
		abort();
	if (bundle_load(dir, &b, NULL) < 0)
		return 0;
	/* Never the host's own "/", of which it would make a stand-in. */
	if (strncmp(b.rootfs, scratch, strlen(scratch)) != 0)
		return 0;
	if (edit(&b, skeleton) == 0) {
		unlinkat(out_fd, "config.json", 0);
		if (bundle_write(&b, out_fd, NULL) < 0 || json_parse((const char *)data, size, &before, NULL) < 0 ||
		    json_load(out_fd, "config.json", JSON_MAX_FILE, &after, NULL) < 0)
			abort();
		compare(before, after);
	}
	path_remove_tree(AT_FDCWD, skeleton, NULL);
	return 0;
}
