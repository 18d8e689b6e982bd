/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_LOCAL_TASKENV_H
#define BERTH_ENGINE_LOCAL_TASKENV_H

#include "engine/engine.h"
#include "engine/job.h"

/* SLURM_* as Slurm's own commands set them. ENV is a strv array; the values replace what it holds. */

/* Those of the job. */
void taskenv_job(char ***env, const struct job *j);
/* What a batch script and salloc's command see: those of the job, and what it asked for. */
void taskenv_allocation(char ***env, const struct job *j);
/* Those of a step, the same for all of its tasks. */
void taskenv_step(char ***env, const struct job *j, const struct step *s, const struct engine_step *spec);
/* Those of one task. SLURM_TASK_PID is not among them: the pid is not known before the process exists. */
void taskenv_task(char ***env, uint32_t task, uint32_t ntasks);

#endif
