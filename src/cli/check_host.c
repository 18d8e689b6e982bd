/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/check.h"
#include "oci/runtime.h"
#include "proc/spawn.h"

enum { DATABASE_MAX = 16 << 20, SUBIDS_USUAL = 65536 };

static char *read_all(const char *path)
{
	char *text = NULL;

	return path_read_file(AT_FDCWD, path, DATABASE_MAX, &text, NULL, NULL, NULL) < 0 ? xstrdup("") : text;
}

/* NULL where NAME can map ids, else what is wrong with it. */
static char *mapper_fault(const char *name)
{
	cleanup(free) char *path = spawn_find(name, RUNTIME_PATH);
	struct stat st;

	if (!path)
		return xasprintf("%s is missing", name);
	if (stat(path, &st) < 0 ||
	    (!(st.st_mode & S_ISUID && st.st_uid == 0) && getxattr(path, "security.capability", NULL, 0) <= 0))
		return xasprintf("%s is neither setuid root nor has file capabilities", path);
	return NULL;
}

void host_subids(struct check_run *run)
{
	static const char name[] = "subordinate ids";
	cleanup(free) char *uids = read_all("/etc/subuid");
	cleanup(free) char *gids = read_all("/etc/subgid");
	cleanup(free) char *fault = mapper_fault("newuidmap");
	const char *user = run->user.name ? run->user.name : "";
	uint64_t n_uids = subid_count(uids, user, geteuid()), n_gids = subid_count(gids, user, geteuid());
	struct finding *f;

	if (geteuid() == 0) {
		finding_add(run, FINDING_OK, name, "not needed by root");
		return;
	}
	if (!fault)
		fault = mapper_fault("newgidmap");
	if (fault) {
		f = finding_add(run, FINDING_WARN, name,
				"%s: images with files of several users cannot be used as such", fault);
		finding_hint(f, "as root: `apt install uidmap`");
	} else if (n_uids < SUBIDS_USUAL || n_gids < SUBIDS_USUAL) {
		f = finding_add(
			run, FINDING_WARN, name,
			"%ju in /etc/subuid and %ju in /etc/subgid: images with files of several users cannot be "
			"used as such",
			(uintmax_t)n_uids, (uintmax_t)n_gids);
		finding_hint(f,
			     "as root: `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s`, with a "
			     "range that is nobody else's",
			     user);
	} else {
		finding_add(run, FINDING_OK, name, "%ju uids, %ju gids, newuidmap and newgidmap work",
			    (uintmax_t)n_uids, (uintmax_t)n_gids);
	}
}

static long type_of(const char *path)
{
	struct statfs st;

	return statfs(path, &st) < 0 ? 0 : (long)st.f_type;
}

/* The folder of this process's cgroup in version 2, or NULL. */
static char *own_cgroup(void)
{
	cleanup(free) char *text = read_all("/proc/self/cgroup");
	cleanup(strv) char **lines = str_split(text, "\n");

	for (char **l = lines; *l; l++)
		if (str_starts(*l, "0::/"))
			return xasprintf("/sys/fs/cgroup%s", *l + strlen("0::"));
	return NULL;
}

void host_cgroups(struct check_run *run)
{
	static const char name[] = "cgroups";
	cleanup(free) char *own = NULL;
	cleanup(free) char *procs = NULL;

	switch (cgroup_kind_of(type_of("/sys/fs/cgroup"), type_of("/sys/fs/cgroup/unified"))) {
	case CGROUP_NONE:
		finding_hint(finding_add(run, FINDING_WARN, name, "none at /sys/fs/cgroup"),
			     "mount cgroup2 there, or give crun --cgroup-manager=disabled and runc --rootless=true");
		return;
	case CGROUP_V1:
		finding_add(run, FINDING_OK, name, "version 1");
		return;
	case CGROUP_HYBRID:
		finding_hint(
			finding_add(run, FINDING_WARN, name,
				    "hybrid: version 1, with version 2 at /sys/fs/cgroup/unified"),
			"crun refuses this layout, runc does not: boot with systemd.unified_cgroup_hierarchy=1 to have "
			"version 2 alone");
		return;
	case CGROUP_V2:
		own = own_cgroup();
		procs = own ? path_join(own, "cgroup.procs") : NULL;
		finding_add(run, FINDING_OK, name, "version 2, %s",
			    procs && access(procs, W_OK) == 0 ? "delegated to this user"
							      : "not delegated to this user, which no container needs");
		return;
	}
}

/* What logind.conf and its drop-ins say. */
static bool logind_flag(const char *key, bool deflt)
{
	static const char *const dirs[] = { "/usr/lib/systemd/logind.conf.d", "/run/systemd/logind.conf.d",
					    "/etc/systemd/logind.conf.d" };
	cleanup(free) char *text = read_all("/etc/systemd/logind.conf");
	bool value = systemd_flag(text, key, deflt);

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		cleanup(closedir) DIR *d = opendir(dirs[i]);
		struct dirent *entry;

		while (d && (entry = readdir(d))) {
			cleanup(free) char *path = path_join(dirs[i], entry->d_name);
			cleanup(free) char *more = str_ends(path, ".conf") ? read_all(path) : xstrdup("");

			value = systemd_flag(more, key, value);
		}
	}
	return value;
}

void host_login(struct check_run *run)
{
	static const char name[] = "logout";
	const char *user = run->user.name ? run->user.name : "";
	cleanup(free) char *linger = path_join("/var/lib/systemd/linger", user);

	if (access("/run/systemd/system", F_OK) < 0) {
		finding_add(run, FINDING_OK, name, "no systemd here, so jobs go on after it");
	} else if (!logind_flag("KillUserProcesses", false)) {
		finding_add(run, FINDING_OK, name, "jobs go on after it");
	} else if (*user && access(linger, F_OK) == 0) {
		finding_add(run, FINDING_OK, name, "jobs go on after it: the user lingers");
	} else {
		finding_hint(
			finding_add(run, FINDING_WARN, name,
				    "logind ends every process of a user then (KillUserProcesses=yes), jobs included"),
			"`loginctl enable-linger %s` keeps them", user);
	}
}
