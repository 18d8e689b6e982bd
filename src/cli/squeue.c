/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/commands.h"
#include "cli/list.h"
#include "cli/list_json.h"
#include "cli/list_options.h"
#include "cli/squeue_columns.h"
#include "engine/local/local.h"

struct squeue {
	struct list_filter filter;
	const char *format, *format_names, *sort;
	bool steps, each_element, no_header, long_format, start, json, all_jobs;
	bool ids_wanted, steps_wanted; /* -j, -s without their list: the first operand is it */
	bool done;
	unsigned iterate;
};

enum {
	Q_ACCOUNT = 1,
	Q_ARRAY,
	Q_FORMAT,
	Q_FORMAT_NAMES,
	Q_HELP,
	Q_ITERATE,
	Q_JOBS,
	Q_JSON,
	Q_LONG,
	Q_ME,
	Q_NAME,
	Q_NODELIST,
	Q_NOHEADER,
	Q_PARTITION,
	Q_QOS,
	Q_RESERVATION,
	Q_SORT,
	Q_START,
	Q_STATES,
	Q_STEPS,
	Q_USAGE,
	Q_USER,
	Q_VERSION,
};

#define YES(name, letter, arg, arg_name, help)                             \
	{                                                                  \
		name, letter, OPT_ARG_##arg, arg_name, help, OPT_SUPPORTED \
	}
#define RECORDED(name, letter, arg, arg_name, help)                       \
	{                                                                 \
		name, letter, OPT_ARG_##arg, arg_name, help, OPT_RECORDED \
	}
#define REFUSED(name, letter, arg, arg_name, help)                       \
	{                                                                \
		name, letter, OPT_ARG_##arg, arg_name, help, OPT_REFUSED \
	}

static const struct list_option options[] = {
	{ YES("account", 'A', REQUIRED, "LIST", "jobs of these accounts"), Q_ACCOUNT, "SQUEUE_ACCOUNT" },
	{ RECORDED("all", 'a', NO, NULL, "hidden partitions too"), 0, NULL },
	{ YES("array", 'r', NO, NULL, "a line for each element of an array"), Q_ARRAY, "SQUEUE_ARRAY" },
	{ YES("array-unique", 0, NO, NULL, "the same for waiting elements"), Q_ARRAY, "SQUEUE_ARRAY_UNIQUE" },
	{ RECORDED("clusters", 'M', REQUIRED, "LIST", "other clusters"), 0, NULL },
	{ RECORDED("federation", 0, NO, NULL, "other clusters"), 0, NULL },
	{ YES("format", 'o', REQUIRED, "FORMAT", "columns by letters: \"%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R\""),
	  Q_FORMAT, "SQUEUE_FORMAT" },
	{ YES("Format", 'O', REQUIRED, "FORMAT", "columns by names: JobID:10,Name,State,Container:40"), Q_FORMAT_NAMES,
	  "SQUEUE_FORMAT2" },
	{ YES("help", 0, NO, NULL, "show this"), Q_HELP, NULL },
	{ RECORDED("hide", 0, NO, NULL, "no hidden partitions"), 0, NULL },
	{ YES("iterate", 'i', REQUIRED, "SECONDS", "again and again"), Q_ITERATE, NULL },
	{ YES("jobs", 'j', OPTIONAL, "LIST", "these jobs: 12,13_4"), Q_JOBS, NULL },
	{ YES("json", 0, OPTIONAL, "FORMAT", "everything, as JSON"), Q_JSON, NULL },
	{ REFUSED("licenses", 'L', REQUIRED, "LIST", "licenses are not handed out here"), 0, NULL },
	{ RECORDED("local", 0, NO, NULL, "this cluster alone"), 0, NULL },
	{ YES("long", 'l', NO, NULL, "more columns"), Q_LONG, NULL },
	{ YES("me", 0, NO, NULL, "my jobs (there are no others)"), Q_ME, NULL },
	{ YES("name", 'n', REQUIRED, "LIST", "jobs of these names"), Q_NAME, "SQUEUE_NAMES" },
	{ RECORDED("noconvert", 0, NO, NULL, "units as they are"), 0, NULL },
	{ YES("nodelist", 'w', REQUIRED, "LIST", "jobs on these nodes"), Q_NODELIST, NULL },
	{ YES("noheader", 'h', NO, NULL, "no titles"), Q_NOHEADER, NULL },
	{ YES("partition", 'p', REQUIRED, "LIST", "jobs of these partitions"), Q_PARTITION, "SQUEUE_PARTITION" },
	{ RECORDED("priority", 'P', NO, NULL, "a line for each partition"), 0, NULL },
	{ YES("qos", 'q', REQUIRED, "LIST", "jobs of these qualities of service"), Q_QOS, "SQUEUE_QOS" },
	{ YES("reservation", 'R', REQUIRED, "LIST", "jobs of these reservations"), Q_RESERVATION, NULL },
	{ RECORDED("sibling", 0, NO, NULL, "other clusters"), 0, NULL },
	{ YES("sort", 'S', REQUIRED, "LIST", "by these letters of --format, with - downwards: P,t,-p"), Q_SORT,
	  "SQUEUE_SORT" },
	{ YES("start", 0, NO, NULL, "waiting jobs, and when they start where that is known"), Q_START, NULL },
	{ YES("states", 't', REQUIRED, "LIST", "jobs in these states: PD,R or all"), Q_STATES, "SQUEUE_STATES" },
	{ YES("steps", 's', OPTIONAL, "LIST", "steps in place of jobs: 12.0"), Q_STEPS, NULL },
	{ YES("usage", 0, NO, NULL, "show the usage in short"), Q_USAGE, NULL },
	{ YES("user", 'u', REQUIRED, "LIST", "jobs of these users"), Q_USER, "SQUEUE_USERS" },
	{ RECORDED("verbose", 'v', NO, NULL, "say more"), 0, NULL },
	{ YES("version", 'V', NO, NULL, "show the version"), Q_VERSION, NULL },
	{ REFUSED("yaml", 0, OPTIONAL, "FORMAT", "YAML is not written; --json is"), 0, NULL },
};

