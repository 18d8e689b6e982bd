/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_LOCAL_REPORT_H
#define BERTH_ENGINE_LOCAL_REPORT_H

#include "engine/engine.h"
#include "engine/local/owner.h"

/* What users of Slurm are used to read on stderr. */

/* "HOST: task 0: Exited with exit code 7"; nothing for a task that ended well. */
void report_task(const struct engine_step *spec, const struct job *j, const struct step *s, uint32_t task);
/* A program that could not be started. */
void report_launch(const struct job *j, const struct step *s, const struct err *why);
/* "*** STEP 12.0 ON HOST CANCELLED AT ... ***" */
void report_end(const struct engine_step *spec, const struct job *j, const struct step *s, enum end_why why);
/* The answer to Ctrl-C: which tasks run and which have ended. */
void report_states(const struct step *s);

#endif
