/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_IMAGE_TAR_HEADER_H
#define BERTH_IMAGE_TAR_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"

/* One 512-byte header block of a tar archive (POSIX.1-2001 pax, "ustar Interchange Format", and GNU's variant). */

enum { TAR_BLOCK_SIZE = 512 };

struct tar_header {
	char name[257]; /* prefix and name */
	char link[101];
	char type;
	mode_t mode;
	uint64_t size;
	time_t mtime;
};

bool tar_block_is_empty(const unsigned char *block);
/* Checks the checksum and takes the fields apart. */
int tar_header_parse(const unsigned char *block, struct tar_header *out, struct err *e);

/* A numeric field: octal digits, or GNU's base 256 with the high bit set. False where it is neither, or below zero. */
bool tar_number(const unsigned char *field, size_t len, uint64_t *out);
/* A pax time, "SECONDS[.FRACTION]" with an optional sign. */
bool tar_parse_time(const char *text, struct timespec *out);

#endif
