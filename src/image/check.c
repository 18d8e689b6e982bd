/* SPDX-License-Identifier: Apache-2.0 */
#include "image/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "image/check_parts.h"
#include "oci/json.h"

static void add(struct check *c, bool error, const char *pointer, const char *fmt, va_list ap)
{
	struct check_result *r = c->result;
	struct check_problem *p;
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		die_no_memory();
	r->problems = xrealloc(r->problems, r->n + 1, sizeof(*r->problems));
	p = &r->problems[r->n++];
	*p = (struct check_problem){ .error = error, .pointer = xstrdup(pointer), .text = text };
	r->errors += error;
}

void check_error(struct check *c, const char *pointer, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(c, true, pointer, fmt, ap);
	va_end(ap);
}

void check_warning(struct check *c, const char *pointer, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(c, false, pointer, fmt, ap);
	va_end(ap);
}

void check_typed(struct check *c, const struct err *e)
{
	const char *colon = *e->msg == '/' ? strstr(e->msg, ": ") : NULL;
	cleanup(free) char *pointer = xstrndup(e->msg, colon ? (size_t)(colon - e->msg) : 0);

	check_error(c, pointer, "%s", colon ? colon + 2 : e->msg);
}

const char *check_string(struct check *c, const char *pointer)
{
	const char *s = NULL;
	struct err e = ERR_INIT;

	if (json_get_string(c->doc, pointer, &s, &e) < 0)
		check_typed(c, &e);
	return s;
}

const char *check_need_string(struct check *c, const char *pointer)
{
	if (!json_at(c->doc, pointer)) {
		check_error(c, pointer, "missing; expected a string");
		return NULL;
	}
	return check_string(c, pointer);
}

char **check_strings(struct check *c, const char *pointer)
{
	char **v = NULL;
	struct err e = ERR_INIT;

	if (json_get_strings(c->doc, pointer, &v, &e) < 0)
		check_typed(c, &e);
	return v;
}

void check_bool(struct check *c, const char *pointer)
{
	struct err e = ERR_INIT;
	bool b;

	if (json_get_bool(c->doc, pointer, &b, &e) < 0)
		check_typed(c, &e);
}

struct json_object *check_object(struct check *c, const char *pointer)
{
	struct json_object *o = NULL;
	struct err e = ERR_INIT;

	if (json_get_object(c->doc, pointer, &o, &e) < 0)
		check_typed(c, &e);
	return o;
}

size_t check_array(struct check *c, const char *pointer)
{
	struct json_object *o = NULL;
	struct err e = ERR_INIT;

	if (json_get_array(c->doc, pointer, &o, &e) < 0)
		check_typed(c, &e);
	return o ? json_object_array_length(o) : 0;
}

bool check_u32(struct check *c, const char *pointer, uint32_t *out)
{
	struct err e = ERR_INIT;

	if (!json_at(c->doc, pointer))
		return false;
	if (json_get_u32(c->doc, pointer, out, &e) == 0)
		return true;
	check_typed(c, &e);
	return false;
}

/* True where a relative path goes above the folder that it starts in, links not looked at. */
static bool leaves(const char *path)
{
	cleanup(strv) char **parts = str_split(path, "/");
	long depth = 0;

	for (char **p = parts; *p; p++) {
		if (strcmp(*p, "..") == 0 && --depth < 0)
			return true;
		if (**p && strcmp(*p, ".") != 0 && strcmp(*p, "..") != 0)
			depth++;
	}
	return false;
}

static void check_root_folder(struct check *c, const char *path, const char *shown)
{
	struct stat st, link;

	if (stat(path, &st) < 0) {
		check_error(c, "/root/path", "%s: %s", shown, strerror(errno));
		return;
	}
	if (!S_ISDIR(st.st_mode)) {
		check_error(c, "/root/path", "%s is not a folder", shown);
		return;
	}
	if (lstat(path, &link) == 0 && S_ISLNK(link.st_mode))
		check_error(c, "/root/path", "%s is a symbolic link, which runc refuses; name the folder itself",
			    shown);
	c->rootfs = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->rootfs < 0 || faccessat(c->rootfs, ".", X_OK, AT_EACCESS) < 0)
		check_error(c, "/root/path", "%s can't be read by you (uid %u): %s", shown, geteuid(), strerror(errno));
	else if (st.st_uid != geteuid())
		check_warning(c, "/root/path",
			      "%s belongs to uid %u, not to you (uid %u): nothing in it can be changed from inside",
			      shown, st.st_uid, geteuid());
}

static void check_root(struct check *c)
{
	cleanup(free) char *path = NULL;
	const char *root;

	if (!check_object(c, "/root")) {
		if (!json_at(c->doc, "/root"))
			check_error(c, "/root", "missing; expected an object with the path of the root file system");
		return;
	}
	check_bool(c, "/root/readonly");
	root = check_need_string(c, "/root/path");
	if (!root)
		return;
	if (!*root) {
		check_error(c, "/root/path", "an empty path");
		return;
	}
	if (*root != '/' && leaves(root)) {
		check_error(c, "/root/path", "%s leaves the bundle", root);
		return;
	}
	path = path_join(c->dir, root);
	while (strlen(path) > 1 && str_ends(path, "/"))
		path[strlen(path) - 1] = '\0';
	check_root_folder(c, path, root);
}

static void check_annotations(struct check *c)
{
	struct json_object *annotations = check_object(c, "/annotations");

	if (!annotations)
		return;
	json_object_object_foreach(annotations, key, value) {
		cleanup(free) char *pointer = xasprintf("/annotations/%s", key);

		if (!json_object_is_type(value, json_type_string))
			check_error(c, pointer, "expected a string");
	}
}

static void check_top(struct check *c)
{
	const char *version = check_need_string(c, "/ociVersion");

	if (version && !str_starts(version, "1."))
		check_error(c, "/ociVersion", "%s is not known; crun and runc take 1.x", version);
	check_annotations(c);
	check_namespaces(c);
	if (check_string(c, "/hostname") && !(c->namespaces & CHECK_NS_UTS))
		check_error(c, "/hostname", "set without a uts namespace in /linux/namespaces");
}

void check_bundle(const char *dir, struct check_result *out)
{
	cleanup(json) struct json_object *doc = NULL;
	cleanup(close) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct check c = { .result = out, .dir = dir, .rootfs = -1 };
	struct err e = ERR_INIT;

	*out = CHECK_RESULT_INIT;
	if (fd < 0) {
		check_error(&c, "", "%s: %s", dir, strerror(errno));
		return;
	}
	if (json_load(fd, "config.json", JSON_MAX_FILE, &doc, &e) < 0) {
		check_error(&c, "", "%s", e.msg);
		return;
	}
	c.doc = doc;
	check_top(&c);
	check_root(&c);
	check_process(&c);
	check_mounts(&c);
	check_linux(&c);
	check_hooks(&c);
	if (c.rootfs >= 0)
		close(c.rootfs);
}

void cleanup_check_result(struct check_result *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->problems[i].pointer);
		free(r->problems[i].text);
	}
	free(r->problems);
	*r = CHECK_RESULT_INIT;
}
