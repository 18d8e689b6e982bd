/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_LOCAL_RECOVER_H
#define BERTH_ENGINE_LOCAL_RECOVER_H

#include "engine/job.h"
#include "engine/local/state.h"

/*
 * Finds jobs and steps whose owner is gone without having said how they ended (killed, or the machine went down), ends
 * what they left behind and writes down that it happened. Jobs that were queued stay so. Costs next to nothing where no
 * job is active. Takes the lock for moments only.
 */
int recover(struct state *st, struct err *e);

/* Ends everything that a step left: processes, containers, folders. The step's owner is gone, or is the caller. */
void recover_step_files(const struct step *s);

/* Runs berth-task --cleanup, which ends the containers below SPOOL whose berth-task was killed. */
void recover_tasks(const char *spool);
/* The same, and removes SPOOL: nothing of the step lives any more. */
void recover_spool(const char *spool);

/* Ends the steps of job ID whose own srun is gone; AS is how they count: NODE_FAIL while the job lives on. */
void recover_steps(struct state *st, uint32_t id, enum job_state as);

#endif
