/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "image/check_parts.h"
#include "oci/json.h"

static const struct {
	const char *name;
	__rlimit_resource_t resource;
} limits[] = {
	{ "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
};

static void check_args(struct check *c)
{
	cleanup(strv) char **args = NULL;
	cleanup(close) int fd = -1;

	if (!json_at(c->doc, "/process/args")) {
		check_warning(c, "/process/args", "missing: the bundle has no command of its own");
		return;
	}
	args = check_strings(c, "/process/args");
	if (!args)
		return;
	if (!*args) {
		check_error(c, "/process/args", "expected at least one string");
		return;
	}
	if (!**args)
		check_error(c, "/process/args/0", "an empty command");
	if (**args != '/' || c->rootfs < 0)
		return;
	fd = path_open_in_root(c->rootfs, *args, O_PATH);
	if (fd < 0 && errno == ENOENT)
		check_warning(c, "/process/args/0", "%s is not in the root file system", *args);
}

static void check_env(struct check *c)
{
	cleanup(strv) char **env = check_strings(c, "/process/env");

	for (size_t i = 0; env && env[i]; i++) {
		cleanup(free) char *pointer = xasprintf("/process/env/%zu", i);

		if (!strchr(env[i], '=') || *env[i] == '=')
			check_error(c, pointer, "expected NAME=value");
	}
}

static void check_cwd(struct check *c)
{
	const char *cwd = check_need_string(c, "/process/cwd");

	if (cwd && *cwd != '/')
		check_error(c, "/process/cwd", "expected an absolute path");
}

static void check_user(struct check *c)
{
	uint32_t id = 0;
	size_t n;

	check_object(c, "/process/user");
	if (check_u32(c, "/process/user/uid", &id) && !check_is_mapped(c, "uid", id))
		check_error(c, "/process/user/uid", "%u is not among /linux/uidMappings", id);
	id = 0;
	if (check_u32(c, "/process/user/gid", &id) && !check_is_mapped(c, "gid", id))
		check_error(c, "/process/user/gid", "%u is not among /linux/gidMappings", id);
	n = check_array(c, "/process/user/additionalGids");
	for (size_t i = 0; i < n; i++) {
		cleanup(free) char *pointer = xasprintf("/process/user/additionalGids/%zu", i);

		if (check_u32(c, pointer, &id) && !check_is_mapped(c, "gid", id))
			check_error(c, pointer, "%u is not among /linux/gidMappings", id);
	}
}

static void check_capabilities(struct check *c)
{
	static const char *const sets[] = { "bounding", "effective", "inheritable", "permitted", "ambient" };

	check_object(c, "/process/capabilities");
	for (size_t s = 0; s < sizeof(sets) / sizeof(sets[0]); s++) {
		cleanup(free) char *pointer = xasprintf("/process/capabilities/%s", sets[s]);
		cleanup(strv) char **v = check_strings(c, pointer);

		for (size_t i = 0; v && v[i]; i++)
			if (!str_starts(v[i], "CAP_"))
				check_error(c, pointer, "'%s' is no capability; their names begin with CAP_", v[i]);
	}
}

static void check_rlimit(struct check *c, const char *at)
{
	cleanup(free) char *type_at = xasprintf("%s/type", at), *hard_at = xasprintf("%s/hard", at);
	cleanup(free) char *soft_at = xasprintf("%s/soft", at);
	const char *type = check_need_string(c, type_at);
	uint64_t hard = RLIM_INFINITY, soft = 0;
	struct err e = ERR_INIT;
	struct rlimit own;
	size_t i = 0;

	if (json_get_u64(c->doc, hard_at, UINT64_MAX, &hard, &e) < 0 ||
	    json_get_u64(c->doc, soft_at, UINT64_MAX, &soft, &e) < 0) {
		check_typed(c, &e);
		return;
	}
	if (soft > hard)
		check_error(c, soft_at, "%" PRIu64 " is more than the hard limit %" PRIu64, soft, hard);
	while (type && i < sizeof(limits) / sizeof(limits[0]) && strcmp(type, limits[i].name) != 0)
		i++;
	if (!type)
		return;
	if (i == sizeof(limits) / sizeof(limits[0]))
		check_error(c, type_at, "'%s' is no limit; their names are those of setrlimit(2)", type);
	else if (getrlimit(limits[i].resource, &own) == 0 && hard > own.rlim_max && geteuid() != 0)
		check_error(c, hard_at, "%" PRIu64 " is more than your hard limit %ju of %s here", hard,
			    (uintmax_t)own.rlim_max, type);
}

static void check_labels(struct check *c)
{
	const char *profile = check_string(c, "/process/apparmorProfile");
	const char *label = check_string(c, "/process/selinuxLabel");

	if (profile && *profile && access("/sys/kernel/security/apparmor", F_OK) < 0 &&
	    access("/sys/module/apparmor/parameters/enabled", F_OK) < 0)
		check_error(c, "/process/apparmorProfile", "'%s': this host has no AppArmor", profile);
	if (label && *label && access("/sys/fs/selinux", F_OK) < 0)
		check_error(c, "/process/selinuxLabel", "'%s': this host has no SELinux", label);
}

void check_process(struct check *c)
{
	size_t n;

	if (!json_at(c->doc, "/process")) {
		check_error(c, "/process", "missing; expected an object");
		return;
	}
	if (!check_object(c, "/process"))
		return;
	check_bool(c, "/process/terminal");
	check_bool(c, "/process/noNewPrivileges");
	check_args(c);
	check_env(c);
	check_cwd(c);
	check_user(c);
	check_capabilities(c);
	check_labels(c);
	n = check_array(c, "/process/rlimits");
	for (size_t i = 0; i < n; i++) {
		cleanup(free) char *at = xasprintf("/process/rlimits/%zu", i);

		if (check_object(c, at))
			check_rlimit(c, at);
	}
}
