/* SPDX-License-Identifier: Apache-2.0 */
#include "image/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

/* Part of the target's name, so that the scratch folder's stays within NAME_MAX. */
static char *prefix_of(const char *target)
{
	return xasprintf(".%.200s.berth-", target);
}

/* True where FD, a scratch folder, is still the one with this NAME. */
static bool is_still(int parent, const char *name, int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(parent, name, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino &&
	       a.st_dev == b.st_dev;
}

static void remove_left_over(int parent, const char *name)
{
	cleanup(close) int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct err e = ERR_INIT;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid())
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || !is_still(parent, name, fd))
		return;
	if (path_remove_tree(parent, name, &e) < 0)
		log_info("what an interrupted run left is not removed: %s", e.msg);
}

static int remove_left_overs(int parent, const char *prefix, struct err *e)
{
	cleanup(closedir) DIR *d = NULL;
	int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *de;

	if (fd < 0)
		return err_sys(e, errno, "open folder");
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return err_sys(e, errno, "read folder");
	}
	while ((de = readdir(d))) {
		size_t n = strlen(prefix);

		if (str_starts(de->d_name, prefix) && strlen(de->d_name) == n + 16 &&
		    strspn(de->d_name + n, "0123456789abcdef") == 16)
			remove_left_over(parent, de->d_name);
	}
	return 0;
}

static int check_target(const struct scratch *s, const char *shown, struct err *e)
{
	cleanup(closedir) DIR *d = NULL;
	struct dirent *de;
	struct stat st;
	int fd;

	if (fstatat(s->parent, s->target, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "%s", shown);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, "%s exists and is not a folder", shown);
	fd = openat(s->parent, s->target, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "%s", shown);
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return err_sys(e, errno, "%s", shown);
	}
	while ((de = readdir(d)))
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			return err_set(e, "%s exists and is not empty; remove it or choose another name", shown);
	return 0;
}

/* A run that starts in the moment before the lock takes a new folder for one that was left. */
static int make_locked(struct scratch *s, const char *prefix, struct err *e)
{
	for (int tries = 0; tries < 8; tries++) {
		s->fd = path_unique_dir(s->parent, prefix, &s->name, e);
		if (s->fd < 0)
			return -1;
		if (flock(s->fd, LOCK_EX | LOCK_NB) == 0 && is_still(s->parent, s->name, s->fd))
			return 0;
		close(s->fd);
		s->fd = -1;
		free(s->name);
		s->name = NULL;
	}
	return err_set(e, "too many runs make the same bundle");
}

int scratch_make(const char *target, struct scratch *s, struct err *e)
{
	cleanup(free) char *path = path_absolute(target);
	cleanup(free) char *prefix = NULL;
	char *slash = strrchr(path, '/');
	const char *parent = slash == path ? "/" : path;

	if (!slash[1])
		return err_set(e, "/ can't be a bundle");
	*slash = '\0';
	s->target = xstrdup(slash + 1);
	s->parent = open(*parent ? parent : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->parent < 0)
		return err_sys(e, errno, "open folder %s", *parent ? parent : "/");
	if (check_target(s, target, e) < 0)
		return -1;
	prefix = prefix_of(s->target);
	if (remove_left_overs(s->parent, prefix, e) < 0 || make_locked(s, prefix, e) < 0)
		return err_wrap(e, "in %s", *parent ? parent : "/");
	s->path = xasprintf("%s/%s", path, s->name);
	return 0;
}

int scratch_publish(struct scratch *s, const char *member, struct err *e)
{
	/* An empty folder is replaced; anything that came there meanwhile is not. */
	if (renameat(s->fd, member, s->parent, s->target) == 0)
		return 0;
	return err_sys(e, errno, "put the bundle in place as %s", s->target);
}

int scratch_remove(struct scratch *s, struct err *e)
{
	int r = s->name ? path_remove_tree(s->parent, s->name, e) : 0;

	free(s->name);
	s->name = NULL;
	return r;
}

void cleanup_scratch(struct scratch *s)
{
	cleanup_close(&s->fd);
	cleanup_close(&s->parent);
	free(s->target);
	free(s->name);
	free(s->path);
	*s = SCRATCH_INIT;
}
