/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CLI_LIST_JSON_H
#define BERTH_CLI_LIST_JSON_H

#include <json-c/json_object.h>

#include "base/err.h"
#include "engine/job.h"
#include "engine/local/record.h"

/* Jobs as Slurm's --json shows them (the names and forms of 24.11). */

/* As squeue does. */
struct json_object *list_json_job(const struct job *j);
/* As sacct does; STEPS may be NULL. */
struct json_object *list_json_account(const struct job *j, const struct step_list *steps);

/* {"jobs": JOBS, "meta": ..., "errors": [], "warnings": []} on stdout; JOBS is taken. */
int list_json_print(struct json_object *jobs, struct err *e);

#endif
