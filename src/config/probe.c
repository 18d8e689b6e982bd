/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "config/builtin.h"
#include "proc/spawn.h"

#define PREFIX "berth-probe-"

enum { PROBE_TIMEOUT_MS = 10000, PROBE_INIT_MAX = 64 << 20 };

/*
 * The least that a job's container needs too: a user namespace unless we are root, processes and mounts of its own,
 * /proc and a /dev. The Open Container Initiative's runtime specification, config.md and config-linux.md.
 */
static char *probe_config(void)
{
	static const char format[] =
		"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"rootfs\",\"readonly\":true},"
		"\"process\":{\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"/init\",\"--probe\"],\"cwd\":\"/\","
		"\"env\":[\"PATH=/\"],\"noNewPrivileges\":true},"
		"\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
		"{\"destination\":\"/"
		"dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"mode=755\"]}],"
		"\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"}%s]%s}}";
	cleanup(free) char *maps = NULL;

	if (geteuid() == 0)
		return xasprintf(format, "", "");
	maps = xasprintf(",\"uidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":1}],"
			 "\"gidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":1}]",
			 geteuid(), getegid());
	return xasprintf(format, ",{\"type\":\"user\"}", maps);
}

/* A folder for a short while, where programs may be executed. */
static int open_scratch(const char **dir, struct err *e)
{
	static const char *const dirs[] = { "/tmp", "/var/tmp", "/dev/shm" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		int fd = open(dirs[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct statvfs st;

		if (fd >= 0 && fstatvfs(fd, &st) == 0 && !(st.f_flag & (ST_NOEXEC | ST_RDONLY))) {
			*dir = dirs[i];
			return fd;
		}
		if (fd >= 0)
			close(fd);
	}
	return err_set(e, "none of /tmp, /var/tmp and /dev/shm lets programs be executed");
}

/* What a probe that was killed left, once it is certain that it is not at work any more. */
static void remove_stale(int scratch)
{
	cleanup(closedir) DIR *d = fdopendir(openat(scratch, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;
	struct stat st;
	struct err ignored;

	while (d && (entry = readdir(d)) != NULL)
		if (str_starts(entry->d_name, PREFIX) &&
		    fstatat(scratch, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_uid == geteuid() &&
		    st.st_mtime + 10 * PROBE_TIMEOUT_MS / 1000 < time(NULL))
			path_remove_tree(scratch, entry->d_name, &ignored);
}

static int make_bundle(int dir, const char *init, struct err *e)
{
	cleanup(free) char *config = probe_config();
	cleanup(free) char *program = NULL;
	size_t len;

	if (path_read_file(AT_FDCWD, init, PROBE_INIT_MAX, &program, &len, NULL, e) < 0)
		return -1;
	for (const char *const *d = (const char *const[]){ "rootfs", "rootfs/proc", "rootfs/dev", NULL }; *d; d++)
		if (mkdirat(dir, *d, 0700) < 0)
			return err_sys(e, errno, "mkdir %s", *d);
	if (path_write_new(dir, "rootfs/init", program, len, 0700, e) < 0)
		return -1;
	return path_write_new(dir, "config.json", config, strlen(config), 0600, e);
}

static int run_runtime(const char *name, const char *path, const char *bundle, const char *verb, struct err *e)
{
	cleanup(free) char *root = xasprintf("--root=%s/.runtime", bundle);
	cleanup(free) char *id = xasprintf(PREFIX "%d", (int)getpid());
	cleanup(free) char *out = NULL;
	cleanup(free) char *err = NULL;
	cleanup(strv) char **argv = NULL;
	char *const env[] = { (char *)"PATH=" RUNTIME_PATH, NULL };
	struct spawn s = SPAWN_INIT;
	struct exit_status st;
	char *last;

	strv_push(&argv, path);
	strv_push(&argv, strcmp(name, "crun") == 0 ? "--cgroup-manager=disabled" : "--rootless=true");
	strv_push(&argv, root);
	strv_push(&argv, verb);
	strv_push(&argv, strcmp(verb, "run") == 0 ? "--bundle" : "--force");
	if (strcmp(verb, "run") == 0)
		strv_push(&argv, bundle);
	strv_push(&argv, id);
	s.path = path;
	s.argv = argv;
	s.envp = env;
	s.cwd = bundle;
	if (spawn_capture(&s, 1 << 16, PROBE_TIMEOUT_MS, &out, &err, &st, e) < 0)
		return -1;
	if (st.code == 0)
		return 0;
	err = err ? err : xstrdup("");
	last = strrchr(str_trim(err), '\n');
	last = str_trim(last ? last : err);
	if (!*last)
		return err_set(e, "it ended with status %d and said nothing", st.code);
	return err_set(e, "%.400s", last);
}

int runtime_probe(const char *name, const char *path, const char *init, struct err *e)
{
	cleanup(free) char *folder = NULL;
	cleanup(free) char *bundle = NULL;
	cleanup(close) int dir = -1;
	cleanup(close) int scratch = -1;
	const char *base = NULL;
	struct err ignored = ERR_INIT;
	int rc;

	scratch = open_scratch(&base, e);
	if (scratch < 0)
		return -1;
	remove_stale(scratch);
	dir = path_unique_dir(scratch, PREFIX, &folder, e);
	if (dir < 0)
		return -1;
	bundle = path_join(base, folder);
	rc = make_bundle(dir, init, e);
	if (rc == 0) {
		rc = run_runtime(name, path, bundle, "run", e);
		if (rc < 0)
			run_runtime(name, path, bundle, "delete", &ignored);
	}
	path_remove_tree(scratch, folder, &ignored);
	return rc;
}
