/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TASK_LOGGING_H
#define BERTH_TASK_LOGGING_H

#include "task/task.h"

/*
 * FileDebug, StdIODebug, SyslogDebug and DebugFlags. The file is `berth-task.JOB.STEP.TASK.log`, 0600, in the folder
 * `berth/log` below the user's state folder.
 */
void logging_set_up(const struct task *t);

#endif
