/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "image/extract.h"
#include "image/tar.h"
#include "image/tar_header.h"

struct input {
	const uint8_t *data;
	size_t len, at;
};

/* Every block as if its checksum fitted, which a fuzzer would never find. */
static void mend(unsigned char *block)
{
	unsigned sum = 0;

	if (tar_block_is_empty(block))
		return;
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < TAR_BLOCK_SIZE; i++)
		sum += block[i];
	snprintf((char *)block + 148, 8, "%06o", sum);
}

static ssize_t read_input(void *arg, void *buf, size_t n, struct err *e)
{
	struct input *in = arg;

	(void)e;
	if (n > in->len - in->at)
		n = in->len - in->at;
	if (n)
		memcpy(buf, in->data + in->at, n);
	in->at += n;
	if (n == TAR_BLOCK_SIZE)
		mend(buf);
	return (ssize_t)n;
}

/* No piece of data lies outside of its file or before an earlier one, and no name leads out of the folder. */
static void check_entry(struct tar *t, const struct tar_entry *entry)
{
	char name[PATH_MAX];
	uint64_t offset, end = 0;
	const void *data;
	ssize_t n;

	if (!*entry->name || !entry->link)
		abort();
	if (extract_clean_name(entry->name, name, NULL) == 0 &&
	    (*name == '/' || strcmp(name, "..") == 0 || strncmp(name, "../", 3) == 0 || strstr(name, "/../")))
		abort();
	while ((n = tar_data(t, &data, &offset, NULL)) > 0) {
		if (offset < end || offset > entry->size || (uint64_t)n > entry->size - offset)
			abort();
		end = offset + (uint64_t)n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { .data = data, .len = size };
	cleanup(tar) struct tar *t = tar_new(read_input, &in);
	struct tar_entry entry;

	for (int i = 0; tar_next(t, &entry, NULL) > 0; i++)
		if (i % 3)
			check_entry(t, &entry);
	return 0;
}
