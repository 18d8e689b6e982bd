/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_FD_H
#define BERTH_BASE_FD_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* Descriptors are close-on-exec when made; valid is >= 0. These retry after EINTR and block as the descriptor does. */

/*
 * Opens /dev/null in place of each of descriptors 0, 1 and 2 that is closed, so that no other file gets one of these
 * numbers and is taken for a standard stream. The first thing that main does.
 */
void fd_open_standard(void);

/* Writes all of it. A short write is an error with errno's text. */
int fd_write_all(int fd, const void *data, size_t len, struct err *e);

/*
 * Reads to the end of file. *out is NUL-terminated and the caller's; *len (may be NULL) its length without that NUL.
 * More than MAX bytes are an error.
 */
int fd_read_all(int fd, size_t max, char **out, size_t *len, struct err *e);

/* One byte-message with at most one descriptor over a Unix socket. send_fd < 0 sends none. */
int fd_send(int sock, const void *data, size_t len, int send_fd, struct err *e);
/* Returns the number of bytes, 0 at the end; *got_fd is the caller's, close-on-exec, or -1. */
ssize_t fd_recv(int sock, void *data, size_t cap, int *got_fd, struct err *e);

#endif
