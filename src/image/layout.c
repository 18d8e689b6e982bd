/* SPDX-License-Identifier: Apache-2.0 */
#include "image/layout.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/json.h"

enum { MAX_LAYERS = 1024 };

void cleanup_layout(struct layout *l)
{
	json_object_put(l->config);
	strv_free(l->layers);
	*l = LAYOUT_INIT;
}

char *layout_blob_path(const char *digest)
{
	size_t algorithm = strspn(digest, "abcdefghijklmnopqrstuvwxyz0123456789"), hex;

	if (!algorithm || digest[algorithm] != ':')
		return NULL;
	hex = strspn(digest + algorithm + 1, "0123456789abcdef");
	if (hex < 32 || hex > 128 || digest[algorithm + 1 + hex])
		return NULL;
	return xasprintf("blobs/%.*s/%s", (int)algorithm, digest, digest + algorithm + 1);
}

static int blob_at(struct json_object *doc, const char *pointer, char **path, struct err *e)
{
	const char *digest = NULL;

	if (json_get_string(doc, pointer, &digest, e) < 0)
		return -1;
	*path = digest ? layout_blob_path(digest) : NULL;
	return *path ? 0 : err_set(e, "%s: expected a digest", pointer);
}

static int load_blob(int dir_fd, struct json_object *doc, const char *pointer, struct json_object **out, struct err *e)
{
	cleanup(free) char *path = NULL;

	if (blob_at(doc, pointer, &path, e) < 0)
		return -1;
	return json_load(dir_fd, path, JSON_MAX_FILE, out, e);
}

int layout_load(int dir_fd, struct layout *out, struct err *e)
{
	cleanup(json) struct json_object *index = NULL, *manifest = NULL;
	cleanup(layout) struct layout l = LAYOUT_INIT;
	struct json_object *layers = NULL;

	if (json_load(dir_fd, "index.json", JSON_MAX_FILE, &index, e) < 0)
		return -1;
	if (load_blob(dir_fd, index, "/manifests/0/digest", &manifest, e) < 0)
		return err_wrap(e, "index.json");
	if (load_blob(dir_fd, manifest, "/config/digest", &l.config, e) < 0 ||
	    json_get_array(manifest, "/layers", &layers, e) < 0)
		return err_wrap(e, "the image's manifest");
	if (layers && json_object_array_length(layers) > MAX_LAYERS)
		return err_set(e, "an image of more than %d layers", MAX_LAYERS);
	for (size_t i = 0; layers && i < json_object_array_length(layers); i++) {
		cleanup(free) char *pointer = xasprintf("/layers/%zu/digest", i);
		char *path = NULL;

		if (blob_at(manifest, pointer, &path, e) < 0)
			return err_wrap(e, "the image's manifest");
		strv_push_own(&l.layers, path);
	}
	*out = l;
	l = LAYOUT_INIT;
	return 0;
}
