/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/state.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/path.h"

#define MAX_JOB_ID 67108863U /* Slurm's: 26 bits */

static char *state_path(struct err *e)
{
	const char *dir = getenv("BERTH_STATE_DIR"), *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char host[65] = "";

	if (dir && *dir)
		return path_absolute(dir);
	gethostname(host, sizeof(host) - 1);
	host[strcspn(host, ".")] = '\0';
	if (xdg && *xdg == '/')
		return xasprintf("%s/berth/%s", xdg, host);
	if (home && *home == '/')
		return xasprintf("%s/.local/state/berth/%s", home, host);
	err_set(e, "HOME is not set; BERTH_STATE_DIR can name the folder");
	return NULL;
}

static int open_dir(int at, const char *name, struct err *e)
{
	int fd = openat(at, name, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
			return err_sys(e, errno, "make folder %s", name);
		fd = openat(at, name, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	return fd < 0 ? err_sys(e, errno, "open folder %s", name) : fd;
}

int state_open(struct state *st, struct err *e)
{
	*st = STATE_INIT;
	st->path = state_path(e);
	if (!st->path)
		return err_wrap(e, "find the state folder");
	st->fd = path_private_dir(st->path, e);
	if (st->fd >= 0)
		st->jobs_fd = open_dir(st->fd, "jobs", e);
	if (st->jobs_fd >= 0)
		st->active_fd = open_dir(st->fd, "active", e);
	if (st->active_fd >= 0)
		return 0;
	err_wrap(e, "state folder %s", st->path);
	state_close(st);
	return -1;
}

void state_close(struct state *st)
{
	state_unlock(st);
	if (st->active_fd >= 0)
		close(st->active_fd);
	if (st->jobs_fd >= 0)
		close(st->jobs_fd);
	if (st->fd >= 0)
		close(st->fd);
	free(st->path);
	*st = STATE_INIT;
}

void cleanup_state(struct state *st)
{
	state_close(st);
}

int state_lock(struct state *st, struct err *e)
{
	cleanup(close) int fd = openat(st->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_sys(e, errno, "open %s/lock", st->path);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_sys(e, errno, "lock %s", st->path);
	st->lock_fd = take_fd(&fd);
	return 0;
}

void state_unlock(struct state *st)
{
	/* Not by closing alone: a child that is just being made may hold the descriptor for another moment. */
	if (st->lock_fd >= 0) {
		flock(st->lock_fd, LOCK_UN);
		close(st->lock_fd);
	}
	st->lock_fd = -1;
}

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int state_list_all(struct state *st, uint32_t **ids, size_t *n, struct err *e)
{
	int fd = openat(st->jobs_fd, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	cleanup(closedir) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;
	size_t cap = 0;

	*ids = NULL;
	*n = 0;
	if (!d)
		return err_sys(e, errno, "read %s/jobs", st->path);
	while ((de = readdir(d))) {
		uint32_t id;

		if (parse_u32(de->d_name, 1, UINT32_MAX, &id, NULL) < 0)
			continue;
		if (*n == cap) {
			cap = cap ? 2 * cap : 64;
			*ids = xrealloc(*ids, cap, sizeof(**ids));
		}
		(*ids)[(*n)++] = id;
	}
	if (*n)
		qsort(*ids, *n, sizeof(**ids), compare_ids);
	return 0;
}

static int compare_active(const void *a, const void *b)
{
	const struct active *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static bool is_kind(char c)
{
	return c == ACTIVE_RUNNING || c == ACTIVE_QUEUED || c == ACTIVE_WAITING || c == ACTIVE_FOREGROUND;
}

int state_list_active(struct state *st, struct active **list, size_t *n, struct err *e)
{
	int fd = openat(st->active_fd, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	cleanup(closedir) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;
	size_t cap = 0;

	*list = NULL;
	*n = 0;
	if (!d)
		return err_sys(e, errno, "read %s/active", st->path);
	while ((de = readdir(d))) {
		uint32_t id;

		if (!is_kind(de->d_name[0]) || de->d_name[1] != '.' ||
		    parse_u32(de->d_name + 2, 1, UINT32_MAX, &id, NULL) < 0)
			continue;
		if (*n == cap) {
			cap = cap ? 2 * cap : 64;
			*list = xrealloc(*list, cap, sizeof(**list));
		}
		(*list)[(*n)++] = (struct active){ .id = id, .kind = (enum active_kind)de->d_name[0] };
	}
	if (*n)
		qsort(*list, *n, sizeof(**list), compare_active);
	return 0;
}

static void active_name(char name[16], uint32_t id, enum active_kind kind)
{
	snprintf(name, 16, "%c.%" PRIu32, (char)kind, id);
}

static int create_empty(int dir, const char *name)
{
	cleanup(close) int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? -1 : 0;
}

/* A name more for one empty file, not a file each: many file systems make and remove names much faster than files. */
int state_active_add(struct state *st, uint32_t id, enum active_kind kind, struct err *e)
{
	char name[16];
	int r;

	active_name(name, id, kind);
	r = linkat(st->fd, "entry", st->active_fd, name, 0);
	if (r < 0 && errno == ENOENT && create_empty(st->fd, "entry") == 0)
		r = linkat(st->fd, "entry", st->active_fd, name, 0);
	if (r < 0 && errno != EEXIST)
		r = create_empty(st->active_fd, name);
	return r < 0 && errno != EEXIST ? err_sys(e, errno, "create %s/active/%s", st->path, name) : 0;
}

int state_active_change(struct state *st, uint32_t id, enum active_kind from, enum active_kind to, struct err *e)
{
	char old[16], new[16];

	if (from == to)
		return 0;
	active_name(old, id, from);
	active_name(new, id, to);
	if (renameat(st->active_fd, old, st->active_fd, new) < 0)
		return err_sys(e, errno, "rename %s/active/%s", st->path, old);
	return 0;
}

void state_active_remove(struct state *st, uint32_t id, enum active_kind kind)
{
	char name[16];

	active_name(name, id, kind);
	unlinkat(st->active_fd, name, 0);
}

static uint32_t highest_job(struct state *st)
{
	cleanup(free) uint32_t *ids = NULL;
	size_t n;

	return state_list_all(st, &ids, &n, NULL) == 0 && n ? ids[n - 1] : 0;
}

static uint32_t next_id(struct state *st)
{
	char text[16] = "";
	uint32_t id;

	/* Lost in a power cut, it is found again from the jobs themselves. */
	if (pread(st->lock_fd, text, sizeof(text) - 1, 0) <= 0)
		return highest_job(st) + 1;
	text[strcspn(text, "\n")] = '\0';
	return parse_u32(text, 1, MAX_JOB_ID, &id, NULL) < 0 ? highest_job(st) + 1 : id;
}

static int set_next_id(struct state *st, uint32_t id, struct err *e)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%-10" PRIu32 "\n", id > MAX_JOB_ID ? 1 : id);

	text[strcspn(text, " \n")] = '\n';
	if (pwrite(st->lock_fd, text, (size_t)len, 0) != len)
		return err_sys(e, errno, "write %s/lock", st->path);
	return 0;
}

static int make_job_dirs(struct state *st, uint32_t n, uint32_t first, struct err *e)
{
	for (uint32_t i = 0; i < n; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%" PRIu32, first + i);
		if (mkdirat(st->jobs_fd, name, 0700) == 0)
			continue;
		err_sys(e, errno, "make folder %s/jobs/%s", st->path, name);
		while (i--) {
			snprintf(name, sizeof(name), "%" PRIu32, first + i);
			unlinkat(st->jobs_fd, name, AT_REMOVEDIR);
		}
		return -1;
	}
	return 0;
}

int state_new_jobs(struct state *st, uint32_t n, uint32_t *first, struct err *e)
{
	uint32_t id = next_id(st);
	struct err why = ERR_INIT;
	char text[16];

	if (make_job_dirs(st, n, id, &why) < 0) {
		/* The counter is older than the jobs: a power cut. */
		id = why.code == EEXIST ? highest_job(st) + 1 : id;
		if (why.code != EEXIST || make_job_dirs(st, n, id, &why) < 0) {
			if (e)
				*e = why;
			return -1;
		}
	}
	if (set_next_id(st, id + n, e) < 0) {
		for (uint32_t i = 0; i < n; i++) {
			snprintf(text, sizeof(text), "%" PRIu32, id + i);
			unlinkat(st->jobs_fd, text, AT_REMOVEDIR);
		}
		return -1;
	}
	*first = id;
	return 0;
}

int state_job_dir(struct state *st, uint32_t id, struct err *e)
{
	char name[16];
	int fd;

	snprintf(name, sizeof(name), "%" PRIu32, id);
	fd = openat(st->jobs_fd, name, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, errno, "job %" PRIu32, id) : fd;
}

int hold_take(int dir_fd, const char *name, struct err *e)
{
	cleanup(close) int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fd < 0)
		return err_sys(e, errno, "open %s", name);
	if (fcntl(fd, F_OFD_SETLK, &whole) < 0)
		return err_sys(e, errno == EACCES ? EAGAIN : errno, "hold %s", name);
	return take_fd(&fd);
}

bool hold_is_taken(int dir_fd, const char *name)
{
	cleanup(close) int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

/* A lock for reading, the only kind that a folder takes, is as good as one for writing as long as one process asks. */
int hold_job(struct state *st, uint32_t id, struct err *e)
{
	cleanup(close) int fd = state_job_dir(st, id, e);
	struct flock ask = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct flock take = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	if (fd < 0)
		return -1;
	if (fcntl(fd, F_OFD_GETLK, &ask) < 0 || (ask.l_type == F_UNLCK && fcntl(fd, F_OFD_SETLK, &take) < 0))
		return err_sys(e, errno, "hold job %" PRIu32, id);
	return ask.l_type == F_UNLCK ? take_fd(&fd) : err_sys(e, EAGAIN, "hold job %" PRIu32, id);
}

bool job_is_held(struct state *st, uint32_t id)
{
	char name[16];

	snprintf(name, sizeof(name), "%" PRIu32, id);
	return hold_is_taken(st->jobs_fd, name);
}
