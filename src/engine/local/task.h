/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_LOCAL_TASK_H
#define BERTH_ENGINE_LOCAL_TASK_H

#include "engine/engine.h"
#include "engine/job.h"
#include "proc/spawn.h"

/* What is the same for all tasks of a step. */
struct launch {
	const struct job *job;
	const struct step *step;
	const struct engine_step *spec;
	char **env; /* of the step; strv */
};

/*
 * Starts task TASK with FDS as its streams (-1: ours): its program, or berth-task for a container. TTY: FDS[0] is a
 * terminal that becomes its own. -1: it could not be started; *code is then the exit status that it counts as.
 */
int task_start(const struct launch *l, uint32_t task, const int fds[3], bool tty, struct child *out, int *code,
	       struct err *e);

/* The environment for programs of our own: what they need to find things, and the job's mark. strv. */
char **task_clean_env(const char *mark);

#endif
