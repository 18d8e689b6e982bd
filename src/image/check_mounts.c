/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "image/check_parts.h"
#include "oci/json.h"

/* File systems that a user namespace may mount, and the namespace of its own that each needs for that. */
static const struct {
	const char *type;
	unsigned needs;
	const char *needs_name;
} mountable[] = {
	{ "proc", CHECK_NS_PID, "pid" },
	{ "sysfs", CHECK_NS_NETWORK, "network" },
	{ "mqueue", CHECK_NS_IPC, "ipc" },
	{ "tmpfs", 0, NULL },
	{ "devpts", 0, NULL },
	{ "ramfs", 0, NULL },
	{ "overlay", 0, NULL },
	{ "fuse", 0, NULL },
	{ "cgroup", CHECK_NS_CGROUP, "cgroup" },
	{ "cgroup2", CHECK_NS_CGROUP, "cgroup" },
};

static bool is_bind(const char *type, char *const *options)
{
	return (type && strcmp(type, "bind") == 0) || strv_has(options, "bind") || strv_has(options, "rbind");
}

static void check_bind(struct check *c, const char *at, const char *source)
{
	cleanup(free) char *pointer = xasprintf("%s/source", at), *path = NULL;
	struct stat st;

	if (!source) {
		if (!json_at(c->doc, pointer))
			check_error(c, pointer, "missing; a bind mount needs what to mount");
		return;
	}
	path = path_join(c->dir, source);
	if (stat(path, &st) < 0)
		check_error(c, pointer, "%s: %s", source, strerror(errno));
}

static void check_type(struct check *c, const char *at, const char *type)
{
	cleanup(free) char *pointer = xasprintf("%s/type", at);
	size_t i = 0;

	if (geteuid() == 0 && !(c->namespaces & CHECK_NS_USER))
		return;
	while (i < sizeof(mountable) / sizeof(mountable[0]) && strcmp(type, mountable[i].type) != 0)
		i++;
	if (i == sizeof(mountable) / sizeof(mountable[0]))
		check_error(c, pointer, "only root can mount a file system of type %s", type);
	else if (str_starts(type, "cgroup") && !(c->namespaces & CHECK_NS_CGROUP))
		check_warning(c, pointer, "%s without a cgroup namespace: the runtime shows the host's in its place",
			      type);
	else if ((c->namespaces & mountable[i].needs) != mountable[i].needs)
		check_error(c, pointer, "%s can be mounted without privileges only with a %s namespace of its own",
			    type, mountable[i].needs_name);
}

static void check_options(struct check *c, const char *at, char *const *options)
{
	for (size_t i = 0; options && options[i]; i++) {
		cleanup(free) char *pointer = xasprintf("%s/options/%zu", at, i);
		uint32_t id;

		if (str_starts(options[i], "gid=") && parse_u32(options[i] + 4, 0, UINT32_MAX, &id, NULL) == 0 &&
		    !check_is_mapped(c, "gid", id))
			check_error(c, pointer, "%s is not among /linux/gidMappings", options[i]);
		if (str_starts(options[i], "uid=") && parse_u32(options[i] + 4, 0, UINT32_MAX, &id, NULL) == 0 &&
		    !check_is_mapped(c, "uid", id))
			check_error(c, pointer, "%s is not among /linux/uidMappings", options[i]);
	}
}

static void check_mount(struct check *c, const char *at)
{
	cleanup(free) char *destination_at = xasprintf("%s/destination", at), *type_at = xasprintf("%s/type", at);
	cleanup(free) char *source_at = xasprintf("%s/source", at), *options_at = xasprintf("%s/options", at);
	const char *destination = check_need_string(c, destination_at);
	const char *type = check_string(c, type_at), *source = check_string(c, source_at);
	cleanup(strv) char **options = check_strings(c, options_at);

	if (destination && *destination != '/')
		check_error(c, destination_at, "expected an absolute path");
	if (is_bind(type, options))
		check_bind(c, at, source);
	else if (type && *type)
		check_type(c, at, type);
	else if (!json_at(c->doc, type_at))
		check_error(c, type_at, "missing; expected a file system's type, or bind among the options");
	check_options(c, at, options);
}

void check_mounts(struct check *c)
{
	size_t n = check_array(c, "/mounts");
	bool has_proc = false;

	for (size_t i = 0; i < n; i++) {
		cleanup(free) char *at = xasprintf("/mounts/%zu", i);
		cleanup(free) char *destination_at = xasprintf("%s/destination", at);
		const char *destination = NULL;

		if (!check_object(c, at)) {
			if (!json_at(c->doc, at))
				check_error(c, at, "expected an object");
			continue;
		}
		check_mount(c, at);
		json_get_string(c->doc, destination_at, &destination, NULL);
		has_proc = has_proc || (destination && strcmp(destination, "/proc") == 0);
	}
	if (!has_proc)
		check_error(c, "/mounts", "nothing is mounted at /proc, which the runtimes need");
}

static void check_hook(struct check *c, const char *type, const char *at)
{
	cleanup(free) char *path_at = xasprintf("%s/path", at), *args_at = xasprintf("%s/args", at);
	cleanup(free) char *env_at = xasprintf("%s/env", at), *timeout_at = xasprintf("%s/timeout", at);
	const char *path = check_need_string(c, path_at);
	uint32_t timeout = 1;

	strv_free(check_strings(c, args_at));
	strv_free(check_strings(c, env_at));
	if (check_u32(c, timeout_at, &timeout) && !timeout)
		check_error(c, timeout_at, "expected more than 0 seconds");
	if (!path)
		return;
	if (*path != '/') {
		check_error(c, path_at, "expected an absolute path");
		return;
	}
	/* This one is a program of the container's. */
	if (strcmp(type, "startContainer") == 0)
		return;
	if (access(path, F_OK) < 0)
		check_error(c, path_at, "%s: %s", path, strerror(errno));
	else if (access(path, X_OK) < 0)
		check_error(c, path_at, "%s is not executable", path);
}

void check_hooks(struct check *c)
{
	static char *const known[] = {
		"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop", NULL
	};
	struct json_object *hooks = check_object(c, "/hooks");

	if (!hooks)
		return;
	json_object_object_foreach(hooks, type, list) {
		cleanup(free) char *array_at = xasprintf("/hooks/%s", type);
		size_t n;

		(void)list;
		if (!strv_has(known, type)) {
			check_warning(c, array_at, "no kind of hook that is known");
			continue;
		}
		n = check_array(c, array_at);
		for (size_t i = 0; i < n; i++) {
			cleanup(free) char *at = xasprintf("%s/%zu", array_at, i);

			if (check_object(c, at))
				check_hook(c, type, at);
		}
	}
}
