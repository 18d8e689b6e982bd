/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TESTS_REPLY_H
#define BERTH_TESTS_REPLY_H

#include <stdint.h>

/* What the helper answers, beside a descriptor where the call made one. */
struct reply {
	int64_t result; /* -1: see error */
	int32_t error;
};

#endif
