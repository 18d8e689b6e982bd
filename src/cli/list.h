/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CLI_LIST_H
#define BERTH_CLI_LIST_H

#include <stdbool.h>
#include <time.h>

#include "base/err.h"
#include "base/str.h"
#include "engine/job.h"
#include "engine/local/record.h"
#include "engine/spec/spec.h"

/* What squeue, sacct and scancel share: rows of jobs and steps, filters, values as text and as JSON. */

/* One line of output: a job, or a step of it. */
struct list_row {
	const struct job *job;
	const struct step *step; /* NULL: the job itself */
	time_t now;
	bool accounting; /* sacct's texts for what is missing */
	char *elements;	 /* several waiting elements of an array in one row: "[1-3%2]"; else NULL; owned by the list */
};

/* A value of ROW, added to B; nothing where there is none. */
typedef void list_value(struct strbuf *b, const struct list_row *row);

list_value value_account, value_alloc_cpus, value_array_job, value_array_task, value_batch_flag, value_batch_host,
	value_cluster, value_command, value_comment, value_container, value_container_id, value_cpus,
	value_cpus_per_task, value_cpu_time, value_cpu_time_raw, value_dependency, value_derived_exit, value_elapsed,
	value_elapsed_raw, value_eligible, value_end, value_exit, value_features, value_gid, value_group, value_id,
	value_id_raw, value_licenses, value_memory, value_name, value_nothing, value_req_cpus, value_select, value_sct,
	value_nice, value_node, value_nodes, value_oversubscribe, value_partition, value_pending_time, value_priority,
	value_priority_fraction, value_zero, value_not_set, value_null, value_qos, value_reason, value_reason_or_node,
	value_requeue, value_reservation, value_restarts, value_start, value_state, value_state_by, value_state_compact,
	value_stderr, value_stdin, value_stdout, value_step_tasks, value_submit, value_submit_line, value_tasks,
	value_time_left, value_time_limit, value_time_limit_long, value_time_limit_minutes, value_time_used, value_uid,
	value_user, value_wckey, value_work_dir;

/* The seconds that ROW has run. */
int64_t list_seconds(const struct list_row *row);
/* What the request recorded under NAME ("constraint"), or NULL. */
const char *list_recorded(const struct job *j, const char *name);
/* "2026-01-31T12:00:00", or as SLURM_TIME_FORMAT says; NEVER where T is 0. */
void list_time(struct strbuf *b, time_t t, const char *never);
/* A number of CPUs: those that were granted, else those asked for. */
uint32_t list_cpus(const struct job *j);

/* Which jobs are meant; empty lists mean all. strv of what was given, checked by list_filter_check. */
struct list_filter {
	char **accounts, **names, **partitions, **qos, **reservations, **users, **nodes, **wckeys;
	struct spec_jobid *ids;
	size_t n_ids;
	bool states[JOB_STATES];
	bool any_state; /* states is not looked at */
};
void list_filter_free(struct list_filter *f);
/* Adds a comma list to one of the arrays; an empty text adds nothing. */
void list_filter_add(char ***list, const char *text);
int list_filter_ids(struct list_filter *f, const char *text, struct err *e);
/* "all", or states with commas between, in either form. */
int list_filter_states(struct list_filter *f, const char *text, struct err *e);
/* Names of users become numbers; unknown ones are an error. */
int list_filter_users(struct list_filter *f, const char *text, struct err *e);
bool list_filter_job(const struct list_filter *f, const struct job *j);
/* True where ID names this job, or the array it belongs to; its step is not looked at. */
bool list_id_is(const struct spec_jobid *id, const struct job *j);
/* The step's number in the records for that of an id; STEP_NONE where it names none. */
uint32_t list_step_number(const struct spec_jobid *id);

#endif
