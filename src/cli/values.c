/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* The columns of squeue and sacct, as text. */

static void add(struct strbuf *b, const char *s)
{
	strbuf_adds(b, s ? s : "");
}

/* squeue prints a text that is missing as "(null)", sacct as nothing. */
static void add_or_null(struct strbuf *b, const struct list_row *row, const char *s)
{
	if (s && *s)
		strbuf_adds(b, s);
	else if (!row->accounting)
		strbuf_adds(b, "(null)");
}

static const char *never(const struct list_row *row)
{
	return row->accounting ? "Unknown" : "N/A";
}

static void add_number(struct strbuf *b, uint64_t n)
{
	strbuf_addf(b, "%" PRIu64, n);
}

const char *list_recorded(const struct job *j, const char *name)
{
	size_t len = strlen(name);

	for (char **r = j->recorded; r && *r; r++) {
		if (strncmp(*r, name, len) == 0 && (*r)[len] == '=')
			return *r + len + 1;
	}
	return NULL;
}

void list_time(struct strbuf *b, time_t t, const char *never)
{
	const char *format = getenv("SLURM_TIME_FORMAT");
	char text[128];
	struct tm tm;

	if (t == 0) {
		strbuf_adds(b, never);
		return;
	}
	if (!format || !strchr(format, '%'))
		format = "%Y-%m-%dT%H:%M:%S";
	localtime_r(&t, &tm);
	strbuf_add(b, text, strftime(text, sizeof(text), format, &tm));
}

int64_t list_seconds(const struct list_row *row)
{
	time_t start = row->step ? row->step->start : row->job->start, end = row->step ? row->step->end : row->job->end;

	if (start == 0)
		return 0;
	if (end == 0)
		end = row->now;
	return end > start ? end - start : 0;
}

/* "0-3,6" has five. */
static uint32_t count_list(const char *list)
{
	cleanup(strv) char **parts = str_split(list, ",");
	uint32_t n = 0;

	for (char **p = parts; *p; p++) {
		char *dash = strchr(*p, '-');

		n += dash ? (uint32_t)(strtoul(dash + 1, NULL, 10) - strtoul(*p, NULL, 10)) + 1 : 1;
	}
	return n;
}

uint32_t list_cpus(const struct job *j)
{
	uint32_t granted = j->cpu_list ? count_list(j->cpu_list) : 0;

	return granted > 0 ? granted : j->cpus;
}

static enum job_state state_of(const struct list_row *row)
{
	return row->step ? row->step->state : row->job->state;
}

static bool waits(const struct list_row *row)
{
	return row->job->state == JOB_PENDING;
}

void value_account(struct strbuf *b, const struct list_row *row)
{
	add_or_null(b, row, row->job->account);
}

/* Nothing is handed out before a job starts. */
void value_alloc_cpus(struct strbuf *b, const struct list_row *row)
{
	if (row->job->start == 0)
		strbuf_addc(b, '0');
	else
		value_cpus(b, row);
}

void value_array_job(struct strbuf *b, const struct list_row *row)
{
	add_number(b, row->job->array_task != ARRAY_NONE ? row->job->array_job : row->job->id);
}

void value_array_task(struct strbuf *b, const struct list_row *row)
{
	if (row->elements)
		strbuf_adds(b, row->elements);
	else if (row->job->array_task != ARRAY_NONE)
		add_number(b, row->job->array_task);
	else
		strbuf_adds(b, "N/A");
}

void value_batch_flag(struct strbuf *b, const struct list_row *row)
{
	add_number(b, row->job->kind == JOB_SBATCH);
}

void value_batch_host(struct strbuf *b, const struct list_row *row)
{
	strbuf_adds(b, waits(row) || !row->job->node ? "n/a" : row->job->node);
}

void value_cluster(struct strbuf *b, const struct list_row *row)
{
	strbuf_adds(b, "berth");
}

void value_command(struct strbuf *b, const struct list_row *row)
{
	add_or_null(b, row, row->job->command);
}

void value_comment(struct strbuf *b, const struct list_row *row)
{
	add_or_null(b, row, row->job->comment);
}

void value_container(struct strbuf *b, const struct list_row *row)
{
	add_or_null(b, row, row->step ? row->step->container : row->job->container);
}

void value_container_id(struct strbuf *b, const struct list_row *row)
{
	add_or_null(b, row, row->step ? row->step->container_id : row->job->container_id);
}

