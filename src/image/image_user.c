/* SPDX-License-Identifier: Apache-2.0 */
#include "image/image_user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"

enum { MAX_PASSWD = 16 << 20, PASSWD_FIELDS = 7 };

/* The text of the image's passwd file, "" where it has none. */
static int read_passwd(int rootfs_fd, char **out, struct err *e)
{
	cleanup(close) int fd = path_open_in_root(rootfs_fd, "etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		*out = xstrdup("");
		return 0;
	}
	return fd_read_all(fd, MAX_PASSWD, out, NULL, e) < 0 ? err_wrap(e, "the image's /etc/passwd") : 0;
}

static bool line_is_of(char *const *fields, const char *name, bool numeric, uint32_t uid, uint32_t *found)
{
	if (strv_len((char **)fields) != PASSWD_FIELDS || parse_u32(fields[2], 0, UINT32_MAX - 1, found, NULL) < 0)
		return false;
	return numeric ? *found == uid : strcmp(fields[0], name) == 0;
}

int image_user_find(int rootfs_fd, const char *user, struct image_user *out, struct err *e)
{
	cleanup(free) char *name = xstrndup(user, strcspn(user, ":"));
	cleanup(free) char *text = NULL;
	cleanup(strv) char **lines = NULL;
	uint32_t uid = 0;
	bool numeric = !*name || parse_u32(name, 0, UINT32_MAX - 1, &uid, NULL) == 0;

	*out = (struct image_user){ .uid = uid };
	if (read_passwd(rootfs_fd, &text, e) < 0)
		return -1;
	lines = str_split(text, "\n");
	for (char **l = lines; *l; l++) {
		cleanup(strv) char **fields = str_split(*l, ":");
		uint32_t found;

		if (!line_is_of(fields, name, numeric, uid, &found))
			continue;
		out->uid = found;
		out->home = *fields[5] == '/' ? xstrdup(fields[5]) : NULL;
		return 0;
	}
	return numeric ? 0 : err_set(e, "the image's user '%.64s' is not in its /etc/passwd", name);
}
