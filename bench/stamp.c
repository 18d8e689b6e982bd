/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*
 * A container's command for the benchmarks: ends at once, or, with "sleep" as its argument, after ten seconds. Its last
 * act is to say when that was, in nanoseconds of the monotonic clock, on stdout.
 */
int main(int argc, char **argv)
{
	struct timespec t;
	char text[32];
	int n;

	if (argc > 1 && strcmp(argv[1], "sleep") == 0)
		sleep(10);
	clock_gettime(CLOCK_MONOTONIC, &t);
	n = snprintf(text, sizeof(text), "%" PRIu64 "\n", (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec);
	_exit(write(STDOUT_FILENO, text, (size_t)n) == n ? 0 : 1);
}
