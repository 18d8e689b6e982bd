/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_IMAGE_WORK_H
#define BERTH_IMAGE_WORK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "proc/spawn.h"

/*
 * A long piece of work that a user watches and may interrupt: INT, TERM, HUP and QUIT are held back and end it at the
 * next work_check, so that whoever started it can take back what it made. One a process.
 */
struct work {
	int signals; /* signalfd */
	int caught;  /* the signal that ended it, or 0 */
	bool shown;  /* a progress line stands on the terminal */
	bool terminal;
	const char *step;  /* what is being done, for the progress line */
	uint64_t entries;  /* written so far */
	uint64_t in, size; /* bytes read of the source, its size where known (else 0) */
	int64_t next_line; /* clock_ms */
};

int work_begin(struct work *w, struct err *e);
/* Puts back the signal mask. A signal that has arrived by then is delivered. */
void work_end(struct work *w);

/* -1 where a signal has arrived. Also draws the progress line, where stderr is a terminal and it is time to. */
int work_check(struct work *w, struct err *e);
/* The error of an interrupted piece of work; always -1. */
int work_interrupted(struct work *w, struct err *e);
/* Begins a step; size 0 where it is not known. */
void work_step(struct work *w, const char *step, uint64_t size);
/* Takes the progress line off the terminal. */
void work_clear_line(struct work *w);

/*
 * Runs a program to its end; a signal ends it and everything below it. On a terminal it speaks for itself; else what
 * it says is kept and shown only where it fails. A status other than 0 is an error with its last line.
 */
int work_run(struct work *w, char *const *argv, struct err *e);

/*
 * The same for a program whose output is read while it runs. OUT is a descriptor to read, the caller's; LOG one that
 * holds what it says on stderr, the caller's; a program with ALOUD speaks for itself on a terminal.
 * Such a one is also signalled with its whole process group: mmdebstrap ends only when its children do.
 */
struct work_child {
	struct child child;
	int out, log;
	const char *name;
};
#define WORK_CHILD_INIT ((struct work_child){ .child = CHILD_INIT, .out = -1, .log = -1 })
int work_start(struct work *w, char *const *argv, int in, bool aloud, struct work_child *c, struct err *e);
/* Waits for its end; a status other than 0 is an error. */
int work_finish(struct work *w, struct work_child *c, struct err *e);
/* Ends it with everything below it; nothing is said. For ways out. */
void work_abandon(struct work *w, struct work_child *c);

#endif
