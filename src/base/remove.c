/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"

/* Folders open at a time. What lies deeper is moved up first, so no tree is too deep for stack or descriptors. */
#define MAX_OPEN 32

/* How often a folder is read again that is not empty though everything seen in it was removed. */
#define MAX_READS 16

struct removal {
	int top_fd;	 /* the folder that everything moved up goes to; -1: not open yet */
	unsigned number; /* of the last folder moved up */
};

static int remove_at(struct removal *r, int dir_fd, const char *name, unsigned depth, struct err *e);

/* Neither a link nor another mount, a bind mount of the same file system included, is ever entered. */
static int open_searchable(int dir_fd, const char *name, struct err *e)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
				.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS };
	cleanup(close) int fd = (int)syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));
	char self[32];
	struct stat st;
	int opened;

	if (fd < 0 && errno == EXDEV)
		return err_set(e, "remove %s: another file system is mounted there", name);
	if (fd < 0)
		return err_sys(e, errno, "open %s", name);
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "stat %s", name);
	if ((st.st_mode & 0700) != 0700) {
		snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
		if (chmod(self, 0700) < 0)
			return err_sys(e, errno, "chmod %s", name);
	}
	opened = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return opened < 0 ? err_sys(e, errno, "open %s", name) : opened;
}

/* A folder that changes its parent needs to be writable itself, for its "..". */
static int move_up(struct removal *r, int dir_fd, const char *name, struct err *e)
{
	cleanup(close) int fd = open_searchable(dir_fd, name, e);
	char to[32];

	if (fd < 0)
		return -1;
	do
		snprintf(to, sizeof(to), ".removed.%u", ++r->number);
	while (faccessat(r->top_fd, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
	if (renameat(dir_fd, name, r->top_fd, to) < 0)
		return err_sys(e, errno, "rename %s", name);
	return 0;
}

/* FD is taken. */
static int empty_folder(struct removal *r, int fd, unsigned depth, struct err *e)
{
	cleanup(closedir) DIR *d = fdopendir(fd);
	struct dirent *entry;

	if (!d) {
		err_sys(e, errno, "read folder");
		close(fd);
		return -1;
	}
	for (errno = 0; (entry = readdir(d)); errno = 0) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (remove_at(r, dirfd(d), entry->d_name, depth + 1, e) < 0)
			return -1;
	}
	return errno ? err_sys(e, errno, "read folder") : 0;
}

/* 1 where it is a folder that is not empty or cannot be told to be. */
static int remove_plain(int dir_fd, const char *name, struct err *e)
{
	int as_file;

	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM && errno != EACCES)
		return err_sys(e, errno, "remove %s", name);
	as_file = errno;
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno == ENOTDIR)
		return err_sys(e, as_file, "remove %s", name);
	if (errno != ENOTEMPTY && errno != EEXIST && errno != EACCES)
		return err_sys(e, errno, "remove %s", name);
	return 1;
}

static int remove_at(struct removal *r, int dir_fd, const char *name, unsigned depth, struct err *e)
{
	for (int reads = 0;; reads++) {
		unsigned moved = r->number;
		int fd, plain = remove_plain(dir_fd, name, e);

		if (plain <= 0)
			return plain;
		if (reads == MAX_READS)
			return err_sys(e, errno, "remove %s", name);
		if (depth > MAX_OPEN)
			return move_up(r, dir_fd, name, e);
		fd = open_searchable(dir_fd, name, e);
		/* Another process may be removing the same tree. */
		if (fd < 0)
			return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT ? 0 : -1;
		if (depth == 0)
			r->top_fd = fd;
		if (empty_folder(r, fd, depth, e) < 0)
			return err_wrap(e, "%s", name);
		if (r->number != moved)
			reads = 0;
	}
}

int path_remove_tree(int dir_fd, const char *name, struct err *e)
{
	struct removal r = { .top_fd = -1 };
	const char *base = path_base(name);
	cleanup(free) char *parent = NULL;
	cleanup(close) int fd = -1;

	/* On the way to the tree links and mounts are as good as anywhere. */
	if (base == name || !*base)
		return remove_at(&r, dir_fd, name, 0, e);
	parent = xstrndup(name, (size_t)(base - name));
	fd = openat(dir_fd, parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "open %s", parent);
	return remove_at(&r, fd, base, 0, e) < 0 ? err_wrap(e, "in %s", parent) : 0;
}
