/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"

/* Deeper trees than this are not ours; the bound keeps a hostile one from using up descriptors and stack. */
#define MAX_DEPTH 512

static int remove_at(int dir_fd, const char *name, dev_t dev, unsigned depth, struct err *e);

static int open_searchable(int dir_fd, const char *name, struct stat *st, struct err *e)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == EACCES) {
		/* fchmodat follows links, but a folder was seen here and only its owner could swap it. */
		fchmodat(dir_fd, name, 0700, 0);
		fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0)
		return err_sys(e, errno, "open %s", name);
	if (fstat(fd, st) < 0) {
		err_sys(e, errno, "stat %s", name);
		close(fd);
		return -1;
	}
	if ((st->st_mode & 0700) != 0700)
		fchmod(fd, 0700);
	return fd;
}

static int empty_folder(int fd, dev_t dev, unsigned depth, struct err *e)
{
	cleanup(closedir) DIR *d = NULL;
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	struct dirent *entry;

	if (own < 0)
		return err_sys(e, errno, "dup");
	d = fdopendir(own);
	if (!d) {
		err_sys(e, errno, "read folder");
		close(own);
		return -1;
	}
	for (errno = 0; (entry = readdir(d)); errno = 0) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (remove_at(fd, entry->d_name, dev, depth + 1, e) < 0)
			return -1;
	}
	return errno ? err_sys(e, errno, "read folder") : 0;
}

static int remove_at(int dir_fd, const char *name, dev_t dev, unsigned depth, struct err *e)
{
	cleanup(close) int fd = -1;
	struct stat st;

	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM && errno != EACCES)
		return err_sys(e, errno, "remove %s", name);
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST && errno != EACCES)
		return err_sys(e, errno, "remove %s", name);
	if (depth > MAX_DEPTH)
		return err_set(e, "remove %s: more than %d folders deep", name, MAX_DEPTH);
	fd = open_searchable(dir_fd, name, &st, e);
	if (fd < 0)
		return -1;
	if (st.st_dev != dev)
		return err_set(e, "remove %s: another file system is mounted there", name);
	if (empty_folder(fd, dev, depth, e) < 0)
		return err_wrap(e, "%s", name);
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(e, errno, "remove %s", name);
	return 0;
}

int path_remove_tree(int dir_fd, const char *name, struct err *e)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "stat %s", name);
	return remove_at(dir_fd, name, st.st_dev, 0, e);
}
