/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "config/oci_conf.h"
#include "oci/json.h"

static int open_rootfs(struct bundle *b, struct err *e)
{
	cleanup(free) char *joined = NULL;
	const char *path = NULL;
	char real[PATH_MAX];

	if (json_get_string(b->config, "/root/path", &path, e) < 0 ||
	    json_get_bool(b->config, "/root/readonly", &b->readonly, e) < 0)
		return -1;
	if (!path || !*path)
		return err_set(e, "/root/path: missing");
	joined = path_join(b->dir, path);
	if (!realpath(joined, real))
		return err_sys(e, errno, "/root/path: %s", joined);
	b->rootfs = xstrdup(real);
	b->rootfs_fd = open(real, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (b->rootfs_fd < 0)
		return err_sys(e, errno, "/root/path: %s", real);
	return 0;
}

static int read_process(struct bundle *b, struct err *e)
{
	const char *cwd = "/";

	if (!json_at(b->config, "/process"))
		return err_set(e, "/process: missing");
	if (json_get_strings(b->config, "/process/env", &b->env, e) < 0 ||
	    json_get_strings(b->config, "/process/args", &b->args, e) < 0 ||
	    json_get_string(b->config, "/process/cwd", &cwd, e) < 0)
		return -1;
	b->cwd = xstrdup(cwd);
	return 0;
}

int bundle_load(const char *dir, struct bundle *out, struct err *e)
{
	cleanup(close) int fd = -1;
	char real[PATH_MAX];

	*out = BUNDLE_INIT;
	if (!realpath(dir, real) || (fd = open(real, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_sys(e, errno, "bundle %s", dir);
	out->dir = xstrdup(real);
	if (json_load(fd, "config.json", JSON_MAX_FILE, &out->config, e) < 0) {
		bundle_free(out);
		err_wrap(e, "bundle %s", dir);
		if (e && e->code == ENOENT)
			err_hint(e, "a bundle is a folder with a config.json and a root file system, as `berth bundle "
				    "create` makes it");
		return -1;
	}
	if (open_rootfs(out, e) < 0 || read_process(out, e) < 0) {
		bundle_free(out);
		return err_wrap(e, "bundle %s: config.json", dir);
	}
	return 0;
}

void bundle_free(struct bundle *b)
{
	free(b->dir);
	json_object_put(b->config);
	free(b->rootfs);
	if (b->rootfs_fd >= 0)
		close(b->rootfs_fd);
	strv_free(b->env);
	strv_free(b->args);
	free(b->cwd);
	*b = BUNDLE_INIT;
}

void cleanup_bundle(struct bundle *b)
{
	bundle_free(b);
}

void bundle_drop_hooks(struct bundle *b, unsigned kinds)
{
	static const struct {
		enum oci_hook kind;
		const char *pointer;
	} hooks[] = {
		{ OCI_HOOK_PRESTART, "/hooks/prestart" },
		{ OCI_HOOK_CREATE_RUNTIME, "/hooks/createRuntime" },
		{ OCI_HOOK_CREATE_CONTAINER, "/hooks/createContainer" },
		{ OCI_HOOK_START_CONTAINER, "/hooks/startContainer" },
		{ OCI_HOOK_POSTSTART, "/hooks/poststart" },
		{ OCI_HOOK_POSTSTOP, "/hooks/poststop" },
	};

	for (size_t i = 0; i < sizeof(hooks) / sizeof(*hooks); i++)
		if (kinds & hooks[i].kind)
			json_remove(b->config, hooks[i].pointer);
}

static int own_mapping(struct bundle *b, const char *pointer, uint64_t id, struct err *e)
{
	struct json_object *list = NULL;
	cleanup(free) char *size_at = xasprintf("%s/0/size", pointer);
	cleanup(free) char *host_at = xasprintf("%s/0/hostID", pointer);
	uint64_t size = 0;

	if (json_get_array(b->config, pointer, &list, e) < 0)
		return -1;
	if (!list || json_object_array_length(list) != 1)
		return 0;
	if (json_get_u64(b->config, size_at, UINT32_MAX, &size, e) < 0)
		return -1;
	return size == 1 ? json_set(b->config, host_at, json_object_new_uint64(id), e) : 0;
}

int bundle_own_ids(struct bundle *b, uid_t uid, gid_t gid, struct err *e)
{
	if (own_mapping(b, "/linux/uidMappings", uid, e) < 0)
		return -1;
	return own_mapping(b, "/linux/gidMappings", gid, e);
}

/* True where config.json mounts something on PATH or above it. */
static bool is_mounted(struct json_object *mounts, const char *path)
{
	for (size_t i = 0; mounts && i < json_object_array_length(mounts); i++) {
		struct json_object *m = json_object_array_get_idx(mounts, i);
		cleanup(free) char *plain = NULL;
		const char *at = NULL;
		size_t n;

		if (!json_object_is_type(m, json_type_object) || json_get_string(m, "/destination", &at, NULL) < 0 ||
		    !at)
			continue;
		plain = path_join("/", at);
		n = strlen(plain);
		while (n && plain[n - 1] == '/')
			n--;
		if (strncmp(path, plain, n) == 0 && (path[n] == '/' || !path[n]))
			return true;
	}
	return false;
}

int bundle_add_dev(struct bundle *b, struct err *e)
{
	static const char *const texts[][2] = {
		{ "/dev", "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\","
			  "\"strictatime\",\"mode=755\",\"size=65536k\"]}" },
		{ "/dev/pts", "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":["
			      "\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"]}" },
		{ "/dev/shm", "{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":["
			      "\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\"]}" },
	};
	struct json_object *old = NULL, *all;

	if (json_get_array(b->config, "/mounts", &old, e) < 0)
		return err_wrap(e, "config.json");
	if (is_mounted(old, "/dev"))
		return 0;
	all = json_object_new_array();
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct json_object *m = NULL;

		if (!is_mounted(old, texts[i][0]) && json_parse(texts[i][1], strlen(texts[i][1]), &m, NULL) == 0)
			json_object_array_add(all, m);
	}
	for (size_t i = 0; old && i < json_object_array_length(old); i++)
		json_object_array_add(all, json_object_get(json_object_array_get_idx(old, i)));
	return json_set(b->config, "/mounts", all, e);
}

int bundle_write(struct bundle *b, int dir_fd, struct err *e)
{
	return json_write(dir_fd, "config.json", b->config, 0600, e);
}
