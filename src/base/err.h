/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_ERR_H
#define BERTH_BASE_ERR_H

/*
 * An error belongs to the caller and needs no allocation. The function that fails says what failed; each layer above
 * adds one clause in front; whoever decides what to do about it prints it, once.
 */
struct err {
	int code;	/* errno of the failed call, or 0 where no system call failed */
	char msg[1024]; /* one line without a newline; cut with "..." where it does not fit */
};

#define ERR_INIT ((struct err){ .code = 0, .msg = "" })

/* All of these return -1, so that a caller can write `return err_set(...)`. E may be NULL. */

/* Sets the error's text; code becomes 0. */
int err_set(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Sets the error's text followed by ": " and the text of CODE, an errno value. */
int err_sys(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "<clause>: " in front of the text; the code stays. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Adds a sentence behind the text, for the next step to take: "<text>; <advice>". */
int err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
