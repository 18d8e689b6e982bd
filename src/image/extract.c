/* SPDX-License-Identifier: Apache-2.0 */
#include "image/extract.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

enum { MAX_DEPTH = 256, MAX_TRAILER = 64 << 20 };

struct folder_time {
	char *name;
	struct timespec mtime;
};

struct extract {
	struct work *work;
	int root;
	struct extract_limits limits;
	struct extract_notes notes;
	uint64_t size;
	char *parent_name; /* the folder that was opened last, for the next entry is mostly in the same */
	int parent;
	struct folder_time *times;
	size_t n_times;
	bool layer;
};

struct extract *extract_new(struct work *w, int root_fd, const struct extract_limits *limits)
{
	struct extract *x = xcalloc(1, sizeof(*x));

	*x = (struct extract){ .work = w, .root = root_fd, .limits = *limits, .parent = -1 };
	return x;
}

static void forget_parent(struct extract *x)
{
	cleanup_close(&x->parent);
	x->parent = -1;
	free(x->parent_name);
	x->parent_name = NULL;
}

void extract_free(struct extract *x)
{
	if (!x)
		return;
	forget_parent(x);
	for (size_t i = 0; i < x->n_times; i++)
		free(x->times[i].name);
	free(x->times);
	free(x);
}

void cleanup_extract(struct extract **x)
{
	extract_free(*x);
}

const struct extract_notes *extract_notes(const struct extract *x)
{
	return &x->notes;
}

int extract_clean_name(const char *name, char *out, struct err *e)
{
	size_t len = 0, depth = 0;

	for (const char *p = name; *p;) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.')
			return err_set(e, "%.200s: a name with '..' could lead out of the folder", name);
		if (n && !(n == 1 && *p == '.')) {
			if (len + n + 2 > PATH_MAX || ++depth > MAX_DEPTH)
				return err_set(e, "%.200s...: more than %d bytes or %d folders deep", name,
					       PATH_MAX - 1, MAX_DEPTH);
			if (len)
				out[len++] = '/';
			memcpy(out + len, p, n);
			len += n;
		}
		p += n + (p[n] == '/');
	}
	out[len] = '\0';
	return 0;
}

/* Opens the folder NAME (clean) beneath the root, making what is missing. */
static int open_folder(struct extract *x, const char *name, bool make, struct err *e)
{
	cleanup(free) char *upper = NULL;
	cleanup(close) int up = -1;
	const char *base = path_base(name);
	int fd = path_open_in_root(x->root, *name ? name : ".", O_DIRECTORY | O_RDONLY);

	if (fd >= 0 || errno != ENOENT || !make || !*name)
		return fd >= 0 ? fd : err_sys(e, errno, "open folder %.200s", name);
	upper = xstrndup(name, base == name ? 0 : (size_t)(base - name - 1));
	up = open_folder(x, upper, true, e);
	if (up < 0)
		return -1;
	if (mkdirat(up, base, 0755) < 0 && errno != EEXIST)
		return err_sys(e, errno, "make folder %.200s", name);
	fd = path_open_in_root(x->root, name, O_DIRECTORY | O_RDONLY);
	return fd >= 0 ? fd : err_sys(e, errno, "open folder %.200s", name);
}

/* The folder that NAME (clean, not empty) is in, and the last part of the name. The descriptor is ours. */
static int parent_of(struct extract *x, const char *name, const char **base, struct err *e)
{
	size_t len;

	*base = path_base(name);
	len = *base == name ? 0 : (size_t)(*base - name - 1);
	if (x->parent_name && strlen(x->parent_name) == len && memcmp(x->parent_name, name, len) == 0)
		return x->parent;
	forget_parent(x);
	x->parent_name = xstrndup(name, len);
	x->parent = open_folder(x, x->parent_name, true, e);
	if (x->parent < 0)
		forget_parent(x);
	return x->parent;
}

