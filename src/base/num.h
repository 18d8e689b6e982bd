/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_NUM_H
#define BERTH_BASE_NUM_H

#include <stdint.h>

#include "base/err.h"

/*
 * Whole decimal numbers, no sign, no space, no trailing text, within [min, max]. 0, or -1 with an error such as
 * "'12x' is not a number from 1 to 64"; *out is then untouched.
 */
int parse_u32(const char *s, uint32_t min, uint32_t max, uint32_t *out, struct err *e);
int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out, struct err *e);

/* A signal's name with or without "SIG", RTMIN+n, RTMAX-n, or its number. *out is the number. */
int parse_signal(const char *s, int *out, struct err *e);
/* "TERM", "RTMIN+2": without "SIG". The text is static or in BUF. */
const char *signal_name(int sig, char buf[16]);

#endif
