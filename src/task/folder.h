/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TASK_FOLDER_H
#define BERTH_TASK_FOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * The folder of one task below the step's spool folder, `task-T.XXXXXXXXXXXXXXXX`: everything that is generated for it,
 * and a record of what has to be undone, for whoever finds it after we were killed.
 */
struct task_folder {
	char *path;
	int fd;		/* -1: not made */
	char *env_file; /* where CreateEnvFile's file is to lie */
	char *bundle;	/* the generated bundle: below path, or below ContainerPath */
};

/* Variables in the environment of a task's processes, in the container and those of the runtime: the folder's name. */
#define TASK_MARK "BERTH_TASK"
#define TASK_MARK_RUNTIME "BERTH_TASK_RUNTIME"

#define TASK_FOLDER_INIT ((struct task_folder){ .fd = -1 })

/* CONTAINER_PATH: the parent of the generated bundle, or NULL for the folder itself. */
int task_folder_make(const char *spool, uint32_t task, const char *container_path, struct task_folder *out,
		     struct err *e);
/* Removes it, the bundle included; says in the log what could not be removed. */
void task_folder_remove(struct task_folder *f);
/* Frees without removing. */
void task_folder_free(struct task_folder *f);

/* Writes down how to undo what the runtime will do: the argument vectors of Kill and Delete (may be NULL). */
int task_folder_record(const struct task_folder *f, char *const *kill_argv, char *const *delete_argv, char *const *env,
		       struct err *e);
/* Writes down the container's process 1. */
int task_folder_record_init(const struct task_folder *f, pid_t pid, struct err *e);

/*
 * For the launcher of a berth-task that was killed: ends the container of each task folder in SPOOL (or of SPOOL
 * itself, where that is one) whose berth-task is gone, runs Kill and Delete, and removes the folder.
 */
int task_folder_clean_up(const char *spool, struct err *e);

#endif
