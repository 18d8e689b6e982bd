/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_PROC_EXIT_H
#define BERTH_PROC_EXIT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* How a process ended. A raw wait status never leaves exit.c. */
struct exit_status {
	int code;   /* what a shell would call it: the exit code, or 128 + signal */
	int signal; /* 0, or the signal that ended it */
};

/* Undoes SIGCHLD ignored by whoever started us, which makes the kernel throw away how our children end. */
void exit_statuses_are_kept(void);

/*
 * Reaps the child of this process behind PID, which has ended or will: blocks until then. -1 where there is no such
 * child (somebody else reaped it).
 */
int exit_wait(pid_t pid, struct exit_status *out, struct err *e);

/* Reaps any one ended child without blocking: 1 with its pid, 0 where none has ended, -1 where there are no children.
 */
int exit_reap_any(pid_t *pid, struct exit_status *out);

/*
 * Reaps ended children without blocking, up to the first one that IS_OURS is true for: that one is left to whoever
 * waits for it, who calls this again afterwards.
 */
void exit_reap_orphans(bool (*is_ours)(const void *arg, pid_t pid), const void *arg);

/*
 * Ends this process as STATUS says: by the same signal where one ended the child (with core dumps off), else by the
 * code, so that a waiting shell sees what it would have seen without us.
 */
_Noreturn void exit_like(const struct exit_status *status);

#endif
