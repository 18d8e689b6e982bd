/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "fuzz.h"
#include "image/extract.h"

enum { BLOCK = 512 };

/* A folder OUTER that holds the folder to unpack into and nothing else. */
static int outer = -1;

static void open_outer(void)
{
	char name[] = "/tmp/berth-fuzz-XXXXXX";

	if (!mkdtemp(name))
		abort();
	outer = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (outer < 0)
		abort();
}

static void close_outer(void)
{
	char path[64], name[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", outer);
	n = readlink(path, name, sizeof(name) - 1);
	close(outer);
	if (n > 0) {
		name[n] = '\0';
		rmdir(name);
	}
}

/* Every header as if its checksum fitted, which a fuzzer would never find. */
static void mend(uint8_t *block)
{
	unsigned sum = 0;

	if (memcmp(block + 257, "ustar", 5) != 0)
		return;
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += block[i];
	snprintf((char *)block + 148, 8, "%06o", sum);
}

static int as_file(const uint8_t *data, size_t size)
{
	cleanup(free) uint8_t *copy = xcalloc(1, size + 1);
	int fd = memfd_create("archive", MFD_CLOEXEC);

	if (size)
		memcpy(copy, data, size);
	for (size_t at = 0; at + BLOCK <= size; at += BLOCK)
		mend(copy + at);
	if (fd < 0 || write(fd, copy, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) < 0)
		abort();
	return fd;
}

static void unpack(int root, const uint8_t *data, size_t size, bool layer)
{
	static const struct extract_limits limits = { .size = 1 << 20, .entries = 100 };
	struct work w = { .signals = -1 };
	cleanup(extract) struct extract *x = extract_new(&w, root, &limits);
	cleanup(stream) struct stream *first = NULL, *second = NULL;

	if (layer && (stream_open(&w, as_file(data, size), &first, NULL) < 0 || extract_whiteouts(x, first, NULL) < 0))
		return;
	if (stream_open(&w, as_file(data, size), &second, NULL) == 0 &&
	    (layer ? extract_layer : extract_tar)(x, second, NULL) == 0)
		extract_finish(x, NULL);
}

static void check_outer(void)
{
	cleanup(closedir) DIR *d = fdopendir(openat(outer, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (strcmp(entry->d_name, "root") != 0 && strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int root;

	if (outer < 0) {
		open_outer();
		atexit(close_outer);
	}
	if (mkdirat(outer, "root", 0700) < 0)
		abort();
	root = openat(outer, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unpack(root, data, size, size % 2);
	close(root);
	check_outer();
	if (path_remove_tree(outer, "root", NULL) < 0)
		abort();
	return 0;
}
