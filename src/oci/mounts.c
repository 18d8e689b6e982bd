/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/json.h"
#include "oci/skeleton.h"

/* A mount of config.json or one of ours. */
struct mount {
	char *source, *target;
	char *real;	/* the target as the root file system's links resolve it */
	size_t missing; /* where in `real` the part begins that does not exist; 0: all of it does */
	bool ours, bind, tmpfs, readonly, is_file;
};

struct mount_plan {
	struct bundle *bundle;
	char *skeleton;
	struct mount *mounts;
	size_t n;
};

/*
 * The place of PATH in the root file system with all links followed; what does not exist is appended as it is. A place
 * that cannot be looked at counts as existing: the runtime will know better.
 */
static char *resolve(const struct bundle *b, const char *path, size_t *missing)
{
	cleanup(free) char *head = path_absolute(path);
	char real[PATH_MAX], link[64];
	size_t root_len = strlen(b->rootfs), cut = strlen(head);
	char *whole;

	*missing = 0;
	for (;;) {
		cleanup(close) int fd = -1;
		char saved = head[cut];
		ssize_t n;

		head[cut] = '\0';
		fd = path_open_in_root(b->rootfs_fd, cut ? head : "/", O_PATH);
		head[cut] = saved;
		if (fd >= 0) {
			snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
			n = readlink(link, real, sizeof(real) - 1);
			if (n < (ssize_t)root_len)
				return xstrdup(head);
			real[n] = '\0';
			break;
		}
		if ((errno != ENOENT && errno != ENOTDIR) || !cut)
			return xstrdup(head);
		while (cut && head[--cut] != '/')
			;
	}
	if (root_len == 1)
		root_len = 0; /* the root file system is the host's own "/" */
	whole = xasprintf("%s%s", strcmp(real + root_len, "/") == 0 ? "" : real + root_len, head + cut);
	if (head[cut])
		*missing = strlen(whole) - strlen(head + cut);
	if (!*whole) {
		free(whole);
		whole = xstrdup("/");
	}
	if (head[cut] && !*missing)
		*missing = SIZE_MAX; /* missing in "/" itself */
	return whole;
}

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (strcmp(dir, "/") == 0)
		return true;
	return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static void add(struct mount_plan *p, struct mount m)
{
	m.real = resolve(p->bundle, m.target, &m.missing);
	p->mounts = xrealloc(p->mounts, p->n + 1, sizeof(*p->mounts));
	p->mounts[p->n++] = m;
}

static bool is_bind(struct json_object *mount)
{
	cleanup(strv) char **options = NULL;
	const char *type = "";

	if (json_get_string(mount, "/type", &type, NULL) == 0 && strcmp(type, "bind") == 0)
		return true;
	if (json_get_strings(mount, "/options", &options, NULL) < 0)
		return false;
	return strv_has(options, "bind") || strv_has(options, "rbind");
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* What is malformed here is left as it is: the runtime will say so in its own words. */
static void add_configured(struct mount_plan *p)
{
	struct json_object *list = json_at(p->bundle->config, "/mounts");

	for (size_t i = 0; list && json_object_is_type(list, json_type_array) && i < json_object_array_length(list);
	     i++) {
		struct json_object *m = json_object_array_get_idx(list, i);
		const char *source = "", *target = NULL;
		const char *type = "";
		bool bind;

		if (!json_object_is_type(m, json_type_object) ||
		    json_get_string(m, "/destination", &target, NULL) < 0 || !target ||
		    json_get_string(m, "/source", &source, NULL) < 0 || json_get_string(m, "/type", &type, NULL) < 0)
			continue;
		bind = is_bind(m);
		add(p, (struct mount){ .source = path_join(p->bundle->dir, source),
				       .target = path_join("/", target),
				       .bind = bind,
				       .tmpfs = !bind && strcmp(type, "tmpfs") == 0 });
		p->mounts[p->n - 1].is_file = bind && is_file(p->mounts[p->n - 1].source);
	}
}

struct mount_plan *mount_plan_new(struct bundle *b, const char *skeleton)
{
	struct mount_plan *p = xcalloc(1, sizeof(*p));

	p->bundle = b;
	p->skeleton = xstrdup(skeleton);
	add_configured(p);
	return p;
}

void mount_plan_free(struct mount_plan *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++) {
		free(p->mounts[i].source);
		free(p->mounts[i].target);
		free(p->mounts[i].real);
	}
	free(p->mounts);
	free(p->skeleton);
	free(p);
}

void cleanup_mount_plan(struct mount_plan **p)
{
	mount_plan_free(*p);
}

/* The last of the first N mounts whose place holds PATH, or NULL where that is the root file system. */
static const struct mount *covering(const struct mount_plan *p, const char *real, size_t n)
{
	while (n--)
		if (is_below(real, p->mounts[n].real))
			return &p->mounts[n];
	return NULL;
}

