/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tar_header.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

/* Offsets and lengths of the fields. */
enum {
	NAME = 0,
	NAME_LEN = 100,
	MODE = 100,
	SIZE = 124,
	MTIME = 136,
	CHECKSUM = 148,
	TYPE = 156,
	LINK = 157,
	LINK_LEN = 100,
	MAGIC = 257,
	PREFIX = 345,
	PREFIX_LEN = 155,
};

bool tar_block_is_empty(const unsigned char *block)
{
	for (size_t i = 0; i < TAR_BLOCK_SIZE; i++)
		if (block[i])
			return false;
	return true;
}

static bool base256(const unsigned char *field, size_t len, uint64_t *out)
{
	uint64_t n = field[0] & 0x3f;

	if (field[0] & 0x40)
		return false;
	for (size_t i = 1; i < len; i++) {
		if (n >> 55)
			return false;
		n = n << 8 | field[i];
	}
	*out = n;
	return true;
}

bool tar_number(const unsigned char *field, size_t len, uint64_t *out)
{
	uint64_t n = 0;
	size_t i = 0;

	if (field[0] & 0x80)
		return base256(field, len, out);
	while (i < len && field[i] == ' ')
		i++;
	for (; i < len && field[i] >= '0' && field[i] <= '7'; i++)
		n = n << 3 | (uint64_t)(field[i] - '0');
	for (; i < len; i++)
		if (field[i] != ' ' && field[i] != '\0')
			return false;
	*out = n;
	return true;
}

/* Some old programs summed signed bytes. */
static bool checksum_fits(const unsigned char *block)
{
	int64_t plain = 0, with_sign = 0;
	uint64_t said;

	for (size_t i = 0; i < TAR_BLOCK_SIZE; i++) {
		unsigned char c = i >= CHECKSUM && i < CHECKSUM + 8 ? ' ' : block[i];

		plain += c;
		with_sign += (signed char)c;
	}
	return tar_number(block + CHECKSUM, 8, &said) && ((int64_t)said == plain || (int64_t)said == with_sign);
}

int tar_header_parse(const unsigned char *block, struct tar_header *out, struct err *e)
{
	uint64_t mode, mtime;
	int prefix_len = 0;

	if (!checksum_fits(block))
		return err_set(e, "not a tar header (its checksum does not fit)");
	*out = (struct tar_header){ .type = (char)block[TYPE] };
	if (!tar_number(block + SIZE, 12, &out->size) || out->size > INT64_MAX)
		return err_set(e, "a damaged size in a tar header");
	out->mode = tar_number(block + MODE, 8, &mode) ? (mode_t)(mode & 07777) : 0644;
	out->mtime = tar_number(block + MTIME, 12, &mtime) && mtime <= INT64_MAX ? (time_t)mtime : 0;
	if (memcmp(block + MAGIC, "ustar\0", 6) == 0 && block[PREFIX])
		prefix_len = PREFIX_LEN;
	snprintf(out->name, sizeof(out->name), "%.*s%s%.*s", prefix_len, (const char *)block + PREFIX,
		 prefix_len ? "/" : "", NAME_LEN, (const char *)block + NAME);
	snprintf(out->link, sizeof(out->link), "%.*s", LINK_LEN, (const char *)block + LINK);
	return 0;
}

bool tar_parse_time(const char *text, struct timespec *out)
{
	bool negative = *text == '-';
	size_t whole = strcspn(text + negative, ".");
	char seconds[24], fraction[10] = "000000000";
	uint64_t n, ns;

	if (whole >= sizeof(seconds))
		return false;
	memcpy(seconds, text + negative, whole);
	seconds[whole] = '\0';
	text += negative + (text[negative + whole] == '.' ? whole + 1 : whole);
	for (size_t i = 0; i < 9 && text[i]; i++)
		fraction[i] = text[i];
	if (parse_u64(seconds, 0, INT64_MAX, &n, NULL) < 0 || parse_u64(fraction, 0, 999999999, &ns, NULL) < 0)
		return false;
	out->tv_sec = negative ? -(time_t)n : (time_t)n;
	out->tv_nsec = negative ? 0 : (long)ns;
	return true;
}
