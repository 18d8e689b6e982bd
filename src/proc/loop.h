/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_PROC_LOOP_H
#define BERTH_PROC_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * An event loop over epoll: descriptors (pidfds among them), signals through a signalfd, one-shot timers on the
 * monotonic clock. Not thread-safe; a process may have several. Callbacks run inside loop_run and may add and remove
 * anything.
 */
struct loop;

/* EVENTS are epoll's. */
typedef void loop_fd_fn(void *arg, int fd, uint32_t events);
typedef void loop_timer_fn(void *arg);
/* SENDER is 0 where the kernel sent it (a terminal's Ctrl-C). */
typedef void loop_signal_fn(void *arg, int sig, pid_t sender);

int loop_new(struct loop **out, struct err *e);
void loop_free(struct loop *l); /* closes its own descriptors, not those that were added */
void cleanup_loop(struct loop **l);

/* The descriptor stays the caller's, who removes it before closing it. One registration a descriptor. */
int loop_add(struct loop *l, int fd, uint32_t events, loop_fd_fn *fn, void *arg, struct err *e);
int loop_change(struct loop *l, int fd, uint32_t events, struct err *e);
void loop_remove(struct loop *l, int fd);

/* Blocks the signals of SET in this process and hands them to FN. The mask before is put back by loop_free. */
int loop_signals(struct loop *l, const sigset_t *set, loop_signal_fn *fn, void *arg, struct err *e);

/* Calls FN once after MS milliseconds. Returns the timer's number (> 0), for loop_cancel. */
int loop_after(struct loop *l, int64_t ms, loop_timer_fn *fn, void *arg);
/* A number that has fired already, or 0, is no error. */
void loop_cancel(struct loop *l, int timer);

/* Runs callbacks until loop_stop; blocks. */
int loop_run(struct loop *l, struct err *e);
/* Handles what is ready, waiting at most MS (0: not at all, -1: for ever) for something to be. */
int loop_once(struct loop *l, int64_t ms, struct err *e);
void loop_stop(struct loop *l);

#endif