void value_cpus(struct strbuf *b, const struct list_row *row)
{
	if (row->step)
		add_number(b, row->step->cpu_list ? count_list(row->step->cpu_list)
						  : row->step->ntasks * row->step->cpus_per_task);
	else
		add_number(b, list_cpus(row->job));
}

void value_cpus_per_task(struct strbuf *b, const struct list_row *row)
{
	add_number(b, row->step ? row->step->cpus_per_task : row->job->cpus_per_task);
}

/* HH:MM:SS with days in front where there are any: sacct's form. */
static void add_clock(struct strbuf *b, uint64_t s)
{
	if (s >= 86400)
		strbuf_addf(b, "%" PRIu64 "-", s / 86400);
	strbuf_addf(b, "%02u:%02u:%02u", (unsigned)(s / 3600 % 24), (unsigned)(s / 60 % 60), (unsigned)(s % 60));
}

static uint64_t cpu_seconds(const struct list_row *row)
{
	cleanup(strbuf) struct strbuf cpus = STRBUF_INIT;

	value_cpus(&cpus, row);
	return (uint64_t)list_seconds(row) * strtoul(cpus.data, NULL, 10);
}

void value_cpu_time(struct strbuf *b, const struct list_row *row)
{
	add_clock(b, cpu_seconds(row));
}

void value_cpu_time_raw(struct strbuf *b, const struct list_row *row)
{
	add_number(b, cpu_seconds(row));
}

/* As it was asked for; of a job that waits each part says how it stands. */
void value_dependency(struct strbuf *b, const struct list_row *row)
{
	const char *how = row->job->reason == REASON_DEPENDENCY_NEVER ? "failed" : "unfulfilled";
	struct spec_depend d;

	if (!waits(row) || !row->job->dependency || spec_depend(row->job->dependency, &d, NULL) < 0) {
		add_or_null(b, row, row->job->dependency);
		return;
	}
	for (size_t i = 0; i < d.n; i++) {
		const struct spec_depend_item *item = &d.items[i];

		strbuf_addf(b, "%s%s", i == 0 ? "" : d.any ? "?" : ",", spec_depend_name(item->type));
		if (item->type != DEPEND_SINGLETON)
			strbuf_addf(b, ":%u", item->job);
		if (item->element >= 0)
			strbuf_addf(b, "_%" PRId64, item->element);
		if (item->minutes > 0)
			strbuf_addf(b, "+%u", item->minutes);
		strbuf_addf(b, "(%s)", how);
	}
	spec_depend_free(&d);
}

void value_derived_exit(struct strbuf *b, const struct list_row *row)
{
	if (!row->step)
		strbuf_addf(b, "%u:0", row->job->derived_exit_code);
}

void value_elapsed(struct strbuf *b, const struct list_row *row)
{
	add_clock(b, (uint64_t)list_seconds(row));
}

void value_elapsed_raw(struct strbuf *b, const struct list_row *row)
{
	add_number(b, (uint64_t)list_seconds(row));
}

void value_eligible(struct strbuf *b, const struct list_row *row)
{
	list_time(b, row->job->eligible, "Unknown");
}

/* squeue says when a running job will end at the latest. */
void value_end(struct strbuf *b, const struct list_row *row)
{
	const struct job *j = row->job;
	time_t end = row->step ? row->step->end : j->end;

	if (end || row->step || row->accounting || !j->start)
		list_time(b, end, never(row));
	else if (j->time_limit == 0)
		strbuf_adds(b, "NONE");
	else
		list_time(b, j->start + (time_t)j->time_limit, "");
}

void value_exit(struct strbuf *b, const struct list_row *row)
{
	if (row->step)
		strbuf_addf(b, "%u:%u", row->step->exit_code, row->step->exit_signal);
	else
		strbuf_addf(b, "%u:%u", row->job->exit_code, row->job->exit_signal);
}

void value_features(struct strbuf *b, const struct list_row *row)
{
	add_or_null(b, row, list_recorded(row->job, "constraint"));
}

void value_gid(struct strbuf *b, const struct list_row *row)
{
	add_number(b, row->job->gid);
}

void value_group(struct strbuf *b, const struct list_row *row)
{
	add(b, row->job->group);
}

