/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_MEM_H
#define BERTH_BASE_MEM_H

#include <stddef.h>

/*
 * Allocation that cannot fail: a program that runs out of memory says so and exits with 125. The SPANK plugin, which
 * lives in somebody else's process, uses none of these.
 */
void *xcalloc(size_t n, size_t size) __attribute__((malloc, warn_unused_result));
void *xrealloc(void *p, size_t n, size_t size) __attribute__((warn_unused_result));
char *xstrdup(const char *s) __attribute__((malloc, warn_unused_result));
char *xstrndup(const char *s, size_t n) __attribute__((malloc, warn_unused_result));
char *xasprintf(const char *fmt, ...) __attribute__((malloc, warn_unused_result, format(printf, 1, 2)));

/*
 * For a process that is about to wait for long: gives back what it needed to start, free heap and code alike. The code
 * that it still needs comes back from the page cache by itself.
 */
void mem_trim(void);

/* The path this process lacks memory for is not reported through err: there is none to carry on with. */
_Noreturn void die_no_memory(void);

#endif