/* Makes room for an entry. What is there may be a folder that was opened, or a link that led to one. */
static int make_room(struct extract *x, int dir, const char *base, struct err *e)
{
	if (unlinkat(dir, base, 0) == 0) {
		forget_parent(x);
		return 0;
	}
	if (errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_sys(e, errno, "replace");
	if (x->layer) {
		if (path_remove_tree(dir, base, e) < 0)
			return -1;
	} else if (unlinkat(dir, base, AT_REMOVEDIR) < 0) {
		return err_sys(e, errno, "put something else in place of a folder");
	}
	forget_parent(x);
	return 0;
}

/* Like make_room, where DIR must stay open: the cached descriptor may be closed by it. */
static int fresh_place(struct extract *x, const char *name, int *dir, const char **base, struct err *e)
{
	struct stat st;

	*dir = parent_of(x, name, base, e);
	if (*dir < 0)
		return -1;
	if (fstatat(*dir, *base, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return 0;
		return err_sys(e, errno, "stat");
	}
	if (make_room(x, *dir, *base, e) < 0)
		return -1;
	*dir = parent_of(x, name, base, e);
	return *dir < 0 ? -1 : 0;
}

static bool all_zero(const char *data, size_t n)
{
	return !n || (data[0] == 0 && memcmp(data, data + 1, n - 1) == 0);
}

static int write_at(int fd, const char *data, size_t n, uint64_t offset, struct err *e)
{
	while (n) {
		ssize_t w = pwrite(fd, data, n, (off_t)offset);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return err_sys(e, w ? errno : EIO, "write");
		data += w;
		n -= (size_t)w;
		offset += (uint64_t)w;
	}
	return 0;
}

static int write_file(struct extract *x, struct stream *s, const struct stream_entry *entry, int dir, const char *base,
		      struct err *e)
{
	cleanup(close) int fd = openat(dir, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	const struct timespec times[2] = { entry->mtime, entry->mtime };
	uint64_t offset, end = 0;
	const void *data;
	size_t n;
	int r;

	if (fd < 0)
		return err_sys(e, errno, "create");
	while ((r = stream_data(s, &data, &n, &offset, e)) > 0) {
		if (work_check(x->work, e) < 0)
			return -1;
		if (all_zero(data, n))
			continue;
		if (write_at(fd, data, n, offset, e) < 0)
			return -1;
		end = offset + n;
	}
	if (r < 0)
		return -1;
	if (end < entry->size && ftruncate(fd, (off_t)entry->size) < 0)
		return err_sys(e, errno, "write");
	if (entry->mode & (S_ISUID | S_ISGID))
		x->notes.set_id++;
	if (fchmod(fd, (entry->mode & 01777) | 0400) < 0)
		return err_sys(e, errno, "chmod");
	futimens(fd, times);
	return 0;
}

static void remember_time(struct extract *x, const char *name, const struct timespec *mtime)
{
	if (x->n_times % 1024 == 0)
		x->times = xrealloc(x->times, x->n_times + 1024, sizeof(*x->times));
	x->times[x->n_times++] = (struct folder_time){ xstrdup(name), *mtime };
}

static int make_folder(struct extract *x, const struct stream_entry *entry, const char *name, struct err *e)
{
	cleanup(close) int fd = -1;
	const char *base;
	int dir;

	if (*name) {
		struct stat st;

		dir = parent_of(x, name, &base, e);
		if (dir < 0)
			return -1;
		if (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode)) {
			if (fresh_place(x, name, &dir, &base, e) < 0)
				return -1;
			if (mkdirat(dir, base, 0700) < 0)
				return err_sys(e, errno, "make folder");
		}
		fd = openat(dir, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	} else {
		fd = fcntl(x->root, F_DUPFD_CLOEXEC, 3);
	}
	if (fd < 0)
		return err_sys(e, errno, "open folder");
	if (fchmod(fd, (entry->mode & 03777) | 0700) < 0)
		return err_sys(e, errno, "chmod");
	remember_time(x, name, &entry->mtime);
	return 0;
}

static int make_hardlink(struct extract *x, const char *target, int dir, const char *base, struct err *e)
{
	cleanup(free) char *upper = NULL;
	cleanup(close) int from = -1;
	char clean[PATH_MAX];
	const char *last;

	if (extract_clean_name(target, clean, e) < 0)
		return -1;
	if (!*clean)
		return err_set(e, "a hard link to the folder itself");
	last = path_base(clean);
	upper = xstrndup(clean, last == clean ? 0 : (size_t)(last - clean - 1));
	from = open_folder(x, upper, false, e);
	if (from < 0)
		return -1;
	if (linkat(from, last, dir, base, 0) < 0)
		return err_sys(e, errno, "link to %.200s", clean);
	return 0;
}

static int make_other(struct extract *x, struct stream *s, const struct stream_entry *entry, const char *name,
		      struct err *e)
{
	const struct timespec times[2] = { entry->mtime, entry->mtime };
	const char *base;
	int dir;

	if (!*name)
		return err_set(e, "it would take the place of the folder itself");
	if (fresh_place(x, name, &dir, &base, e) < 0)
		return -1;
	if (entry->hardlink)
		return make_hardlink(x, entry->link, dir, base, e);
	if (S_ISREG(entry->type))
		return write_file(x, s, entry, dir, base, e);
	if (S_ISFIFO(entry->type))
		return mkfifoat(dir, base, entry->mode & 0777) < 0 ? err_sys(e, errno, "make fifo") : 0;
	if (!*entry->link)
		return err_set(e, "a link without a target");
	if (symlinkat(entry->link, dir, base) < 0)
		return err_sys(e, errno, "make link");
	utimensat(dir, base, times, AT_SYMLINK_NOFOLLOW);
	return 0;
}

static int count(struct extract *x, const struct stream_entry *entry, struct err *e)
{
	if (++x->work->entries > x->limits.entries)
		return err_set(e, "more than %" PRIu64 " entries; --max-files=N allows more", x->limits.entries);
	if (entry->size > x->limits.size - x->size)
		return err_set(e, "more than %" PRIu64 " bytes; --max-size=N allows more", x->limits.size);
	x->size += entry->size;
	x->notes.xattrs += entry->has_xattrs;
	return work_check(x->work, e);
}

static int take_entry(struct extract *x, struct stream *s, const struct stream_entry *entry, const char *name,
		      struct err *e)
{
	if (count(x, entry, e) < 0)
		return -1;
	if (!entry->hardlink && S_ISDIR(entry->type))
		return make_folder(x, entry, name, e);
	if (entry->hardlink || S_ISREG(entry->type) || S_ISLNK(entry->type) || S_ISFIFO(entry->type))
		return make_other(x, s, entry, name, e);
	x->notes.devices++;
	return 0;
}

static bool is_whiteout(const char *name)
{
	return str_starts(path_base(name), ".wh.");
}

static int remove_children(struct extract *x, const char *folder, struct err *e)
{
	cleanup(closedir) DIR *d = NULL;
	int fd = open_folder(x, folder, false, NULL);
	struct dirent *de;

	if (fd < 0)
		return 0;
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return err_sys(e, errno, "read folder %.200s", folder);
	}
	while ((de = readdir(d)))
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0 &&
		    path_remove_tree(fd, de->d_name, e) < 0)
			return -1;
	return 0;
}

static int apply_whiteout(struct extract *x, const char *name, struct err *e)
{
	const char *base = path_base(name);
	cleanup(free) char *folder = xstrndup(name, base == name ? 0 : (size_t)(base - name - 1));
	cleanup(close) int dir = -1;

	if (strcmp(base, ".wh..wh..opq") == 0)
		return remove_children(x, folder, e);
	base += strlen(".wh.");
	if (!*base || strcmp(base, ".") == 0 || strcmp(base, "..") == 0)
		return err_set(e, "a whiteout of no name");
	dir = open_folder(x, folder, false, NULL);
	return dir < 0 ? 0 : path_remove_tree(dir, base, e);
}

int extract_whiteouts(struct extract *x, struct stream *s, struct err *e)
{
	struct stream_entry entry;
	char name[PATH_MAX];
	uint64_t seen = 0;
	int r;

	forget_parent(x);
	while ((r = stream_next(s, &entry, e)) > 0) {
		if (++seen > x->limits.entries)
			return err_set(e, "more than %" PRIu64 " entries; --max-files=N allows more",
				       x->limits.entries);
		if (work_check(x->work, e) < 0 || extract_clean_name(entry.name, name, e) < 0)
			return -1;
		if (is_whiteout(name) && apply_whiteout(x, name, e) < 0)
			return err_wrap(e, "%.200s", name);
	}
	return r;
}

static int extract_all(struct extract *x, struct stream *s, struct err *e)
{
	struct stream_entry entry;
	char name[PATH_MAX];
	int r;

	while ((r = stream_next(s, &entry, e)) > 0) {
		if (extract_clean_name(entry.name, name, e) < 0)
			return -1;
		if (x->layer && is_whiteout(name))
			continue;
		if (take_entry(x, s, &entry, name, e) < 0)
			return x->work->caught ? -1 : err_wrap(e, "%.200s", entry.name);
	}
	return r < 0 ? -1 : stream_drain(s, MAX_TRAILER, e);
}

int extract_tar(struct extract *x, struct stream *s, struct err *e)
{
	uint64_t before = x->work->entries;

	x->layer = false;
	if (extract_all(x, s, e) < 0)
		return -1;
	return x->work->entries > before ? 0 : err_set(e, "an archive of no entries");
}

int extract_layer(struct extract *x, struct stream *s, struct err *e)
{
	x->layer = true;
	return extract_all(x, s, e);
}

int extract_finish(struct extract *x, struct err *e)
{
	forget_parent(x);
	while (x->n_times) {
		struct folder_time *f = &x->times[--x->n_times];
		const struct timespec times[2] = { f->mtime, f->mtime };
		cleanup(close) int fd = path_open_in_root(x->root, *f->name ? f->name : ".", O_DIRECTORY | O_NOFOLLOW);

		if (fd >= 0)
			futimens(fd, times);
		free(f->name);
		if (x->n_times % 1024 == 0 && work_check(x->work, e) < 0)
			return -1;
	}
	return 0;
}
