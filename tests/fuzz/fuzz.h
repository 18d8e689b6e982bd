/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TESTS_FUZZ_H
#define BERTH_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* What each fuzz_NAME.c defines: takes any bytes, returns 0, and leaks nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
