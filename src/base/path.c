/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

char *path_join(const char *a, const char *b)
{
	if (*b == '/' || !*a)
		return xstrdup(b);
	return xasprintf(str_ends(a, "/") ? "%s%s" : "%s/%s", a, b);
}

char *path_absolute(const char *path)
{
	cleanup(free) char *cwd = *path == '/' ? xstrdup("/") : getcwd(NULL, 0);
	cleanup(free) char *whole = path_join(cwd ? cwd : "", path);
	cleanup(strv) char **parts = str_split(whole, "/");
	struct strbuf b = STRBUF_INIT;

	if (*whole != '/')
		return take_ptr(&whole);
	for (char **p = parts; *p; p++) {
		if (!**p || strcmp(*p, ".") == 0)
			continue;
		if (strcmp(*p, "..") == 0) {
			while (b.len && b.data[--b.len] != '/')
				;
			continue;
		}
		strbuf_addc(&b, '/');
		strbuf_adds(&b, *p);
	}
	if (!b.len)
		strbuf_addc(&b, '/');
	return strbuf_take(&b);
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *path_program_dir(void)
{
	char buf[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", buf, sizeof(buf) - 1);
	char *slash;

	if (n <= 0)
		return NULL;
	buf[n] = '\0';
	slash = strrchr(buf, '/');
	if (!slash)
		return NULL;
	slash[slash == buf] = '\0';
	return xstrdup(buf);
}

int path_open_in_root(int root_fd, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC), .resolve = RESOLVE_IN_ROOT };
	long fd = -1;

	/* EAGAIN: something was renamed meanwhile; somebody who does that all the time does not hold us up for ever. */
	for (int i = 0; i < 1000; i++) {
		fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EINTR && errno != EAGAIN))
			break;
	}
	return (int)fd;
}

int path_mkdirs(const char *dir, mode_t mode, struct err *e)
{
	cleanup(free) char *path = path_absolute(dir);

	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return err_sys(e, errno, "make folder %s", path);
	for (char *p = path + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		if (mkdir(path, mode) < 0 && errno != EEXIST)
			return err_sys(e, errno, "make folder %s", path);
	}
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_sys(e, errno, "make folder %s", path);
	return 0;
}

int path_private_dir(const char *dir, struct err *e)
{
	/* Without a slash at its end, behind which O_NOFOLLOW would follow. */
	cleanup(free) char *plain = path_absolute(dir);
	cleanup(close) int fd = open(plain, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT) {
		if (path_mkdirs(plain, 0700, e) < 0)
			return -1;
		fd = open(plain, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0)
		return err_sys(e, errno, "open folder %s", dir);
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "stat %s", dir);
	if (st.st_uid != geteuid())
		return err_set(e, "folder %s belongs to uid %u, not to you (uid %u)", dir, st.st_uid, geteuid());
	if (st.st_mode & 077)
		return err_set(e, "folder %s is open to others (mode %03o); run chmod 700 on it", dir,
			       (unsigned)(st.st_mode & 0777));
	return take_fd(&fd);
}

int path_random_name(const char *prefix, char **out, struct err *e)
{
	uint64_t r;

	if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return err_sys(e, errno, "getrandom");
	*out = xasprintf("%s%016" PRIx64, prefix, r);
	return 0;
}

int path_unique_dir(int dir_fd, const char *prefix, char **name, struct err *e)
{
	cleanup(free) char *n = NULL;
	int fd;

	if (path_random_name(prefix, &n, e) < 0)
		return -1;
	if (mkdirat(dir_fd, n, 0700) < 0)
		return err_sys(e, errno, "make folder %s", n);
	fd = openat(dir_fd, n, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		err_sys(e, errno, "open folder %s", n);
		unlinkat(dir_fd, n, AT_REMOVEDIR);
		return -1;
	}
	*name = take_ptr(&n);
	return fd;
}

int path_read_file(int dir_fd, const char *name, size_t max, char **out, size_t *len, struct stat *st, struct err *e)
{
	cleanup(close) int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat own;

	if (fd < 0)
		return err_sys(e, errno, "open %s", name);
	if (fstat(fd, &own) < 0)
		return err_sys(e, errno, "stat %s", name);
	if (!S_ISREG(own.st_mode) && !S_ISFIFO(own.st_mode) && !S_ISCHR(own.st_mode))
		return err_set(e, "%s is not a file", name);
	if (!S_ISREG(own.st_mode) && fcntl(fd, F_SETFL, 0) < 0)
		return err_sys(e, errno, "fcntl %s", name);
	if (st)
		*st = own;
	if (fd_read_all(fd, max, out, len, e) < 0)
		return err_wrap(e, "%s", name);
	return 0;
}

static int write_file(int dir_fd, const char *name, const void *data, size_t len, mode_t mode, bool durable,
		      struct err *e)
{
	cleanup(close) int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, errno, "create %s", name);
	/* A network file system may say only at the close that the data did not fit. */
	if (fd_write_all(fd, data, len, e) < 0 || (fchmod(fd, mode) < 0 && err_sys(e, errno, "chmod")) ||
	    (durable && fdatasync(fd) < 0 && err_sys(e, errno, "fdatasync")) ||
	    (close(take_fd(&fd)) < 0 && err_sys(e, errno, "close"))) {
		unlinkat(dir_fd, name, 0);
		return err_wrap(e, "%s", name);
	}
	return 0;
}

int path_write_new(int dir_fd, const char *name, const void *data, size_t len, mode_t mode, struct err *e)
{
	return write_file(dir_fd, name, data, len, mode, false, e);
}

int path_write_atomic(int dir_fd, const char *name, const void *data, size_t len, bool durable, struct err *e)
{
	cleanup(free) char *prefix = xasprintf(".%s.", name);
	cleanup(free) char *tmp = NULL;

	if (path_random_name(prefix, &tmp, e) < 0 || write_file(dir_fd, tmp, data, len, 0600, durable, e) < 0)
		return err_wrap(e, "write %s", name);
	if (renameat(dir_fd, tmp, dir_fd, name) < 0) {
		err_sys(e, errno, "rename %s to %s", tmp, name);
		unlinkat(dir_fd, tmp, 0);
		return -1;
	}
	if (durable && fsync(dir_fd) < 0)
		return err_sys(e, errno, "fsync the folder of %s", name);
	return 0;
}