const struct list_command squeue_command = { "squeue", "[OPTION]...", options, sizeof(options) / sizeof(options[0]),
					     true };

static int set_iterate(struct squeue *q, const char *value, struct err *e)
{
	uint32_t n;

	if (parse_u32(value, 1, 86400, &n, e) < 0)
		return -1;
	q->iterate = n;
	return 0;
}

static int apply_filter(struct squeue *q, int id, const char *value, struct err *e)
{
	struct list_filter *f = &q->filter;
	char uid[16];

	switch (id) {
	case Q_ACCOUNT:
		list_filter_add(&f->accounts, value);
		break;
	case Q_JOBS:
		q->ids_wanted = !value;
		return value ? list_filter_ids(f, value, e) : 0;
	case Q_ME:
		snprintf(uid, sizeof(uid), "%u", getuid());
		strv_push(&f->users, uid);
		break;
	case Q_NAME:
		list_filter_add(&f->names, value);
		break;
	case Q_NODELIST:
		list_filter_add(&f->nodes, value);
		break;
	case Q_PARTITION:
		list_filter_add(&f->partitions, value);
		break;
	case Q_QOS:
		list_filter_add(&f->qos, value);
		break;
	case Q_RESERVATION:
		list_filter_add(&f->reservations, value);
		break;
	case Q_STATES:
		memset(f->states, 0, sizeof(f->states));
		f->any_state = false;
		q->all_jobs = true;
		return list_filter_states(f, value, e);
	case Q_STEPS:
		q->steps = true;
		q->steps_wanted = !value;
		return value ? list_filter_ids(f, value, e) : 0;
	case Q_USER:
		return list_filter_users(f, value, e);
	}
	return 0;
}

static int apply(void *arg, int id, const char *value, struct err *e)
{
	struct squeue *q = arg;

	switch (id) {
	case Q_ARRAY:
		q->each_element = true;
		break;
	case Q_FORMAT:
		q->format = value;
		q->format_names = NULL;
		break;
	case Q_FORMAT_NAMES:
		q->format_names = value;
		break;
	case Q_HELP:
	case Q_USAGE:
	case Q_VERSION:
		list_command_info(&squeue_command, id == Q_HELP, id == Q_VERSION);
		if (id == Q_HELP)
			squeue_columns_help(stdout);
		q->done = true;
		break;
	case Q_ITERATE:
		return set_iterate(q, value, e);
	case Q_JSON:
		q->json = true;
		break;
	case Q_LONG:
		q->long_format = true;
		break;
	case Q_NOHEADER:
		q->no_header = true;
		break;
	case Q_SORT:
		q->sort = value;
		return squeue_check_keys(value, e);
	case Q_START:
		q->start = true;
		break;
	default:
		return apply_filter(q, id, value, e);
	}
	return 0;
}

