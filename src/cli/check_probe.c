/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/check.h"

static int failed(const char *step)
{
	printf("%s: %s\n", step, strerror(errno));
	return 1;
}

static int write_file(const char *path, const char *text)
{
	cleanup(close) int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

int check_probe_namespaces(void)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	char map[64];

	if (uid != 0) {
		if (unshare(CLONE_NEWUSER) < 0)
			return failed("unshare a user namespace");
		if (write_file("/proc/self/setgroups", "deny") < 0)
			return failed("write /proc/self/setgroups");
		snprintf(map, sizeof(map), "0 %u 1\n", uid);
		if (write_file("/proc/self/uid_map", map) < 0)
			return failed("write /proc/self/uid_map");
		snprintf(map, sizeof(map), "0 %u 1\n", gid);
		if (write_file("/proc/self/gid_map", map) < 0)
			return failed("write /proc/self/gid_map");
	}
	if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		return failed("unshare mount, pid, ipc and uts namespaces");
	/* AppArmor lets the namespace be made, and takes the rights in it away. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
	    mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=4k") < 0)
		return failed("mount a file system in a mount namespace");
	return 0;
}
