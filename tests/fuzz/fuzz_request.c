/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "task/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(request) struct request r = { 0 };
	cleanup(request) struct request again = { 0 };
	cleanup(free) char *text = NULL, *second = NULL;
	struct err e = ERR_INIT;
	size_t len, second_len;

	if (request_parse((const char *)data, size, &r, &e) < 0) {
		if (!*e.msg || r.bundle)
			abort();
		return 0;
	}
	/* What it says can be written, and says the same then. */
	text = request_format(&r, &len);
	if (request_parse(text, len, &again, &e) < 0)
		abort();
	second = request_format(&again, &second_len);
	if (second_len != len || memcmp(text, second, len) != 0)
		abort();
	return 0;
}
