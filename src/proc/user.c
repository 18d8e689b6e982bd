/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/user.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "proc/spawn.h"

#define MAX_DATABASE (16 << 20)
#define MAX_GROUPS 65536
#define GETENT_MS 10000

int user_parse(const char *line, struct user *out, struct err *e)
{
	cleanup(strv) char **f = str_split(line, ":");
	uint32_t uid, gid;

	if (strv_len(f) != 7 || !*f[0] || parse_u32(f[2], 0, UINT32_MAX, &uid, NULL) < 0 ||
	    parse_u32(f[3], 0, UINT32_MAX, &gid, NULL) < 0)
		return err_set(e, "'%.200s' is no line of passwd(5)", line);
	*out = (struct user){ .uid = uid,
			      .gid = gid,
			      .name = xstrdup(f[0]),
			      .home = xstrdup(f[5]),
			      .shell = xstrdup(f[6]),
			      .line = xstrdup(line) };
	return 0;
}

void user_free(struct user *u)
{
	free(u->name);
	free(u->home);
	free(u->shell);
	free(u->line);
	*u = (struct user){ 0 };
}

void cleanup_user(struct user *u)
{
	user_free(u);
}

static bool field_is(const char *line, int field, const char *value)
{
	size_t n;

	while (field--) {
		line = strchr(line, ':');
		if (!line)
			return false;
		line++;
	}
	n = strcspn(line, ":");
	return strlen(value) == n && memcmp(line, value, n) == 0;
}

/* The first line of FILE whose field is VALUE, or NULL. */
static char *search_file(const char *file, int field, const char *value)
{
	cleanup(free) char *text = NULL;
	char *save = NULL;

	if (path_read_file(AT_FDCWD, file, MAX_DATABASE, &text, NULL, NULL, NULL) < 0)
		return NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (field_is(line, field, value))
			return xstrdup(line);
	return NULL;
}

static char *ask_getent(const char *database, const char *key)
{
	char *argv[] = { (char[]){ "getent" }, (char *)(size_t)database, (char[]){ "--" }, (char *)(size_t)key, NULL };
	char *envp[] = { (char[]){ "PATH=/usr/bin:/bin" }, NULL };
	cleanup(free) char *program = spawn_find("getent", "/usr/bin:/bin");
	struct spawn s = SPAWN_INIT;
	struct exit_status st;
	char *out = NULL;

	if (!program)
		return NULL;
	s.path = program;
	s.argv = argv;
	s.envp = envp;
	if (spawn_capture(&s, 1 << 20, GETENT_MS, &out, NULL, &st, NULL) < 0)
		return NULL;
	out[strcspn(out, "\n")] = '\0';
	if (st.code != 0 || !*out) {
		free(out);
		return NULL;
	}
	return out;
}

static int look_up(int field, const char *key, struct user *out, struct err *e)
{
	cleanup(free) char *line = search_file("/etc/passwd", field, key);

	if (!line)
		line = ask_getent("passwd", key);
	if (!line)
		return err_set(e, "the user database does not know user %s", key);
	return user_parse(line, out, e);
}

int user_by_uid(uid_t uid, struct user *out, struct err *e)
{
	char key[16];

	snprintf(key, sizeof(key), "%u", uid);
	return look_up(2, key, out, e);
}

int user_by_name(const char *name, struct user *out, struct err *e)
{
	return look_up(0, name, out, e);
}

char **user_group_lines(const gid_t *gids, size_t n)
{
	char **lines = xcalloc(1, sizeof(*lines));

	for (size_t i = 0; i < n; i++) {
		char key[16], *line;

		snprintf(key, sizeof(key), "%u", gids[i]);
		line = search_file("/etc/group", 2, key);
		if (!line)
			line = ask_getent("group", key);
		if (line)
			strv_push_own(&lines, line);
	}
	return lines;
}

char **user_own_group_lines(void)
{
	cleanup(free) gid_t *gids = xcalloc(MAX_GROUPS + 1, sizeof(*gids));
	int n = getgroups(MAX_GROUPS, gids);
	size_t count = n < 0 ? 0 : (size_t)n;
	gid_t own = getegid();

	for (size_t i = 0; i < count; i++)
		if (gids[i] == own)
			return user_group_lines(gids, count);
	gids[count] = own;
	return user_group_lines(gids, count + 1);
}