static int operand(void *arg, const char *word, struct err *e)
{
	struct squeue *q = arg;

	if (!q->ids_wanted && !q->steps_wanted)
		return err_set(e, "'%.64s' is no option", word);
	q->ids_wanted = q->steps_wanted = false;
	return list_filter_ids(&q->filter, word, e);
}

/* What the options leave open. */
static void set_defaults(struct squeue *q)
{
	if (!q->all_jobs && !q->start) {
		for (int s = 0; s < JOB_STATES; s++)
			q->filter.states[s] = !job_state_ended((enum job_state)s);
	} else if (!q->all_jobs) {
		q->filter.states[JOB_PENDING] = true;
	}
	if (!q->sort)
		q->sort = q->steps ? "P,i" : q->start ? "S,i" : "P,t,-p,i";
	if (q->format || q->format_names)
		return;
	if (q->steps)
		q->format = "%.15i %.8j %.9P %.8u %.9M %N";
	else if (q->start)
		q->format = "%.18i %.9P %.8j %.8u %.2t %.19S %.6D %20Y %R";
	else if (q->long_format)
		q->format = "%.18i %.9P %.8j %.8u %.8T %.10M %.9l %.6D %R";
	else
		q->format = "%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R";
}

struct rows {
	struct list_row *rows;
	size_t n;
	struct step_list *steps; /* one a job, owned */
	size_t n_steps;
};

static void rows_free(struct rows *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->rows[i].elements);
	for (size_t i = 0; i < r->n_steps; i++)
		step_list_free(&r->steps[i]);
	free(r->steps);
	free(r->rows);
}

static void add_row(struct rows *r, const struct job *job, const struct step *step, time_t now)
{
	r->rows = xrealloc(r->rows, r->n + 1, sizeof(*r->rows));
	r->rows[r->n++] = (struct list_row){ .job = job, .step = step, .now = now };
}

/* Waiting elements of one array that wait for the same are one line; the first of them stands for all. */
static bool same_group(const struct job *a, const struct job *b)
{
	return a->array_task != ARRAY_NONE && b->array_task != ARRAY_NONE && a->array_job == b->array_job &&
	       a->state == JOB_PENDING && b->state == JOB_PENDING && a->reason == b->reason;
}

/* As much of the list as Slurm shows. */
static char *elements_text(const struct spec_array *a)
{
	enum { SHOWN = 64 };
	cleanup(free) char *text = spec_array_text(a);

	return strlen(text) > SHOWN ? xasprintf("[%.*s...]", SHOWN, text) : xasprintf("[%s]", text);
}

static void group_elements(struct rows *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n; i++) {
		struct spec_array a = { .limit = r->rows[i].job->array_limit };
		size_t last = i;

		while (last + 1 < r->n && same_group(r->rows[i].job, r->rows[last + 1].job))
			last++;
		if (!same_group(r->rows[i].job, r->rows[i].job)) {
			r->rows[kept++] = r->rows[i];
			continue;
		}
		a.ids = xcalloc(last - i + 1, sizeof(*a.ids));
		for (size_t k = i; k <= last; k++)
			a.ids[a.n++] = r->rows[k].job->array_task;
		r->rows[kept] = r->rows[i];
		if (a.n > 1 || a.limit > 0)
			r->rows[kept].elements = elements_text(&a);
		kept++;
		spec_array_free(&a);
		i = last;
	}
	r->n = kept;
}

static bool step_wanted(const struct squeue *q, const struct job *j, const struct step *s)
{
	if (job_state_ended(s->state))
		return false;
	for (size_t i = 0; i < q->filter.n_ids; i++) {
		uint32_t step = list_step_number(&q->filter.ids[i]);

		if (list_id_is(&q->filter.ids[i], j) && (step == STEP_NONE || step == s->id))
			return true;
	}
	return q->filter.n_ids == 0;
}

static int add_steps(const struct squeue *q, struct state *st, const struct job *j, struct rows *r, time_t now,
		     struct err *e)
{
	struct step_list *steps;

	r->steps = xrealloc(r->steps, r->n_steps + 1, sizeof(*r->steps));
	steps = &r->steps[r->n_steps];
	if (step_list_load(st, j->id, steps, e) < 0)
		return -1;
	r->n_steps++;
	for (size_t i = 0; i < steps->n; i++) {
		if (step_wanted(q, j, &steps->steps[i]))
			add_row(r, j, &steps->steps[i], now);
	}
	return 0;
}

static int by_keys(const void *a, const void *b, void *keys)
{
	const struct list_row *x = a, *y = b;
	int order = squeue_compare(keys, x, y);

	/* qsort is not stable */
	if (order == 0)
		order = x->job->id < y->job->id ? -1 : x->job->id > y->job->id;
	if (order == 0 && x->step && y->step)
		order = x->step->id < y->step->id ? -1 : x->step->id > y->step->id;
	return order;
}

