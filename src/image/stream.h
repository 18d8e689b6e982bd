/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_IMAGE_STREAM_H
#define BERTH_IMAGE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"
#include "image/work.h"

/*
 * A tar archive (v7, ustar, pax, GNU) from a file or a pipe, plain or compressed (gzip, bzip2, xz, zstd), as libarchive
 * takes it apart. Nothing is written here: names are what the archive holds, and what they may do to a file system is
 * the caller's concern (image/extract.h). Blocks; a signal to W's process ends a read with an error.
 */
struct stream;

/* Borrowed from the stream until the next stream_next. */
struct stream_entry {
	const char *name;
	const char *link; /* target of a link, else "" */
	mode_t type;	  /* S_IFREG, ...; of a hard link without meaning */
	bool hardlink;
	mode_t mode;   /* permission bits, setuid, setgid and sticky among them */
	uint64_t size; /* of the file when it is written, holes included; 0 where it is none */
	struct timespec mtime;
	bool has_xattrs; /* extended attributes or ACLs */
};

/* FD is taken. An empty file is an archive without entries. */
int stream_open(struct work *w, int fd, struct stream **out, struct err *e);
/* 1, 0 at the end of the archive, -1 where it is damaged. What was not read of the entry before is skipped. */
int stream_next(struct stream *s, struct stream_entry *out, struct err *e);
/* The next piece of the entry's data, which belongs at *offset of the file and lies in its size: 1, 0 at its end, -1.
 */
int stream_data(struct stream *s, const void **data, size_t *n, uint64_t *offset, struct err *e);
/*
 * Reads to the end, at most MAX bytes, so that whoever writes is not cut off and every checksum is compared.
 */
int stream_drain(struct stream *s, size_t max, struct err *e);
/* Whether the source was read to its end. */
bool stream_at_end(const struct stream *s);
void stream_free(struct stream *s);
void cleanup_stream(struct stream **s);

#endif
