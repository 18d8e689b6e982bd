/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_PROC_PROCFS_H
#define BERTH_PROC_PROCFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* What identifies a process: its pid alone is reused. start is in clock ticks since boot (proc(5), stat field 22). */
struct proc_id {
	pid_t pid;
	uint64_t start;
};

/* 0, or -1 where there is no such process. */
int proc_identify(pid_t pid, struct proc_id *out);
/* True while this very process exists; a zombie counts as ended. */
bool proc_alive(const struct proc_id *id);
/* A pidfd of this very process, or -1 with errno (ESRCH: it has ended). */
int proc_open(const struct proc_id *id);
/* The boot's random id (36 characters), or "" where /proc has none. The text is static. */
const char *proc_boot_id(void);

/* Signal masks of a process as in proc(5), status: caught, ignored and blocked. Bit sig-1. */
struct proc_signals {
	uint64_t caught, ignored, blocked;
	bool namespace_init; /* process 1 of a pid namespace of its own */
};
int proc_signals(pid_t pid, struct proc_signals *out);

/*
 * This process becomes the one that orphans below it are given to, so that a process which forks twice and leaves its
 * session cannot get away.
 */
int reap_become_subreaper(struct err *e);
/*
 * Ends every descendant of this process with SIGKILL, except EXCEPT (0: none) and what lives below it, and reaps
 * those that are our children. Blocks until none is left; gives up after TIMEOUT_MS with an error (a process in
 * uninterruptible sleep).
 */
int reap_kill_descendants(pid_t except, int timeout_ms, struct err *e);

/*
 * Sends SIGKILL to what lives below ROOT and either started before BEFORE (clock ticks since boot) or has ENTRY
 * ("NAME=value") in its environment.
 */
int reap_kill_below(pid_t root, uint64_t before, const char *entry, struct err *e);
/* Now, in clock ticks since boot. */
uint64_t proc_now(void);

/* Sends SIG to every descendant of this process, once each. */
int reap_signal_descendants(int sig, struct err *e);
/* As reap_kill_descendants, sparing each process that SPARE says true for, and what lives below it. */
int reap_kill_descendants_but(bool (*spare)(pid_t pid), int timeout_ms, struct err *e);

/*
 * Ends with SIGKILL every process of this user whose environment holds ENTRY ("NAME=value") as it was started, this one
 * excepted. Returns 0 where there was none, more where there were some, or -1. For what a chain of killed processes
 * left behind.
 */
int reap_kill_marked(const char *entry, struct err *e);

#endif
