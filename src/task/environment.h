/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TASK_ENVIRONMENT_H
#define BERTH_TASK_ENVIRONMENT_H

#include "task/task.h"

/*
 * The container's environment: IMAGE's (may be NULL), overlaid by the task's less EnvExclude. PATH and LD_* stay the
 * image's unless the user set them explicitly for the container. A strv array.
 */
char **environment_for_container(const struct task *t, char *const *image);

/* The runtime's own: the task's less RunTimeEnvExclude, LD_* and functions of bash, with the administrator's PATH. A
 * strv array. */
char **environment_for_runtime(const struct task *t);

/* Writes the file of CreateEnvFile into the task's folder. */
int environment_write_file(const struct task *t, char *const *env, struct err *e);

#define ENVIRONMENT_FILE "environment"

#endif
