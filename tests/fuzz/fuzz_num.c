/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/num.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(free) char *s = xstrndup((const char *)data, size);
	struct err e = ERR_INIT;
	char buf[16];
	uint64_t n;
	int sig, again;

	if (parse_u64(s, 3, UINT64_MAX - 1, &n, &e) == 0 && (n < 3 || n == UINT64_MAX))
		abort();
	/* A signal's name must be read back as the same signal. */
	if (parse_signal(s, &sig, &e) == 0 && (parse_signal(signal_name(sig, buf), &again, &e) < 0 || again != sig))
		abort();
	return 0;
}
