/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/squeue_columns.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/num.h"

static const struct squeue_field fields[] = {
	{ 'a', "Account", "ACCOUNT", NULL, value_account },
	{ 'A', "JobID", "JOBID", NULL, value_id_raw },
	{ 'b', "tres-per-node", "TRES_PER_NODE", NULL, value_not_set },
	{ 'B', "BatchHost", "EXEC_HOST", NULL, value_batch_host },
	{ 'c', "MinCpus", "MIN_CPUS", NULL, value_cpus_per_task },
	{ 'C', "NumCPUs", "CPUS", NULL, value_cpus },
	{ 'd', "MinTmpDisk", "MIN_TMP_DISK", NULL, value_zero },
	{ 'D', "NumNodes", "NODES", NULL, value_nodes },
	{ 'e', "EndTime", "END_TIME", NULL, value_end },
	{ 'E', "Dependency", "DEPENDENCY", NULL, value_dependency },
	{ 'f', "Feature", "FEATURES", NULL, value_features },
	{ 'F', "ArrayJobID", "ARRAY_JOB_ID", NULL, value_array_job },
	{ 'g', "GroupName", "GROUP", NULL, value_group },
	{ 'G', "GroupID", "GROUP", NULL, value_gid },
	{ 'h', "OverSubscribe", "OVER_SUBSCRIBE", NULL, value_oversubscribe },
	{ 'H', "Sockets", "SOCKETS_PER_NODE", NULL, value_select },
	{ 'i', "JobArrayID", "JOBID", "STEPID", value_id },
	{ 'I', "Cores", "CORES_PER_SOCKET", NULL, value_select },
	{ 'j', "Name", "NAME", NULL, value_name },
	{ 'J', "Threads", "THREADS_PER_CORE", NULL, value_select },
	{ 'k', "Comment", "COMMENT", NULL, value_comment },
	{ 'K', "ArrayTaskID", "ARRAY_TASK_ID", NULL, value_array_task },
	{ 'l', "TimeLimit", "TIME_LIMIT", NULL, value_time_limit },
	{ 'L', "TimeLeft", "TIME_LEFT", NULL, value_time_left },
	{ 'm', "MinMemory", "MIN_MEMORY", NULL, value_memory },
	{ 'M', "TimeUsed", "TIME", NULL, value_time_used },
	{ 'n', "ReqNodes", "REQ_NODES", NULL, value_nothing },
	{ 'N', "NodeList", "NODELIST", NULL, value_node },
	{ 'o', "Command", "COMMAND", NULL, value_command },
	{ 'O', "Contiguous", "CONTIGUOUS", NULL, value_zero },
	{ 'p', "Priority", "PRIORITY", NULL, value_priority_fraction },
	{ 'P', "Partition", "PARTITION", NULL, value_partition },
	{ 'q', "QOS", "QOS", NULL, value_qos },
	{ 'Q', "PriorityLong", "PRIORITY", NULL, value_priority },
	{ 'r', "Reason", "REASON", NULL, value_reason },
	{ 'R', "ReasonList", "NODELIST(REASON)", NULL, value_reason_or_node },
	{ 's', "SelectJobInfo", "SELECT_JOBINFO", NULL, value_nothing },
	{ 'S', "StartTime", "START_TIME", NULL, value_start },
	{ 't', "StateCompact", "ST", NULL, value_state_compact },
	{ 'T', "State", "STATE", NULL, value_state },
	{ 'u', "UserName", "USER", NULL, value_user },
	{ 'U', "UserID", "UID", NULL, value_uid },
	{ 'v', "Reservation", "RESERVATION", NULL, value_reservation },
	{ 'V', "SubmitTime", "SUBMIT_TIME", NULL, value_submit },
	{ 'w', "WCKey", "WCKEY", NULL, value_wckey },
	{ 'W', "Licenses", "LICENSES", NULL, value_licenses },
	{ 'x', "ExcNodes", "EXC_NODES", NULL, value_nothing },
	{ 'X', "CoreSpec", "CORE_SPEC", NULL, value_not_set },
	{ 'y', "Nice", "NICE", NULL, value_nice },
	{ 'Y', "SchedNodes", "SCHEDNODES", NULL, value_null },
	{ 'z', "SCT", "S:C:T", NULL, value_sct },
	{ 'Z', "WorkDir", "WORK_DIR", NULL, value_work_dir },
	{ '\0', "AllocNodes", "ALLOC_NODES", NULL, value_batch_host },
	{ '\0', "BatchFlag", "BATCH_FLAG", NULL, value_batch_flag },
	{ '\0', "Cluster", "CLUSTER", NULL, value_cluster },
	{ '\0', "Container", "CONTAINER", NULL, value_container },
	{ '\0', "ContainerID", "CONTAINER_ID", NULL, value_container_id },
	{ '\0', "cpus-per-task", "CPUS_PER_TASK", NULL, value_cpus_per_task },
	{ '\0', "DerivedEC", "DERIVED_EC", NULL, value_derived_exit },
	{ '\0', "EligibleTime", "ELIGIBLE_TIME", NULL, value_eligible },
	{ '\0', "exit_code", "EXIT_CODE", NULL, value_exit },
	{ '\0', "Nodes", "NODES", NULL, value_node },
	{ '\0', "NumTasks", "TASKS", NULL, value_tasks },
	{ '\0', "PendingTime", "PENDING_TIME", NULL, value_pending_time },
	{ '\0', "Requeue", "REQUEUE", NULL, value_requeue },
	{ '\0', "RestartCnt", "RESTART_COUNT", NULL, value_restarts },
	{ '\0', "STDERR", "STDERR", NULL, value_stderr },
	{ '\0', "STDIN", "STDIN", NULL, value_stdin },
	{ '\0', "STDOUT", "STDOUT", NULL, value_stdout },
	{ '\0', "StepID", "STEPID", NULL, value_id },
	{ '\0', "StepName", "NAME", NULL, value_name },
	{ '\0', "StepState", "STATE", NULL, value_state },
};

