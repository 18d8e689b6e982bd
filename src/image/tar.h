/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_IMAGE_TAR_H
#define BERTH_IMAGE_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"

/*
 * Reads a tar stream: v7, ustar, pax (POSIX.1-2001) and GNU's long names and sparse files. It only takes the format
 * apart. Names are bytes as the archive holds them; what they may do to a file system is the caller's concern
 * (image/extract.h). Every size in a hostile stream is bounded before memory is taken for it.
 */

enum tar_type {
	TAR_FILE,
	TAR_HARDLINK,
	TAR_SYMLINK,
	TAR_CHAR,
	TAR_BLOCK,
	TAR_DIR,
	TAR_FIFO,
};

/* Borrowed from the reader until the next tar_next. */
struct tar_entry {
	const char *name; /* never empty */
	const char *link; /* target of a link, else "" */
	enum tar_type type;
	mode_t mode;   /* permission bits, setuid, setgid and sticky among them */
	uint64_t size; /* of the file when it is written, holes included */
	struct timespec mtime;
	bool has_xattrs; /* extended attributes or ACLs, which are not read */
};

/* Fills BUF with N bytes, fewer only at the end of the stream. -1 on failure. */
typedef ssize_t tar_read_fn(void *arg, void *buf, size_t n, struct err *e);

struct tar;

struct tar *tar_new(tar_read_fn *read, void *arg);
void tar_free(struct tar *t);
void cleanup_tar(struct tar **t);

/* The next entry: 1, 0 at the end of the archive, -1 where it is damaged (the error names the entry). */
int tar_next(struct tar *t, struct tar_entry *out, struct err *e);

/*
 * The next piece of the entry's data, which belongs at *offset of the file: its length, 0 at its end, -1 on failure.
 * Pieces come in the archive's order and never reach beyond the entry's size.
 */
ssize_t tar_data(struct tar *t, const void **data, uint64_t *offset, struct err *e);

#endif
