/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target over files and folders of inputs: each one whole, cut at every length of a short one, and with
 * single bytes changed, so that a regression run looks a little beyond its corpus and is the same every time.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "fuzz.h"

#define INPUT_MAX_BYTES (16 << 20)
#define MAX_MUTATED 2048

/* A copy of exactly this length, so that the sanitizer sees a read behind it. */
static void run_copy(const char *data, size_t len)
{
	cleanup(free) uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		die_no_memory();
	memcpy(copy, data, len);
	LLVMFuzzerTestOneInput(copy, len);
}

static void run_mutated(char *data, size_t len)
{
	static const char bytes[] = { 0, '\n', '"', '%', '\\', '=', ' ', '\x7f', (char)0xff, '0' };
	size_t step = len / 256 + 1;

	for (size_t n = 0; n < len; n += step)
		run_copy(data, n);
	for (size_t i = 0; i < len; i += step) {
		char before = data[i];

		data[i] = bytes[(i / step) % sizeof(bytes)];
		run_copy(data, len);
		data[i] = before;
	}
}

static int run_file(int dir_fd, const char *name)
{
	struct err e = ERR_INIT;
	cleanup(free) char *data = NULL;
	size_t len;

	if (path_read_file(dir_fd, name, INPUT_MAX_BYTES, &data, &len, NULL, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return -1;
	}
	run_copy(data, len);
	if (len <= MAX_MUTATED)
		run_mutated(data, len);
	return 1;
}

static int run_path(const char *path)
{
	cleanup(closedir) DIR *d = opendir(path);
	struct dirent *entry;
	int n = 0;

	if (!d)
		return run_file(AT_FDCWD, path);
	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		if (run_file(dirfd(d), entry->d_name) < 0)
			return -1;
		n++;
	}
	return n;
}

int main(int argc, char **argv)
{
	int n = 0;

	for (int i = 1; i < argc; i++) {
		int more = run_path(argv[i]);

		if (more < 0)
			return 1;
		n += more;
	}
	printf("%d inputs\n", n);
	return n ? 0 : 1;
}
