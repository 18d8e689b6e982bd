/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/local/cpus.h"
#include "engine/local/supervisor.h"
#include "engine/local/task.h"
#include "engine/local/watcher.h"
#include "proc/spawn.h"

/* The file itself, for a name in ps(1) that says something; after an upgrade only the link still leads to it. */
static const char *own_program(char path[PATH_MAX])
{
	static const char link[] = "/proc/self/exe";
	ssize_t n = readlink(link, path, PATH_MAX - 1);

	if (n <= 0)
		return link;
	path[n] = '\0';
	return access(path, X_OK) == 0 ? path : link;
}

int detached_start(const char *verb, const char *arg, int hold_fd, pid_t *pid, struct err *e)
{
	cleanup(close) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	cleanup(strv) char **env = task_clean_env(NULL);
	char *const argv[] = { "berth", (char *)verb, (char *)arg, NULL };
	struct spawn_fd fds[] = { { hold_fd, SUPERVISOR_HOLD_FD } };
	struct spawn s = SPAWN_INIT;
	struct child c = CHILD_INIT;
	char path[PATH_MAX];
	cpu_set_t cpus;

	if (null < 0)
		return err_sys(e, errno, "open /dev/null");
	cpus_widest(&cpus);
	s.path = own_program(path);
	s.argv = argv;
	s.envp = env;
	s.cwd = "/";
	s.stdio[0] = s.stdio[1] = s.stdio[2] = null;
	s.fds = fds;
	s.n_fds = hold_fd >= 0;
	s.new_session = true;
	s.cpus = &cpus;
	if (spawn_start(&s, &c, e) < 0)
		return -1;
	*pid = c.pid;
	child_close(&c);
	return 0;
}

bool detached_is(pid_t pid)
{
	cleanup(free) char *cmdline = NULL;
	const char *verb;
	char name[48];
	struct stat ours, its;
	size_t len;

	snprintf(name, sizeof(name), "/proc/%d/exe", pid);
	if (stat("/proc/self/exe", &ours) < 0 || stat(name, &its) < 0 || ours.st_dev != its.st_dev ||
	    ours.st_ino != its.st_ino)
		return false;
	snprintf(name, sizeof(name), "/proc/%d/cmdline", pid);
	if (path_read_file(AT_FDCWD, name, 1 << 16, &cmdline, &len, NULL, NULL) < 0 || strlen(cmdline) + 2 > len)
		return false;
	verb = cmdline + strlen(cmdline) + 1;
	return strcmp(verb, SUPERVISOR_VERB) == 0 || strcmp(verb, WATCHER_VERB) == 0;
}
