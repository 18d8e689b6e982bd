/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_IMAGE_STREAM_H
#define BERTH_IMAGE_STREAM_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "image/work.h"

/*
 * Bytes from a file or a pipe, decompressed on the way where their beginning says that they are compressed (gzip,
 * bzip2, xz, zstd), by the system's own program for it. Blocks; a signal to W's process ends a read with an error.
 */
struct stream;

/* FD is taken. */
int stream_open(struct work *w, int fd, struct stream **out, struct err *e);
/* Fills BUF with N bytes, fewer only at the end. A decompressor that failed is an error at the end. */
ssize_t stream_read(struct stream *s, void *buf, size_t n, struct err *e);
/* Reads to the end, at most MAX bytes, so that whoever writes is not cut off and damage there is noticed. */
int stream_drain(struct stream *s, size_t max, struct err *e);
void stream_free(struct stream *s);
void cleanup_stream(struct stream **s);

#endif
