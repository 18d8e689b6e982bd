/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TASK_ENTRIES_H
#define BERTH_TASK_ENTRIES_H

#include "oci/mounts.h"
#include "task/task.h"

/*
 * UserEntries: copies of the image's /etc/passwd and /etc/group with the user's own lines added lie in the task's
 * folder and are bound over the image's. An image that has an entry of that name keeps its own.
 */
int entries_mount(struct task *t, struct mount_plan *plan, struct err *e);

#endif