void value_id(struct strbuf *b, const struct list_row *row)
{
	cleanup(free) char *text = job_id_text(row->job, row->step ? row->step->id : STEP_NONE);

	if (row->elements)
		strbuf_addf(b, "%u_%s", row->job->array_job, row->elements);
	else
		strbuf_adds(b, text);
}

void value_id_raw(struct strbuf *b, const struct list_row *row)
{
	struct job plain = { .id = row->job->id, .array_task = ARRAY_NONE };
	cleanup(free) char *text = job_id_text(&plain, row->step ? row->step->id : STEP_NONE);

	strbuf_adds(b, text);
}

void value_licenses(struct strbuf *b, const struct list_row *row)
{
	add_or_null(b, row, list_recorded(row->job, "licenses"));
}

void value_memory(struct strbuf *b, const struct list_row *row)
{
	uint64_t mb = row->job->mem >> 20;
	static const char units[] = "MGT";
	size_t unit = 0;

	if (mb == 0) {
		strbuf_addc(b, '0');
		return;
	}
	while (mb % 1024 == 0 && unit + 1 < sizeof(units) - 1) {
		mb /= 1024;
		unit++;
	}
	strbuf_addf(b, "%" PRIu64 "%c", mb, units[unit]);
}

void value_name(struct strbuf *b, const struct list_row *row)
{
	add(b, row->step ? row->step->name : row->job->name);
}

void value_nice(struct strbuf *b, const struct list_row *row)
{
	const char *nice = list_recorded(row->job, "nice");

	strbuf_adds(b, nice ? nice : "0");
}

void value_node(struct strbuf *b, const struct list_row *row)
{
	if (row->job->start != 0)
		add(b, row->job->node);
	else if (row->accounting)
		strbuf_adds(b, "None assigned");
}

void value_nodes(struct strbuf *b, const struct list_row *row)
{
	strbuf_addc(b, '1');
}

void value_nothing(struct strbuf *b, const struct list_row *row)
{
}

/* What nobody can ask for here, in the forms in which Slurm prints that nobody did. */
void value_not_set(struct strbuf *b, const struct list_row *row)
{
	strbuf_adds(b, "N/A");
}

void value_null(struct strbuf *b, const struct list_row *row)
{
	add_or_null(b, row, NULL);
}

void value_oversubscribe(struct strbuf *b, const struct list_row *row)
{
	strbuf_adds(b, row->job->exclusive ? "NO" : "OK");
}

void value_partition(struct strbuf *b, const struct list_row *row)
{
	add(b, row->job->partition ? row->job->partition : "local");
}

void value_pending_time(struct strbuf *b, const struct list_row *row)
{
	time_t until = row->job->start ? row->job->start : row->now;

	add_number(b, until > row->job->submit ? (uint64_t)(until - row->job->submit) : 0);
}

/* The order of the queue as the number that Slurm would show: first come, first served; 0 where it is held. */
void value_priority(struct strbuf *b, const struct list_row *row)
{
	add_number(b, row->job->hold ? 0 : 4294901760U - row->job->id);
}

void value_priority_fraction(struct strbuf *b, const struct list_row *row)
{
	double priority = row->job->hold ? 0 : (double)(4294901760U - row->job->id);

	strbuf_addf(b, "%16.14f", priority / (double)UINT32_MAX);
}

void value_qos(struct strbuf *b, const struct list_row *row)
{
	add(b, row->job->qos ? row->job->qos : "normal");
}

void value_reason(struct strbuf *b, const struct list_row *row)
{
	strbuf_adds(b, job_reason_name(row->job->reason));
}

void value_reason_or_node(struct strbuf *b, const struct list_row *row)
{
	enum job_state s = row->job->state;

	if (s == JOB_PENDING || s == JOB_FAILED || s == JOB_TIMEOUT || s == JOB_NODE_FAIL)
		strbuf_addf(b, "(%s)", job_reason_name(row->job->reason));
	else
		value_node(b, row);
}

void value_requeue(struct strbuf *b, const struct list_row *row)
{
	add_number(b, row->job->requeue);
}

void value_req_cpus(struct strbuf *b, const struct list_row *row)
{
	if (row->step)
		value_cpus(b, row);
	else
		add_number(b, row->job->cpus);
}

void value_reservation(struct strbuf *b, const struct list_row *row)
{
	add_or_null(b, row, row->job->reservation);
}

void value_restarts(struct strbuf *b, const struct list_row *row)
{
	add_number(b, row->job->restarts);
}