static const struct squeue_field step_tasks = { 'A', NULL, "TASKS", NULL, value_tasks };

static const struct squeue_field *by_letter(char letter, bool steps)
{
	if (steps && letter == 'A')
		return &step_tasks;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (fields[i].letter == letter && letter)
			return &fields[i];
	}
	return NULL;
}

static const struct squeue_field *by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strcasecmp(fields[i].name, name) == 0)
			return &fields[i];
	}
	return NULL;
}

static struct squeue_column *add_column(struct squeue_columns *c, const struct squeue_field *field)
{
	c->columns = xrealloc(c->columns, c->n + 1, sizeof(*c->columns));
	c->columns[c->n] = (struct squeue_column){ .field = field };
	return &c->columns[c->n++];
}

/* Digits at *s, at most 9999; 0 where there are none. */
static size_t read_width(const char **s)
{
	size_t n = 0;

	for (; isdigit((unsigned char)**s); ++*s)
		n = n > 999 ? 9999 : n * 10 + (size_t)(**s - '0');
	return n;
}

static void add_all(struct squeue_columns *c, bool steps)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (fields[i].letter)
			add_column(c, by_letter(fields[i].letter, steps))->suffix = xstrdup("|");
	}
}

int squeue_columns_letters(const char *format, bool steps, struct squeue_columns *out, struct err *e)
{
	size_t n = strcspn(format, "%");

	*out = (struct squeue_columns){ .prefix = xstrndup(format, n) };
	if (strcmp(format, "%all") == 0) {
		add_all(out, steps);
		return 0;
	}
	for (format += n; *format; format += n) {
		const struct squeue_field *field;
		struct squeue_column *column;
		bool right = *++format == '.';
		size_t width;

		format += right;
		width = read_width(&format);
		field = by_letter(*format, steps);
		if (!field)
			return err_set(e, "invalid format: '%%%.1s' is no column; squeue --help lists them", format);
		n = strcspn(++format, "%");
		column = add_column(out, field);
		column->right = right;
		column->width = width;
		column->suffix = xstrndup(format, n);
	}
	return 0;
}

/* NAME[:[.][WIDTH][SUFFIX]] */
static int add_named(struct squeue_columns *c, char *part, struct err *e)
{
	char *colon = strchr(part, ':');
	const char *p = colon ? colon + 1 : "";
	const struct squeue_field *field;
	struct squeue_column *column;

	if (colon)
		*colon = '\0';
	field = by_name(part);
	if (!field)
		return err_set(e, "invalid format: '%.64s' is no column; squeue --help lists them", part);
	column = add_column(c, field);
	column->right = *p == '.';
	p += column->right;
	column->width = read_width(&p);
	if (column->width == 0)
		column->width = 20;
	column->suffix = xstrdup(p);
	return 0;
}

int squeue_columns_names(const char *format, bool steps, struct squeue_columns *out, struct err *e)
{
	cleanup(strv) char **parts = str_split(format, ",");

	*out = (struct squeue_columns){ .prefix = xstrdup("") };
	for (char **p = parts; p && *p; p++) {
		if (**p && add_named(out, *p, e) < 0)
			return -1;
	}
	return out->n > 0 ? 0 : err_set(e, "invalid format: no column is named");
}

