/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_IMAGE_EXTRACT_H
#define BERTH_IMAGE_EXTRACT_H

#include <stdint.h>

#include "base/err.h"
#include "image/stream.h"
#include "image/work.h"

/*
 * Unpacks tar archives into one folder, whatever they hold. Nothing outside of it is ever opened or made: every path is
 * resolved by the kernel with that folder as its root (openat2, RESOLVE_IN_ROOT), so links lead nowhere else, and a
 * name with ".." is an error. Everything belongs to the user. Devices are left out; setuid and setgid bits, extended
 * attributes and ACLs are dropped, since a set-uid file of an image would be one of the user's for all the host; each
 * is counted. Folders get u+rwx and files u+r, so that the user can copy and remove what was made.
 */

struct extract_limits {
	uint64_t size, entries;
};

struct extract_notes {
	uint64_t devices, set_id, xattrs;
};

struct extract;

/* ROOT_FD is borrowed. */
struct extract *extract_new(struct work *w, int root_fd, const struct extract_limits *limits);
/* A whole archive. */
int extract_tar(struct extract *x, struct stream *s, struct err *e);
/*
 * A layer over what is there already (OCI image specification, layer.md): first, from a stream of its own, what it
 * removes; then what it brings.
 */
int extract_whiteouts(struct extract *x, struct stream *s, struct err *e);
int extract_layer(struct extract *x, struct stream *s, struct err *e);
/* After the last archive: sets the folders' times. */
int extract_finish(struct extract *x, struct err *e);
const struct extract_notes *extract_notes(const struct extract *x);
void extract_free(struct extract *x);
void cleanup_extract(struct extract **x);

/*
 * A name of an archive as a path relative to the folder: without ".", doubled and leading slashes; "" is the folder
 * itself. ".." and what is too long or too deep is an error. OUT has PATH_MAX bytes.
 */
int extract_clean_name(const char *name, char *out, struct err *e);

#endif