/* Sockets, cores and threads are never asked for: each is any. */
void value_sct(struct strbuf *b, const struct list_row *row)
{
	strbuf_adds(b, "*:*:*");
}

void value_select(struct strbuf *b, const struct list_row *row)
{
	strbuf_addc(b, '*');
}

/* squeue says of a job that waits for its time which one that is. */
void value_start(struct strbuf *b, const struct list_row *row)
{
	time_t start = row->step ? row->step->start : row->job->start;

	if (start == 0 && !row->accounting && row->job->begin > row->now)
		start = row->job->begin;
	list_time(b, start, never(row));
}

void value_state(struct strbuf *b, const struct list_row *row)
{
	strbuf_adds(b, job_state_name(state_of(row), false));
}

/* With who cancelled it, as sacct has it. */
void value_state_by(struct strbuf *b, const struct list_row *row)
{
	value_state(b, row);
	if (state_of(row) == JOB_CANCELLED)
		strbuf_addf(b, " by %u", row->step ? row->step->cancelled_by : row->job->cancelled_by);
}

void value_state_compact(struct strbuf *b, const struct list_row *row)
{
	strbuf_adds(b, job_state_name(state_of(row), true));
}

void value_stderr(struct strbuf *b, const struct list_row *row)
{
	add(b, row->step ? row->step->std_err : row->job->std_err);
}

void value_stdin(struct strbuf *b, const struct list_row *row)
{
	add(b, row->step ? row->step->std_in : row->job->std_in);
}

void value_stdout(struct strbuf *b, const struct list_row *row)
{
	add(b, row->step ? row->step->std_out : row->job->std_out);
}

void value_submit(struct strbuf *b, const struct list_row *row)
{
	list_time(b, row->step ? row->step->start : row->job->submit, never(row));
}

void value_submit_line(struct strbuf *b, const struct list_row *row)
{
	add(b, row->step ? row->step->submit_line : row->job->submit_line);
}

void value_tasks(struct strbuf *b, const struct list_row *row)
{
	add_number(b, row->step ? row->step->ntasks : row->job->ntasks);
}

/* sacct counts the tasks of steps. */
void value_step_tasks(struct strbuf *b, const struct list_row *row)
{
	if (row->step)
		add_number(b, row->step->ntasks);
}

static void add_duration(struct strbuf *b, int64_t seconds)
{
	char buf[32];

	strbuf_adds(b, spec_duration_text(seconds < UINT32_MAX ? (uint32_t)seconds : UINT32_MAX - 1, buf));
}

void value_time_left(struct strbuf *b, const struct list_row *row)
{
	int64_t left = (int64_t)row->job->time_limit - list_seconds(row);

	if (row->job->time_limit == 0)
		strbuf_adds(b, "UNLIMITED");
	else
		add_duration(b, left > 0 ? left : 0);
}

void value_time_limit(struct strbuf *b, const struct list_row *row)
{
	if (row->job->time_limit == 0)
		strbuf_adds(b, "UNLIMITED");
	else
		add_duration(b, row->job->time_limit);
}

/* sacct's form. */
void value_time_limit_long(struct strbuf *b, const struct list_row *row)
{
	if (row->step)
		return;
	if (row->job->time_limit == 0)
		strbuf_adds(b, "UNLIMITED");
	else
		add_clock(b, row->job->time_limit);
}

void value_time_limit_minutes(struct strbuf *b, const struct list_row *row)
{
	if (row->step)
		return;
	if (row->job->time_limit == 0)
		strbuf_adds(b, "UNLIMITED");
	else
		add_number(b, (row->job->time_limit + 59) / 60);
}

void value_time_used(struct strbuf *b, const struct list_row *row)
{
	add_duration(b, list_seconds(row));
}

void value_uid(struct strbuf *b, const struct list_row *row)
{
	add_number(b, row->job->uid);
}

void value_user(struct strbuf *b, const struct list_row *row)
{
	add(b, row->job->user);
}

void value_wckey(struct strbuf *b, const struct list_row *row)
{
	add_or_null(b, row, row->job->wckey);
}

void value_work_dir(struct strbuf *b, const struct list_row *row)
{
	add(b, row->step && row->step->work_dir ? row->step->work_dir : row->job->work_dir);
}

void value_zero(struct strbuf *b, const struct list_row *row)
{
	strbuf_addc(b, '0');
}
