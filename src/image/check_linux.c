/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "image/check_parts.h"
#include "oci/json.h"
#include "proc/user.h"

enum { MAX_ID_FILE = 16 << 20 };

static const struct {
	const char *name;
	enum check_ns ns;
} namespace_names[] = {
	{ "pid", CHECK_NS_PID },       { "network", CHECK_NS_NETWORK }, { "ipc", CHECK_NS_IPC },
	{ "uts", CHECK_NS_UTS },       { "mount", CHECK_NS_MOUNT },	{ "user", CHECK_NS_USER },
	{ "cgroup", CHECK_NS_CGROUP }, { "time", CHECK_NS_TIME },
};

static void check_namespace(struct check *c, const char *at)
{
	cleanup(free) char *type_at = xasprintf("%s/type", at), *path_at = xasprintf("%s/path", at);
	const char *type = check_need_string(c, type_at), *path = check_string(c, path_at);
	size_t i = 0;

	while (type && i < sizeof(namespace_names) / sizeof(namespace_names[0]) &&
	       strcmp(type, namespace_names[i].name) != 0)
		i++;
	if (!type)
		return;
	if (i == sizeof(namespace_names) / sizeof(namespace_names[0])) {
		check_error(c, type_at, "'%s' is no kind of namespace", type);
		return;
	}
	if (c->namespaces & namespace_names[i].ns)
		check_error(c, type_at, "'%s' for the second time", type);
	c->namespaces |= namespace_names[i].ns;
	if (!path || !*path)
		return;
	c->joined |= namespace_names[i].ns;
	if (access(path, R_OK) < 0)
		check_error(c, path_at, "%s: %s", path, strerror(errno));
}

void check_namespaces(struct check *c)
{
	size_t n = check_array(c, "/linux/namespaces");

	for (size_t i = 0; i < n; i++) {
		cleanup(free) char *at = xasprintf("/linux/namespaces/%zu", i);

		if (check_object(c, at))
			check_namespace(c, at);
	}
	if (!(c->namespaces & CHECK_NS_USER) && geteuid() != 0)
		check_error(c, "/linux/namespaces",
			    "no user namespace, which a container without root's privileges needs");
	if (!(c->namespaces & CHECK_NS_MOUNT))
		check_error(c, "/linux/namespaces", "no mount namespace, which the runtimes need");
	if ((c->namespaces & CHECK_NS_NETWORK) && !(c->joined & CHECK_NS_NETWORK))
		check_warning(c, "/linux/namespaces",
			      "a network namespace of its own: nothing but loopback is there, so neither MPI between "
			      "nodes nor a file server can be reached; leave it out for the host's network");
}

bool check_is_mapped(struct check *c, const char *which, uint32_t id)
{
	cleanup(free) char *at = xasprintf("/linux/%sMappings", which);
	struct json_object *list = NULL;

	if (json_get_array(c->doc, at, &list, NULL) < 0 || !list || !(c->namespaces & CHECK_NS_USER))
		return true;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		uint32_t inside = 0, size = 0;

		if (json_get_u32(o, "/containerID", &inside, NULL) == 0 && json_get_u32(o, "/size", &size, NULL) == 0 &&
		    id >= inside && id - inside < size)
			return true;
	}
	return false;
}

/* True where /etc/subuid or /etc/subgid gives the user the ids FIRST to FIRST+SIZE-1. */
static bool is_delegated(const char *file, uint32_t first, uint32_t size)
{
	cleanup(free) char *text = NULL;
	cleanup(strv) char **lines = NULL;
	cleanup(user) struct user own = { 0 };
	cleanup(free) char *number = xasprintf("%u", getuid());

	user_by_uid(getuid(), &own, NULL);
	if (path_read_file(AT_FDCWD, file, MAX_ID_FILE, &text, NULL, NULL, NULL) < 0)
		return false;
	lines = str_split(text, "\n");
	for (char **l = lines; *l; l++) {
		cleanup(strv) char **f = str_split(*l, ":");
		uint32_t start, count;

		if (strv_len(f) != 3 || (strcmp(f[0], number) != 0 && !(own.name && strcmp(f[0], own.name) == 0)) ||
		    parse_u32(f[1], 0, UINT32_MAX, &start, NULL) < 0 ||
		    parse_u32(f[2], 1, UINT32_MAX, &count, NULL) < 0)
			continue;
		if (first >= start && size <= count && first - start <= count - size)
			return true;
	}
	return false;
}

/* ONLY: the one row of its list, whose hostID berth-task replaces by the user's where it is a single id. */
static void check_mapping(struct check *c, const char *at, bool users, bool only)
{
	cleanup(free) char *inside_at = xasprintf("%s/containerID", at), *outside_at = xasprintf("%s/hostID", at);
	cleanup(free) char *size_at = xasprintf("%s/size", at);
	uint32_t inside = 0, outside = 0, size = 0, own = users ? geteuid() : getegid();

	if (!json_at(c->doc, inside_at) || !json_at(c->doc, outside_at) || !json_at(c->doc, size_at)) {
		check_error(c, at, "expected containerID, hostID and size");
		return;
	}
	if (!check_u32(c, inside_at, &inside) || !check_u32(c, outside_at, &outside) || !check_u32(c, size_at, &size))
		return;
	if (!size || inside > UINT32_MAX - size || outside > UINT32_MAX - size) {
		check_error(c, size_at, "%u ids from %u is no range", size, inside);
		return;
	}
	if (geteuid() == 0 || (outside == own && size == 1))
		return;
	if (only && size == 1) {
		check_warning(c, outside_at,
			      "%u is not your own %s %u: berth puts yours in its place, a runtime run by hand does not",
			      outside, users ? "uid" : "gid", own);
		return;
	}
	if (!is_delegated(users ? "/etc/subuid" : "/etc/subgid", outside, size))
		check_error(c, outside_at, "%u (%u ids) is neither your own %s %u nor given to you in %s", outside,
			    size, users ? "uid" : "gid", own, users ? "/etc/subuid" : "/etc/subgid");
}

