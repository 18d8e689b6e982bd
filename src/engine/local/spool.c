/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "engine/local/state.h"
#include "proc/user.h"

/* Users below are the system's, whose files logind leaves alone. */
#define FIRST_LOGIN_UID 1000

/*
 * The files of a step are many, small and short-lived: in memory they cost a few microseconds each, and on a disk that
 * is busy milliseconds. But where logind runs, it empties /dev/shm of a user's files when that user logs out
 * (RemoveIPC=), and a job has to outlive that; XDG_RUNTIME_DIR goes at the same time.
 */
static bool memory_stays(void)
{
	cleanup(user) struct user u = { 0 };
	cleanup(free) char *linger = NULL;
	uid_t uid = geteuid();

	if (uid < FIRST_LOGIN_UID || access("/run/systemd/system", F_OK) < 0)
		return true;
	if (user_by_uid(uid, &u, NULL) < 0)
		return false;
	linger = path_join("/var/lib/systemd/linger", u.name);
	return access(linger, F_OK) == 0;
}

/* Batch scripts are executed there. */
static bool memory_is_usable(const char *dir)
{
	struct statvfs v;
	struct statfs st;

	return statfs(dir, &st) == 0 && st.f_type == TMPFS_MAGIC && statvfs(dir, &v) == 0 &&
	       !(v.f_flag & (ST_NOEXEC | ST_RDONLY)) && access(dir, W_OK) == 0 && memory_stays();
}

int state_spool(char **path, struct err *e)
{
	const char *dir = getenv("BERTH_SPOOL_DIR");
	int fd = -1;

	*path = NULL;
	if (dir && *dir) {
		*path = path_absolute(dir);
	} else if (memory_is_usable("/dev/shm")) {
		*path = xasprintf("/dev/shm/berth-%u", geteuid());
		fd = path_private_dir(*path, e);
		if (fd >= 0)
			return fd;
		free(*path);
		*path = NULL;
	}
	if (!*path)
		*path = xasprintf("/tmp/berth-%u", geteuid());
	fd = path_private_dir(*path, e);
	if (fd < 0) {
		free(take_ptr(path));
		return err_wrap(e, "spool folder (BERTH_SPOOL_DIR names another)");
	}
	return fd;
}
