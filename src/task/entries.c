/* SPDX-License-Identifier: Apache-2.0 */
#include "task/entries.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/str.h"

#define MAX_DATABASE (4 << 20)

static bool has_name(const char *text, const char *line)
{
	size_t n = strcspn(line, ":") + 1;

	for (const char *at = text; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		if (strncmp(at, line, n) == 0)
			return true;
	return false;
}

/* The image's file, or an empty text where it has none that can be read. */
static char *read_image(const struct bundle *b, const char *path)
{
	cleanup(close) int fd = path_open_in_root(b->rootfs_fd, path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
	struct strbuf empty = STRBUF_INIT;
	char *text = NULL;

	if (fd < 0 || fd_read_all(fd, MAX_DATABASE, &text, NULL, NULL) < 0)
		return strbuf_take(&empty);
	return text;
}

static int mount_database(struct task *t, struct mount_plan *plan, const char *name, char *const *lines, struct err *e)
{
	cleanup(free) char *target = path_join("/etc", name);
	cleanup(free) char *image = NULL;
	cleanup(free) char *host = path_join(t->folder.path, name);
	cleanup(strbuf) struct strbuf b = STRBUF_INIT;
	bool added = false;

	if (!lines || !*lines || mount_plan_covers(plan, target))
		return 0;
	if (!mount_plan_can(plan, target)) {
		log_verbose("UserEntries: the image has no place for %s", target);
		return 0;
	}
	image = read_image(&t->bundle, target);
	strbuf_adds(&b, image);
	if (b.len && b.data[b.len - 1] != '\n')
		strbuf_addc(&b, '\n');
	for (; *lines; lines++) {
		if (has_name(image, *lines))
			continue;
		strbuf_addf(&b, "%s\n", *lines);
		added = true;
	}
	if (!added)
		return 0;
	if (path_write_new(t->folder.fd, name, b.data, b.len, 0644, e) < 0)
		return -1;
	mount_plan_bind(plan, host, target, false);
	return 0;
}

int entries_mount(struct task *t, struct mount_plan *plan, struct err *e)
{
	char *const passwd[] = { t->user.line, NULL };

	if (!t->request.groups)
		t->request.groups = user_own_group_lines();
	if (mount_database(t, plan, "passwd", passwd, e) < 0 ||
	    mount_database(t, plan, "group", t->request.groups, e) < 0)
		return err_wrap(e, "UserEntries");
	return 0;
}
