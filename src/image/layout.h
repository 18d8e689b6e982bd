/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_IMAGE_LAYOUT_H
#define BERTH_IMAGE_LAYOUT_H

#include <json-c/json_object.h>

#include "base/err.h"

/* One image in an OCI image layout (OCI image specification, image-layout.md). */
struct layout {
	struct json_object *config; /* config.md */
	char **layers;		    /* paths below the layout, the lowest first */
};

#define LAYOUT_INIT ((struct layout){ 0 })

/* The first image of the layout that DIR_FD is. Its content was checked against its digests by whoever wrote it. */
int layout_load(int dir_fd, struct layout *out, struct err *e);
void cleanup_layout(struct layout *l);

/* "sha256:abc" as "blobs/sha256/abc". The caller frees it; NULL where it is no digest. */
char *layout_blob_path(const char *digest);

#endif