static int select_rows(const struct squeue *q, struct state *st, const struct job_list *jobs, struct rows *r,
		       struct err *e)
{
	time_t now = time(NULL);

	for (size_t i = 0; i < jobs->n; i++) {
		const struct job *j = &jobs->jobs[i];

		if (!list_filter_job(&q->filter, j))
			continue;
		if (!q->steps)
			add_row(r, j, NULL, now);
		else if (add_steps(q, st, j, r, now, e) < 0)
			return -1;
	}
	if (!q->each_element && !q->steps)
		group_elements(r);
	if (r->n > 0)
		qsort_r(r->rows, r->n, sizeof(*r->rows), by_keys, (void *)q->sort);
	return 0;
}

/* One job that was asked for by its number must exist, even where it has ended. */
static int check_id(const struct squeue *q, struct state *st, struct err *e)
{
	struct err why = ERR_INIT;
	struct job j;

	if (q->filter.n_ids != 1)
		return 0;
	/* An array's number is that of its first element. */
	if (job_load(st, q->filter.ids[0].job, &j, &why) < 0)
		return why.code == ENOENT ? err_set(e, "Invalid job id specified") : err_set(e, "%s", why.msg);
	job_free(&j);
	return 0;
}

/* The time stamp above a list that is long, or one of several. */
static void add_date(struct strbuf *b)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[64];

	localtime_r(&now, &tm);
	strbuf_add(b, text, strftime(text, sizeof(text), "%a %b %d %H:%M:%S %Y\n", &tm));
}

static int print_rows(const struct squeue *q, const struct rows *r, struct err *e)
{
	struct squeue_columns columns;
	cleanup(strbuf) struct strbuf out = STRBUF_INIT;
	int rc = q->format_names ? squeue_columns_names(q->format_names, q->steps, &columns, e)
				 : squeue_columns_letters(q->format, q->steps, &columns, e);

	if (rc == 0 && !q->no_header && (q->long_format || q->iterate))
		add_date(&out);
	if (rc == 0 && !q->no_header)
		squeue_columns_line(&out, &columns, q->steps, NULL);
	for (size_t i = 0; rc == 0 && i < r->n; i++)
		squeue_columns_line(&out, &columns, q->steps, &r->rows[i]);
	squeue_columns_free(&columns);
	if (out.data)
		fputs(out.data, stdout);
	return rc;
}

static int print_json(const struct squeue *q, const struct job_list *jobs, struct err *e)
{
	struct json_object *a = json_object_new_array();

	for (size_t i = 0; i < jobs->n; i++) {
		if (list_filter_job(&q->filter, &jobs->jobs[i]))
			json_object_array_add(a, list_json_job(&jobs->jobs[i]));
	}
	return list_json_print(a, e);
}

static int show(const struct squeue *q, struct err *e)
{
	cleanup(state) struct state st = STATE_INIT;
	struct job_list jobs = { 0 };
	struct rows rows = { 0 };
	int rc;

	if (local_open(&st, e) < 0 || check_id(q, &st, e) < 0 || job_list_load(&st, q->all_jobs, &jobs, e) < 0)
		return -1;
	rc = q->json ? print_json(q, &jobs, e) : select_rows(q, &st, &jobs, &rows, e);
	if (rc == 0 && !q->json)
		rc = print_rows(q, &rows, e);
	rows_free(&rows);
	job_list_free(&jobs);
	return rc;
}

static int repeat(const struct squeue *q, struct err *e)
{
	for (;;) {
		if (show(q, e) < 0)
			return -1;
		if (fflush(stdout) != 0)
			return err_set(e, "the output could not be written");
		sleep(q->iterate);
		putchar('\n');
	}
}

int cmd_squeue(int argc, char **argv)
{
	struct squeue q = { 0 };
	struct err e = ERR_INIT;
	int rc = list_command_parse(&squeue_command, argc, argv, apply, operand, &q, &e);

	if (rc == 0 && !q.done) {
		set_defaults(&q);
		rc = q.iterate && !q.json ? repeat(&q, &e) : show(&q, &e);
	}
	if (rc == 0 && fflush(stdout) != 0)
		rc = err_sys(&e, errno, "the output could not be written");
	if (rc < 0)
		log_error("%s", e.msg);
	list_filter_free(&q.filter);
	return rc < 0 ? 1 : 0;
}
