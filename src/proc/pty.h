/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_PROC_PTY_H
#define BERTH_PROC_PTY_H

#include <stdbool.h>
#include <termios.h>

#include "base/err.h"
#include "proc/loop.h"

/* A new pseudo-terminal, both ends close-on-exec, with the size and settings of the terminal behind LIKE (-1: none). */
int pty_open(int like, int *master, int *slave, struct err *e);

/* Carries the window size of the terminal FROM to the terminal TO; what is no terminal is left alone. */
void pty_copy_size(int from, int to);

/* A terminal in raw mode, and its settings before. */
struct pty_raw {
	int fd; /* -1: not in raw mode */
	struct termios before;
};

#define PTY_RAW_INIT ((struct pty_raw){ .fd = -1 })

/* FD that is no terminal is left alone, without an error. */
int pty_raw_on(struct pty_raw *raw, int fd, struct err *e);
void pty_raw_off(struct pty_raw *raw);

/*
 * Carries bytes between a pair of descriptors and a pty's master: IN to the master, the master to OUT. DONE is called
 * once, when everything the terminal's side wrote has been written out and its last user closed it. The end of IN is
 * passed on as the terminal's end-of-file character. IN and OUT differ (dup one where they do not). A slow OUT stops
 * the reading; nothing is dropped.
 */
struct pty_relay;
int pty_relay_new(struct loop *l, int master, int in, int out, loop_timer_fn *done, void *arg, struct pty_relay **relay,
		  struct err *e);
/* Removes it from the loop; closes nothing. */
void pty_relay_free(struct pty_relay *relay);

#endif
