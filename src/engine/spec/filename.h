/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_FILENAME_H
#define BERTH_ENGINE_FILENAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* File name patterns of --input, --output and --error (sbatch(1), "filename pattern"). */

struct filename_vars {
	uint32_t job;	       /* %j, %A without an array */
	uint32_t array_job;    /* %A */
	int64_t array_task;    /* %a; -1: no array (4294967294, as Slurm prints it) */
	const char *step;      /* %s, %J: "0", "batch" */
	uint32_t task;	       /* %t: the task's number in the step */
	uint32_t node;	       /* %n: the node's number in the job */
	const char *node_name; /* %N: the short host name */
	const char *user;      /* %u */
	const char *job_name;  /* %x */
};

/*
 * The name that PATTERN stands for: %% %A %a %J %j %N %n %s %t %u %x, numbers with a width (%4j, at most 10). A pattern
 * with a backslash in it is taken as it is, less the backslashes. *out is the caller's.
 */
int filename_expand(const char *pattern, const struct filename_vars *v, char **out, struct err *e);
/* True where the name differs from task to task (%t), so that each task has a file of its own. */
bool filename_per_task(const char *pattern);

#endif