static void check_mappings(struct check *c, const char *which)
{
	cleanup(free) char *list_at = xasprintf("/linux/%sMappings", which);
	size_t n = check_array(c, list_at);

	if (!(c->namespaces & CHECK_NS_USER)) {
		if (n)
			check_error(c, list_at, "given without a user namespace");
		return;
	}
	if (c->joined & CHECK_NS_USER)
		return;
	if (!n) {
		check_error(c, list_at,
			    "missing; runc needs it with a user namespace, and your own id is what can be "
			    "mapped: containerID 0, hostID %u, size 1",
			    *which == 'u' ? geteuid() : getegid());
		return;
	}
	for (size_t i = 0; i < n; i++) {
		cleanup(free) char *at = xasprintf("%s/%zu", list_at, i);

		if (check_object(c, at))
			check_mapping(c, at, *which == 'u', n == 1);
	}
	if (!check_is_mapped(c, which, 0))
		check_warning(c, list_at, "0 is not mapped, which crun takes and runc 1.1 refuses");
}

static void check_devices(struct check *c)
{
	size_t n = check_array(c, "/linux/devices");

	for (size_t i = 0; i < n; i++) {
		cleanup(free) char *at = xasprintf("/linux/devices/%zu/path", i);
		const char *path = check_need_string(c, at);

		if (path && access(path, F_OK) < 0)
			check_error(c, at, "%s: %s; without root's privileges only a device of the host can be shown",
				    path, strerror(errno));
	}
}

static void check_sysctls(struct check *c)
{
	struct json_object *list = check_object(c, "/linux/sysctl");

	if (!list)
		return;
	json_object_object_foreach(list, key, value) {
		cleanup(free) char *at = xasprintf("/linux/sysctl/%s", key);
		bool net = str_starts(key, "net.");
		bool ipc = str_starts(key, "fs.mqueue.") || str_starts(key, "kernel.msg") ||
			   str_starts(key, "kernel.shm") || str_starts(key, "kernel.sem");
		bool uts = strcmp(key, "kernel.hostname") == 0 || strcmp(key, "kernel.domainname") == 0;

		if (!json_object_is_type(value, json_type_string))
			check_error(c, at, "expected a string");
		else if (!net && !ipc && !uts)
			check_error(c, at, "it belongs to no namespace, so no container may set it");
		else if ((net && !(c->namespaces & CHECK_NS_NETWORK)) || (ipc && !(c->namespaces & CHECK_NS_IPC)) ||
			 (uts && !(c->namespaces & CHECK_NS_UTS)))
			check_error(c, at, "it needs a %s namespace of its own", net ? "network" : ipc ? "ipc" : "uts");
	}
}

/* Limits need a cgroup that was handed to the user, which a job step's mostly is not. */
static void check_resources(struct check *c)
{
	struct json_object *resources = check_object(c, "/linux/resources");
	const char *path = check_string(c, "/linux/cgroupsPath");

	if (geteuid() == 0)
		return;
	if (path && *path)
		check_warning(c, "/linux/cgroupsPath", "%s can be made only where that cgroup was handed to you", path);
	if (!resources)
		return;
	json_object_object_foreach(resources, key, value) {
		cleanup(free) char *at = xasprintf("/linux/resources/%s", key);
		bool empty = (json_object_is_type(value, json_type_object) && !json_object_object_length(value)) ||
			     json_object_is_type(value, json_type_null);

		if (strcmp(key, "devices") != 0 && !empty)
			check_warning(c, at, "a limit that takes effect only where a cgroup was handed to you");
	}
}

static void check_paths(struct check *c, const char *pointer)
{
	cleanup(strv) char **v = check_strings(c, pointer);

	for (size_t i = 0; v && v[i]; i++) {
		cleanup(free) char *at = xasprintf("%s/%zu", pointer, i);

		if (*v[i] != '/')
			check_error(c, at, "expected an absolute path");
	}
}

void check_linux(struct check *c)
{
	if (!json_at(c->doc, "/linux")) {
		check_error(c, "/linux", "missing; expected an object");
		return;
	}
	if (!check_object(c, "/linux"))
		return;
	check_mappings(c, "uid");
	check_mappings(c, "gid");
	check_devices(c);
	check_sysctls(c);
	check_resources(c);
	check_paths(c, "/linux/maskedPaths");
	check_paths(c, "/linux/readonlyPaths");
	if (check_object(c, "/linux/seccomp"))
		check_need_string(c, "/linux/seccomp/defaultAction");
}
