/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/skeleton.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

/* Each entry becomes a mount, which the kernel limits and the user pays for. */
#define MAX_ENTRIES 512

struct hole {
	char *parent; /* "/" or without a slash at its end */
	char *tail;   /* relative to it */
	bool is_file;
};

struct skeleton {
	const char *rootfs, *dir;
	int rootfs_fd;
	struct hole *holes;
	size_t n;
};

struct making {
	struct skeleton *s;
	skeleton_target_fn *is_target;
	void *target_arg;
	skeleton_emit_fn *emit;
	void *emit_arg;
};

struct skeleton *skeleton_new(const char *rootfs, int rootfs_fd, const char *dir)
{
	struct skeleton *s = xcalloc(1, sizeof(*s));

	*s = (struct skeleton){ .rootfs = rootfs, .rootfs_fd = rootfs_fd, .dir = dir };
	return s;
}

void skeleton_free(struct skeleton *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->holes[i].parent);
		free(s->holes[i].tail);
	}
	free(s->holes);
	free(s);
}

static int by_depth(const void *a, const void *b)
{
	return strcmp(((const struct hole *)a)->parent, ((const struct hole *)b)->parent);
}

void skeleton_add(struct skeleton *s, const char *path, size_t at, bool is_file)
{
	s->holes = xrealloc(s->holes, s->n + 1, sizeof(*s->holes));
	s->holes[s->n++] = (struct hole){ .parent = at ? xstrndup(path, at) : xstrdup("/"),
					  .tail = xstrdup(path + at + 1),
					  .is_file = is_file };
}

static int make_place(int dir_fd, const char *name, bool is_file, struct err *e)
{
	int fd;

	if (!is_file) {
		if (mkdirat(dir_fd, name, 0755) < 0 && errno != EEXIST)
			return err_sys(e, errno, "make %s", name);
		return 0;
	}
	fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(e, errno, "make %s", name);
	close(fd);
	return 0;
}

static int copy_link(int from_fd, int to_fd, const char *name, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from_fd, name, target, sizeof(target) - 1);

	if (n < 0)
		return err_sys(e, errno, "read link %s", name);
	target[n] = '\0';
	if (symlinkat(target, to_fd, name) < 0)
		return err_sys(e, errno, "make link %s", name);
	return 0;
}

static int copy_entry(struct making *m, int from_fd, int to_fd, const char *parent, const char *name, struct err *e)
{
	cleanup(free) char *inside = path_join(parent, name);
	cleanup(free) char *host = NULL;
	struct stat st;

	if (fstatat(from_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "stat %s", inside);
	if (S_ISLNK(st.st_mode))
		return copy_link(from_fd, to_fd, name, e);
	if (make_place(to_fd, name, !S_ISDIR(st.st_mode), e) < 0)
		return -1;
	if (m->is_target(m->target_arg, inside))
		return 0;
	host = path_join(m->s->rootfs, inside + 1);
	m->emit(m->emit_arg, host, inside);
	return 0;
}

/* True with the folder's entries in *names. */
static bool list_folder(int fd, char ***names)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = own < 0 ? NULL : fdopendir(own);
	struct dirent *entry;
	size_t n = 0;

	if (!d) {
		if (own >= 0)
			close(own);
		return false;
	}
	while ((entry = readdir(d)) && n <= MAX_ENTRIES) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		strv_push(names, entry->d_name);
		n++;
	}
	closedir(d);
	return n <= MAX_ENTRIES;
}

bool skeleton_possible(int rootfs_fd, const char *folder)
{
	cleanup(close) int fd = path_open_in_root(rootfs_fd, folder, O_RDONLY | O_DIRECTORY);
	cleanup(strv) char **names = NULL;

	return fd >= 0 && list_folder(fd, &names);
}

static int make_hole(int dir_fd, const struct hole *h, struct err *e)
{
	cleanup(free) char *path = xstrdup(h->tail);
	struct stat st;

	/* A link that leads nowhere was in the way. */
	for (char *p = path; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		if (fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
			unlinkat(dir_fd, path, 0);
		if (make_place(dir_fd, path, false, e) < 0)
			return -1;
	}
	if (fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
		unlinkat(dir_fd, path, 0);
	return make_place(dir_fd, path, h->is_file, e);
}

/* The skeleton of one folder, with the holes FIRST to LAST that lie in it, at HOST. */
static int make_folder(struct making *m, size_t first, size_t last, const char *host, struct err *e)
{
	const char *parent = m->s->holes[first].parent;
	cleanup(close) int from = path_open_in_root(m->s->rootfs_fd, parent, O_RDONLY | O_DIRECTORY);
	cleanup(close) int to = -1;
	cleanup(strv) char **names = NULL;
	struct stat st;

	if (from < 0 || fstat(from, &st) < 0 || !list_folder(from, &names)) {
		log_verbose("%s%s: the runtime will make its missing mount points", m->s->rootfs, parent);
		return 1;
	}
	if (path_mkdirs(host, 0700, e) < 0)
		return -1;
	to = open(host, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to < 0)
		return err_sys(e, errno, "open %s", host);
	if (strcmp(parent, "/") != 0)
		m->emit(m->emit_arg, host, parent);
	for (char **name = names; name && *name; name++)
		if (copy_entry(m, from, to, parent, *name, e) < 0)
			return -1;
	for (size_t i = first; i <= last; i++)
		if (make_hole(to, &m->s->holes[i], e) < 0)
			return -1;
	if (fchmod(to, (st.st_mode & 07777) | 0700) < 0)
		return err_sys(e, errno, "chmod %s", host);
	return 0;
}

int skeleton_make(struct skeleton *s, skeleton_target_fn *is_target, void *target_arg, skeleton_emit_fn *emit,
		  void *emit_arg, char **root, struct err *e)
{
	struct making m = {
		.s = s, .is_target = is_target, .target_arg = target_arg, .emit = emit, .emit_arg = emit_arg
	};

	*root = NULL;
	/* Parents before what lies below them, so that each lies on the skeleton of the one above. */
	if (s->n)
		qsort(s->holes, s->n, sizeof(*s->holes), by_depth);
	for (size_t first = 0, last; first < s->n; first = last + 1) {
		cleanup(free) char *host = xasprintf("%s/%zu", s->dir, first);
		int r;

		last = first;
		while (last + 1 < s->n && strcmp(s->holes[last + 1].parent, s->holes[first].parent) == 0)
			last++;
		r = make_folder(&m, first, last, host, e);
		if (r < 0)
			return err_wrap(e, "stand-in for %s", s->holes[first].parent);
		if (r == 0 && strcmp(s->holes[first].parent, "/") == 0)
			*root = take_ptr(&host);
	}
	return 0;
}