void squeue_columns_free(struct squeue_columns *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->columns[i].suffix);
	free(c->columns);
	free(c->prefix);
	*c = (struct squeue_columns){ 0 };
}

void squeue_columns_help(FILE *out)
{
	const size_t n = sizeof(fields) / sizeof(fields[0]);

	fprintf(out, "\nColumns, by the letter of --format and the name of --Format:\n");
	for (size_t i = 0; i < n; i++) {
		char letter[] = { fields[i].letter ? '%' : ' ', fields[i].letter ? fields[i].letter : ' ', '\0' };

		fprintf(out, "  %s %-20s%s", letter, fields[i].name, i % 3 == 2 || i + 1 == n ? "\n" : "");
	}
}

/* Names of nodes and durations are never cut. */
static bool may_be_cut(const struct squeue_field *f, const char *text)
{
	list_value *v = f->value;

	return v != value_node && v != value_time_used && v != value_time_limit && v != value_time_left &&
	       (v != value_reason_or_node || *text == '(');
}

/* A name may hold anything; a line of output stays one. */
static void add_cell(struct strbuf *b, const struct squeue_column *c, const char *text, bool cut)
{
	size_t len = strlen(text), shown = cut && c->width > 0 && len > c->width ? c->width : len;
	size_t padding = c->width > shown ? c->width - shown : 0;

	for (size_t i = 0; c->right && i < padding; i++)
		strbuf_addc(b, ' ');
	for (size_t i = 0; i < shown; i++)
		strbuf_addc(b, iscntrl((unsigned char)text[i]) ? '?' : text[i]);
	for (size_t i = 0; !c->right && i < padding; i++)
		strbuf_addc(b, ' ');
	strbuf_adds(b, c->suffix);
}

void squeue_columns_line(struct strbuf *b, const struct squeue_columns *c, bool steps, const struct list_row *row)
{
	strbuf_adds(b, c->prefix);
	for (size_t i = 0; i < c->n; i++) {
		const struct squeue_field *f = c->columns[i].field;
		cleanup(strbuf) struct strbuf value = STRBUF_INIT;
		const char *text = steps && f->step_title ? f->step_title : f->title;

		if (row) {
			f->value(&value, row);
			text = value.data ? value.data : "";
		}
		add_cell(b, &c->columns[i], text, !row || may_be_cut(f, text));
	}
	strbuf_addc(b, '\n');
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_field(char letter, const struct list_row *a, const struct list_row *b)
{
	cleanup(strbuf) struct strbuf ta = STRBUF_INIT, tb = STRBUF_INIT;
	const struct squeue_field *field = by_letter(letter, false);
	uint64_t na, nb;

	switch (letter) {
	case 't':
	case 'T':
		return compare_numbers(a->job->state, b->job->state);
	case 'i':
	case 'A':
		return compare_numbers(a->job->id, b->job->id);
	case 'M':
		return compare_numbers((uint64_t)list_seconds(a), (uint64_t)list_seconds(b));
	case 'l':
		return compare_numbers(a->job->time_limit - 1, b->job->time_limit - 1);
	case 'm':
		return compare_numbers(a->job->mem, b->job->mem);
	default:
		field->value(&ta, a);
		field->value(&tb, b);
	}
	if (!ta.data || !tb.data)
		return compare_numbers(ta.len, tb.len);
	if (parse_u64(ta.data, 0, UINT64_MAX, &na, NULL) == 0 && parse_u64(tb.data, 0, UINT64_MAX, &nb, NULL) == 0)
		return compare_numbers(na, nb);
	return strcmp(ta.data, tb.data);
}

int squeue_compare(const char *keys, const struct list_row *a, const struct list_row *b)
{
	bool down = false;

	for (; *keys; keys++) {
		int order;

		if (*keys == '-' || *keys == '+') {
			down = *keys == '-';
			continue;
		}
		if (*keys == ',')
			continue;
		order = compare_field(*keys, a, b);
		if (order != 0)
			return down ? -order : order;
		down = false;
	}
	return 0;
}

int squeue_check_keys(const char *keys, struct err *e)
{
	for (const char *k = keys; *k; k++) {
		if (!strchr("+-,", *k) && !by_letter(*k, false))
			return err_set(e, "invalid sort specification: '%c' is no column", *k);
	}
	return 0;
}
