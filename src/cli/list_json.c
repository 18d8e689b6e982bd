/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/list_json.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/list.h"

typedef struct json_object json;

static void put(json *o, const char *name, json *value)
{
	json_object_object_add(o, name, value);
}

static void put_text(json *o, const char *name, const char *s)
{
	put(o, name, json_object_new_string(s ? s : ""));
}

static void put_int(json *o, const char *name, uint64_t n)
{
	put(o, name, json_object_new_uint64(n));
}

static void put_bool(json *o, const char *name, bool value)
{
	put(o, name, json_object_new_boolean(value));
}

/* Slurm's form of a number that may be missing or without end. */
static json *optional_number(bool set, bool infinite, uint64_t n)
{
	json *o = json_object_new_object();

	put_bool(o, "set", set);
	put_bool(o, "infinite", infinite);
	put_int(o, "number", n);
	return o;
}

static void put_number(json *o, const char *name, uint64_t n)
{
	put(o, name, optional_number(true, false, n));
}

static void put_unset(json *o, const char *name)
{
	put(o, name, optional_number(false, false, 0));
}

static json *words(const char *word)
{
	json *a = json_object_new_array();

	if (word)
		json_object_array_add(a, json_object_new_string(word));
	return a;
}

static json *exit_code(uint32_t code, uint32_t sig)
{
	json *o = json_object_new_object(), *s = json_object_new_object();
	char name[16];

	put(o, "status", words(sig ? "SIGNALED" : code ? "ERROR" : "SUCCESS"));
	put_number(o, "return_code", code);
	put(s, "id", optional_number(sig != 0, false, sig));
	put_text(s, "name", sig ? signal_name((int)sig, name) : "");
	put(o, "signal", s);
	return o;
}

static void put_value(json *o, const char *name, list_value *value, const struct list_row *row)
{
	cleanup(strbuf) struct strbuf b = STRBUF_INIT;

	value(&b, row);
	put_text(o, name, b.data);
}

static void put_time_limit(json *o, const char *name, uint32_t seconds)
{
	put(o, name, optional_number(seconds != 0, seconds == 0, (seconds + 59) / 60));
}

static void put_array(json *o, const struct job *j)
{
	bool array = j->array_task != ARRAY_NONE;

	put_number(o, "array_job_id", array ? j->array_job : 0);
	put(o, "array_task_id", optional_number(array, false, array ? j->array_task : 0));
	put_number(o, "array_max_tasks", j->array_limit);
	put_text(o, "array_task_string", "");
}

static void put_request(json *o, const struct job *j)
{
	put_number(o, "cpus", list_cpus(j));
	put_number(o, "cpus_per_task", j->cpus_per_task);
	put_number(o, "tasks", j->ntasks);
	put_number(o, "node_count", 1);
	put(o, "memory_per_node", optional_number(j->mem > 0, false, j->mem >> 20));
	put_time_limit(o, "time_limit", j->time_limit);
	put_bool(o, "hold", j->hold);
	put_bool(o, "requeue", j->requeue);
	put_int(o, "restart_cnt", j->restarts);
	put_text(o, "dependency", j->dependency);
	put(o, "shared", words(j->exclusive ? "none" : NULL));
	put_text(o, "features", list_recorded(j, "constraint"));
	put_text(o, "licenses", list_recorded(j, "licenses"));
	put_text(o, "mail_user", list_recorded(j, "mail-user"));
}

static void put_times(json *o, const struct job *j)
{
	put_number(o, "submit_time", (uint64_t)j->submit);
	put_number(o, "eligible_time", (uint64_t)j->eligible);
	put_number(o, "start_time", (uint64_t)j->start);
	put_number(o, "end_time",
		   (uint64_t)(j->end			      ? j->end
			      : j->start && j->time_limit > 0 ? j->start + (time_t)j->time_limit
							      : 0));
}

static void put_files(json *o, const struct job *j)
{
	put_text(o, "current_working_directory", j->work_dir);
	put_text(o, "command", j->command);
	put_text(o, "standard_input", j->std_in);
	put_text(o, "standard_output", j->std_out);
	put_text(o, "standard_error", j->std_err);
	put_text(o, "container", j->container);
	put_text(o, "container_id", j->container_id);
}

json *list_json_job(const struct job *j)
{
	const struct list_row row = { .job = j, .now = time(NULL) };
	json *o = json_object_new_object();

	put_int(o, "job_id", j->id);
	put_text(o, "name", j->name);
	put(o, "job_state", words(job_state_name(j->state, false)));
	put_text(o, "state_reason", job_reason_name(j->reason));
	put_text(o, "state_description", "");
	put_text(o, "account", j->account);
	put_value(o, "partition", value_partition, &row);
	put_value(o, "qos", value_qos, &row);
	put_text(o, "cluster", "berth");
	put_text(o, "comment", j->comment);
	put_text(o, "resv_name", j->reservation);
	put_text(o, "wckey", j->wckey);
	put_int(o, "user_id", j->uid);
	put_text(o, "user_name", j->user);
	put_int(o, "group_id", j->gid);
	put_text(o, "group_name", j->group);
	put_value(o, "nodes", value_node, &row);
	put_text(o, "batch_host", j->start ? j->node : "");
	put_bool(o, "batch_flag", j->kind == JOB_SBATCH);
	put(o, "exit_code", exit_code(j->exit_code, j->exit_signal));
	put(o, "derived_exit_code", exit_code(j->derived_exit_code, 0));
	put(o, "priority", optional_number(true, false, j->hold ? 0 : 4294901760U - j->id));
	put_array(o, j);
	put_request(o, j);
	put_times(o, j);
	put_files(o, j);
	return o;
}