/* True where REAL exists in M, which is mounted at or above it. */
static bool exists_in(const struct mount *m, const char *real)
{
	size_t below = strcmp(m->real, "/") == 0 ? 0 : strlen(m->real);
	cleanup(free) char *host = NULL;

	if (!real[below] || !m->bind)
		return !real[below];
	host = path_join(m->source, real + below + 1);
	return access(host, F_OK) == 0;
}

bool mount_plan_has(struct mount_plan *p, const char *path)
{
	size_t missing;
	cleanup(free) char *real = resolve(p->bundle, path, &missing);
	const struct mount *m = covering(p, real, p->n);

	return m ? exists_in(m, real) : !missing;
}

bool mount_plan_covers(struct mount_plan *p, const char *path)
{
	size_t missing;
	cleanup(free) char *real = resolve(p->bundle, path, &missing);
	const struct mount *m = covering(p, real, p->n);

	return m && !m->ours;
}

bool mount_plan_private(struct mount_plan *p, const char *path)
{
	size_t missing;
	cleanup(free) char *real = resolve(p->bundle, path, &missing);
	const struct mount *m = covering(p, real, p->n);

	return m && m->tmpfs;
}

bool mount_plan_can(struct mount_plan *p, const char *target)
{
	size_t missing;
	cleanup(free) char *real = resolve(p->bundle, target, &missing);
	const struct mount *m = covering(p, real, p->n);

	if (m)
		return m->tmpfs || exists_in(m, real);
	if (!missing)
		return true;
	if (missing == SIZE_MAX)
		return skeleton_possible(p->bundle->rootfs_fd, "/");
	real[missing] = '\0';
	return skeleton_possible(p->bundle->rootfs_fd, real);
}

void mount_plan_bind(struct mount_plan *p, const char *source, const char *target, bool readonly)
{
	add(p, (struct mount){ .source = xstrdup(source),
			       .target = xstrdup(target),
			       .ours = true,
			       .bind = true,
			       .readonly = readonly });
	p->mounts[p->n - 1].is_file = is_file(source);
}

static struct json_object *bind_object(const char *source, const char *target, bool recursive, bool readonly)
{
	struct json_object *m = json_object_new_object();
	struct json_object *options = json_object_new_array();

	json_object_array_add(options, json_object_new_string(recursive ? "rbind" : "bind"));
	if (readonly)
		json_object_array_add(options, json_object_new_string("ro"));
	json_object_object_add(m, "destination", json_object_new_string(target));
	json_object_object_add(m, "type", json_object_new_string("bind"));
	json_object_object_add(m, "source", json_object_new_string(source));
	json_object_object_add(m, "options", options);
	return m;
}

static bool is_target(void *arg, const char *path)
{
	const struct mount_plan *p = arg;

	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->mounts[i].real, path) == 0)
			return true;
	return false;
}

struct sink {
	struct mount_plan *plan;
	struct json_object *mounts;
};

static void emit(void *arg, const char *source, const char *target)
{
	struct sink *s = arg;

	json_object_array_add(s->mounts, bind_object(source, target, true, s->plan->bundle->readonly));
}

/* Gives every mount whose place is missing in the root file system a skeleton to lie in. */
static int fill_holes(struct mount_plan *p, struct json_object *mounts, char **root, struct err *e)
{
	struct sink sink = { .plan = p, .mounts = mounts };
	struct skeleton *sk = skeleton_new(p->bundle->rootfs, p->bundle->rootfs_fd, p->skeleton);
	int r;

	for (size_t i = 0; i < p->n; i++) {
		const struct mount *m = &p->mounts[i];
		size_t at = m->missing == SIZE_MAX ? 0 : m->missing;

		if (!m->missing || covering(p, m->real, i))
			continue;
		skeleton_add(sk, m->real, at, m->is_file);
	}
	r = skeleton_make(sk, is_target, p, emit, &sink, root, e);
	skeleton_free(sk);
	return r;
}

int mount_plan_apply(struct mount_plan *p, struct err *e)
{
	struct json_object *configured = NULL, *all;
	cleanup(free) char *root = NULL;

	if (json_get_array(p->bundle->config, "/mounts", &configured, e) < 0)
		return err_wrap(e, "config.json");
	all = json_object_new_array();
	if (fill_holes(p, all, &root, e) < 0) {
		json_object_put(all);
		return -1;
	}
	for (size_t i = 0; configured && i < json_object_array_length(configured); i++)
		json_object_array_add(all, json_object_get(json_object_array_get_idx(configured, i)));
	for (size_t i = 0; i < p->n; i++) {
		const struct mount *m = &p->mounts[i];

		if (m->ours)
			json_object_array_add(all, bind_object(m->source, m->target, true, m->readonly));
	}
	if (json_set(p->bundle->config, "/mounts", all, e) < 0)
		return -1;
	return json_set_string(p->bundle->config, "/root/path", root ? root : p->bundle->rootfs, e);
}
