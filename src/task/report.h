/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TASK_REPORT_H
#define BERTH_TASK_REPORT_H

#include "task/run.h"

/*
 * What the task's exit status is, once all is over; see berth-task(8), EXIT STATUS. Where the container could not be
 * set up or the command not be executed, the log says why and what to do next.
 */
struct exit_status report_end(const struct run *r);

#endif
