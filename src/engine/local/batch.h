/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_LOCAL_BATCH_H
#define BERTH_ENGINE_LOCAL_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "engine/job.h"
#include "engine/local/state.h"

#define BATCH_SCRIPT "slurm_script"

/* What a batch job runs, beside its record: jobs/ID/slurm_script, and jobs/ID/start with arguments and environment. */
struct batch {
	const char *text; /* the script */
	size_t len;
	char *const *args; /* without the script's name */
	char *const *env;
};

/*
 * Queues J, or for an array one job for each of TASKS. It has reached the disk when this returns; J has the first id.
 */
int batch_submit(struct state *st, struct job *j, const struct batch *b, const uint32_t *tasks, size_t n_tasks,
		 struct err *e);

/* Reads jobs/ID/start back; strv both. */
int batch_read(int job_dir, char ***args, char ***env, struct err *e);

/* Who, where, when and a mark: the parts of a new job's record that are not asked for. */
int job_fill(struct job *j, struct err *e);

#endif