static json *account_time(const struct list_row *row)
{
	const struct job *j = row->job;
	const struct step *s = row->step;
	json *t = json_object_new_object();

	put_int(t, "elapsed", (uint64_t)list_seconds(row));
	put_int(t, "start", (uint64_t)(s ? s->start : j->start));
	put_int(t, "end", (uint64_t)(s ? s->end : j->end));
	if (!s) {
		put_int(t, "submission", (uint64_t)j->submit);
		put_int(t, "eligible", (uint64_t)j->eligible);
		put_time_limit(t, "limit", j->time_limit);
	}
	put_int(t, "suspended", 0);
	return t;
}

static json *account_step(const struct job *j, const struct step *s)
{
	const struct list_row row = { .job = j, .step = s, .now = time(NULL), .accounting = true };
	json *o = json_object_new_object(), *id = json_object_new_object(), *tasks = json_object_new_object(),
	     *nodes = json_object_new_object(), *list = json_object_new_array();

	put_value(id, "id", value_id_raw, &row);
	put_text(id, "name", s->name);
	put(o, "step", id);
	put(o, "state", words(job_state_name(s->state, false)));
	put(o, "exit_code", exit_code(s->exit_code, s->exit_signal));
	put(o, "time", account_time(&row));
	put_int(tasks, "count", s->ntasks);
	put(o, "tasks", tasks);
	put_int(nodes, "count", 1);
	json_object_array_add(list, json_object_new_string(j->node ? j->node : ""));
	put(nodes, "list", list);
	put(o, "nodes", nodes);
	put_text(o, "container", s->container);
	put_text(o, "container_id", s->container_id);
	put_text(o, "submit_line", s->submit_line);
	put_text(o, "working_directory", s->work_dir);
	return o;
}

static void put_account_required(json *o, const struct job *j)
{
	json *r = json_object_new_object();

	put_int(r, "CPUs", j->cpus);
	put(r, "memory_per_node", optional_number(j->mem > 0, false, j->mem >> 20));
	put_unset(r, "memory_per_cpu");
	put(o, "required", r);
}

static void put_account_array(json *o, const struct job *j)
{
	json *a = json_object_new_object();
	bool array = j->array_task != ARRAY_NONE;

	put_int(a, "job_id", array ? j->array_job : 0);
	put(a, "task_id", optional_number(array, false, array ? j->array_task : 0));
	put_text(a, "task", "");
	put(o, "array", a);
}

json *list_json_account(const struct job *j, const struct step_list *steps)
{
	const struct list_row row = { .job = j, .now = time(NULL), .accounting = true };
	json *o = json_object_new_object(), *state = json_object_new_object(), *comment = json_object_new_object(),
	     *all = json_object_new_array();

	put_int(o, "job_id", j->id);
	put_text(o, "name", j->name);
	put(state, "current", words(job_state_name(j->state, false)));
	put_text(state, "reason", job_reason_name(j->reason));
	put(o, "state", state);
	put(o, "exit_code", exit_code(j->exit_code, j->exit_signal));
	put(o, "derived_exit_code", exit_code(j->derived_exit_code, 0));
	put_text(o, "user", j->user);
	put_text(o, "group", j->group);
	put_text(o, "account", j->account);
	put_value(o, "partition", value_partition, &row);
	put_value(o, "qos", value_qos, &row);
	put_text(o, "cluster", "berth");
	put_value(o, "nodes", value_node, &row);
	put_int(o, "allocation_nodes", j->start ? 1 : 0);
	put_text(comment, "job", j->comment);
	put(o, "comment", comment);
	put(o, "time", account_time(&row));
	put_account_required(o, j);
	put_account_array(o, j);
	put_text(o, "working_directory", j->work_dir);
	put_text(o, "container", j->container);
	put_text(o, "submit_line", j->submit_line);
	put_text(o, "stdin", j->std_in);
	put_text(o, "stdout", j->std_out);
	put_text(o, "stderr", j->std_err);
	put_int(o, "restart_cnt", j->restarts);
	for (size_t i = 0; steps && i < steps->n; i++)
		json_object_array_add(all, account_step(j, &steps->steps[i]));
	put(o, "steps", all);
	return o;
}

int list_json_print(json *jobs, struct err *e)
{
	json *o = json_object_new_object(), *meta = json_object_new_object(), *plugin = json_object_new_object();
	int rc;

	put_text(plugin, "type", "berth");
	put_text(plugin, "name", "embedded engine");
	put_text(plugin, "version", BERTH_VERSION);
	put(meta, "plugin", plugin);
	put(o, "jobs", jobs);
	put(o, "meta", meta);
	put(o, "errors", json_object_new_array());
	put(o, "warnings", json_object_new_array());
	rc = puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return rc < 0 ? err_set(e, "the output could not be written") : 0;
}
