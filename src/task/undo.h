/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TASK_UNDO_H
#define BERTH_TASK_UNDO_H

#include "base/err.h"

/*
 * What has to be run and removed for a container whose berth-task is gone; the file "undo" in the task's folder, of
 * NUL-terminated "key=value" records: bundle=, kill= and delete= (one a word), env= (one a variable).
 */
struct undo {
	char *bundle;
	char **kill_argv, **delete_argv, **env;
};

int undo_write(int folder_fd, const struct undo *u, struct err *e);
/* A missing file gives an empty one: berth-task was killed before it started anything. */
int undo_read(int folder_fd, struct undo *out, struct err *e);
void undo_free(struct undo *u);
void cleanup_undo(struct undo *u);

/*
 * Runs Kill and then Delete, each for at most a few seconds, their output kept out of the task's and logged. Either may
 * be NULL.
 */
void undo_run(char *const *kill_argv, char *const *delete_argv, char *const *env);

#endif
