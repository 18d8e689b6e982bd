/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_LOCAL_STREAMS_H
#define BERTH_ENGINE_LOCAL_STREAMS_H

#include "engine/engine.h"
#include "engine/spec/filename.h"
#include "proc/loop.h"

/*
 * Where the standard streams of a step's tasks go. A task that is alone gets this process' own descriptors, and files
 * are opened for the tasks directly: bytes pass through this process only where the lines of several tasks share one
 * stream, are labelled, or where all tasks read the same input.
 */
struct step_io;

/* SPEC is borrowed for the life of it. VARS are those of the step; task is filled in here. */
int step_io_new(struct loop *l, const struct engine_step *spec, const struct filename_vars *vars, struct step_io **out,
		struct err *e);

/*
 * The descriptors of task TASK for spawn (-1: this process' own). They are valid until step_io_started(TASK), which
 * closes this process' copies.
 */
int step_io_open(struct step_io *io, uint32_t task, int fds[3], struct err *e);
void step_io_started(struct step_io *io, uint32_t task);

/*
 * To be called when all processes of the step have ended: what they wrote last is carried to its destination, then DONE
 * is called, at once where nothing is left.
 */
void step_io_finish(struct step_io *io, loop_timer_fn *done, void *arg);
/* Where a destination does not take it: what is left is dropped. */
void step_io_abandon(struct step_io *io);
void step_io_free(struct step_io *io);

/* Opens a file of -i, -o or -e by its absolute name; FLAGS as for open(2). Never waits for a pipe's reader. */
int step_io_file(const char *path, int flags, struct err *e);

#endif
