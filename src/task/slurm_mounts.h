/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TASK_SLURM_MOUNTS_H
#define BERTH_TASK_SLURM_MOUNTS_H

#include "oci/mounts.h"
#include "task/task.h"

/*
 * MountSlurm: makes the workload manager's client commands, configuration and munge socket visible inside, at their
 * own paths, read-only; for the embedded engine berth's own tree and state. What the host lacks is left out.
 */
void slurm_mounts_add(struct task *t, struct mount_plan *plan);

#endif
