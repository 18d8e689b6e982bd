/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/list.h"
#include "cli/list_json.h"
#include "cli/list_options.h"
#include "cli/sacct_fields.h"
#include "engine/local/local.h"

struct sacct {
	struct list_filter filter;
	const char *format, *start, *end, *delimiter;
	bool jobs_only, no_header, parsable, parsable2, json, truncate, done;
	bool states_given;
	time_t from, to, now;
};

enum {
	A_ACCOUNT = 1,
	A_ALLOCATIONS,
	A_BRIEF,
	A_DELIMITER,
	A_END,
	A_FORMAT,
	A_HELP,
	A_HELP_FORMAT,
	A_JOBS,
	A_JSON,
	A_LONG,
	A_NAME,
	A_NODELIST,
	A_NO_HEADER,
	A_PARSABLE,
	A_PARSABLE2,
	A_PARTITION,
	A_QOS,
	A_START,
	A_STATE,
	A_TRUNCATE,
	A_USAGE,
	A_USER,
	A_VERSION,
	A_WCKEY,
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
	{ YES("accounts", 'A', REQUIRED, "LIST", "jobs of these accounts"), A_ACCOUNT, NULL },
	{ RECORDED("allclusters", 'L', NO, NULL, "other clusters"), 0, NULL },
	{ YES("allocations", 'X', NO, NULL, "jobs without their steps"), A_ALLOCATIONS, NULL },
	{ RECORDED("allusers", 'a', NO, NULL, "jobs of all users"), 0, NULL },
	{ REFUSED("associations", 'x', REQUIRED, "LIST", "there are no associations"), 0, NULL },
	{ REFUSED("batch-script", 'B', NO, NULL, "scripts are not shown"), 0, NULL },
	{ YES("brief", 'b', NO, NULL, "the columns jobid, state, exitcode"), A_BRIEF, NULL },
	{ RECORDED("clusters", 'M', REQUIRED, "LIST", "other clusters"), 0, NULL },
	{ RECORDED("completion", 'c', NO, NULL, "from the completion log"), 0, NULL },
	{ REFUSED("constraints", 'C', REQUIRED, "LIST", "jobs are not chosen by constraints"), 0, NULL },
	{ YES("delimiter", 0, REQUIRED, "TEXT", "between the columns of -p and -P"), A_DELIMITER, NULL },
	{ RECORDED("duplicates", 'D', NO, NULL, "every job of a number"), 0, NULL },
	{ YES("endtime", 'E', REQUIRED, "TIME", "jobs before this time; default: now"), A_END, NULL },
	{ REFUSED("env-vars", 0, NO, NULL, "environments are not shown"), 0, NULL },
	{ RECORDED("federation", 0, NO, NULL, "other clusters"), 0, NULL },
	{ REFUSED("file", 'f', REQUIRED, "FILE", "there is no completion log"), 0, NULL },
	{ REFUSED("flags", 'F', REQUIRED, "LIST", "jobs have no flags"), 0, NULL },
	{ YES("format", 'o', REQUIRED, "LIST", "these columns, each with a width where wanted: jobid,state%20"),
	  A_FORMAT, "SACCT_FORMAT" },
	{ REFUSED("gid", 'g', REQUIRED, "LIST", "all jobs are of your group"), 0, NULL },
	{ REFUSED("group", 0, REQUIRED, "LIST", "all jobs are of your group"), 0, NULL },
	{ YES("help", 'h', NO, NULL, "show this"), A_HELP, NULL },
	{ YES("helpformat", 'e', NO, NULL, "the names of the columns"), A_HELP_FORMAT, NULL },
	{ YES("jobs", 'j', REQUIRED, "LIST", "these jobs or steps: 12,13_4,14.batch"), A_JOBS, NULL },
	{ YES("json", 0, OPTIONAL, "FORMAT", "everything, as JSON"), A_JSON, NULL },
	{ RECORDED("local", 0, NO, NULL, "this cluster alone"), 0, NULL },
	{ YES("long", 'l', NO, NULL, "more columns"), A_LONG, NULL },
	{ YES("name", 0, REQUIRED, "LIST", "jobs of these names"), A_NAME, NULL },
	{ REFUSED("ncpus", 'I', REQUIRED, "MIN[-MAX]", "jobs are not chosen by size"), 0, NULL },
	{ REFUSED("nnodes", 'i', REQUIRED, "MIN[-MAX]", "jobs are not chosen by size"), 0, NULL },
	{ RECORDED("noconvert", 0, NO, NULL, "units as they are"), 0, NULL },
	{ YES("nodelist", 'N', REQUIRED, "LIST", "jobs on these nodes"), A_NODELIST, NULL },
	{ YES("noheader", 'n', NO, NULL, "no titles"), A_NO_HEADER, NULL },
	{ YES("parsable", 'p', NO, NULL, "columns with | between, and at the end"), A_PARSABLE, NULL },
	{ YES("parsable2", 'P', NO, NULL, "columns with | between"), A_PARSABLE2, NULL },
	{ YES("partition", 'r', REQUIRED, "LIST", "jobs of these partitions"), A_PARTITION, NULL },
	{ YES("qos", 'q', REQUIRED, "LIST", "jobs of these qualities of service"), A_QOS, NULL },
	{ REFUSED("reason", 'R', REQUIRED, "LIST", "jobs are not chosen by reason"), 0, NULL },
	{ YES("starttime", 'S', REQUIRED, "TIME", "jobs after this time; default: today's midnight"), A_START, NULL },
	{ YES("state", 's', REQUIRED, "LIST", "jobs in these states"), A_STATE, NULL },
	{ REFUSED("timelimit-max", 'K', REQUIRED, "LIMIT", "jobs are not chosen by their time limit"), 0, NULL },
	{ REFUSED("timelimit-min", 'k', REQUIRED, "LIMIT", "jobs are not chosen by their time limit"), 0, NULL },
	{ YES("truncate", 'T', NO, NULL, "no start and no end outside of -S and -E"), A_TRUNCATE, NULL },
	{ YES("uid", 0, REQUIRED, "LIST", "the same as --user"), A_USER, NULL },
	{ RECORDED("units", 0, REQUIRED, "UNIT", "units of sizes"), 0, NULL },
	{ YES("usage", 0, NO, NULL, "show the usage in short"), A_USAGE, NULL },
	{ RECORDED("use-local-uid", 0, NO, NULL, "names of users from this host"), 0, NULL },
	{ YES("user", 'u', REQUIRED, "LIST", "jobs of these users"), A_USER, NULL },
	{ RECORDED("verbose", 'v', NO, NULL, "say more"), 0, NULL },
	{ YES("version", 'V', NO, NULL, "show the version"), A_VERSION, NULL },
	{ YES("wckeys", 'W', REQUIRED, "LIST", "jobs of these keys"), A_WCKEY, NULL },
	{ RECORDED("whole-hetjob", 0, OPTIONAL, "yes|no", "all parts of a heterogeneous job"), 0, NULL },
	{ REFUSED("yaml", 0, OPTIONAL, "FORMAT", "YAML is not written; --json is"), 0, NULL },
};

const struct list_command sacct_command = { "sacct", "[OPTION]...", options, sizeof(options) / sizeof(options[0]),
					    true };

static const char default_format[] = "jobid,jobname,partition,account,alloccpus,state,exitcode";
static const char brief_format[] = "jobid,state,exitcode";
static const char long_format[] = "jobid,jobidraw,jobname,partition,ntasks,alloccpus,elapsed,state,exitcode,reqmem,"
				  "nodelist,start,end,timelimit,container";

static int apply_filter(struct sacct *a, int id, const char *value, struct err *e)
{
	struct list_filter *f = &a->filter;

	switch (id) {
	case A_ACCOUNT:
		list_filter_add(&f->accounts, value);
		break;
	case A_JOBS:
		return list_filter_ids(f, value, e);
	case A_NAME:
		list_filter_add(&f->names, value);
		break;
	case A_NODELIST:
		list_filter_add(&f->nodes, value);
		break;
	case A_PARTITION:
		list_filter_add(&f->partitions, value);
		break;
	case A_QOS:
		list_filter_add(&f->qos, value);
		break;
	case A_STATE:
		a->states_given = true;
		return list_filter_states(f, value, e);
	case A_WCKEY:
		list_filter_add(&f->wckeys, value);
		break;
	case A_USER:
		return list_filter_users(f, value, e);
	}
	return 0;
}

static int apply(void *arg, int id, const char *value, struct err *e)
{
	struct sacct *a = arg;

	switch (id) {
	case A_ALLOCATIONS:
		a->jobs_only = true;
		break;
	case A_BRIEF:
		a->format = brief_format;
		break;
	case A_DELIMITER:
		a->delimiter = value;
		break;
	case A_END:
		a->end = value;
		break;
	case A_FORMAT:
		a->format = value;
		break;
	case A_HELP:
	case A_USAGE:
	case A_VERSION:
		list_command_info(&sacct_command, id == A_HELP, id == A_VERSION);
		a->done = true;
		break;
	case A_HELP_FORMAT:
		sacct_fields_print(stdout);
		a->done = true;
		break;
	case A_JSON:
		a->json = true;
		break;
	case A_LONG:
		a->format = long_format;
		break;
	case A_NO_HEADER:
		a->no_header = true;
		break;
	case A_PARSABLE:
		a->parsable = true;
		break;
	case A_PARSABLE2:
		a->parsable2 = true;
		break;
	case A_START:
		a->start = value;
		break;
	case A_TRUNCATE:
		a->truncate = true;
		break;
	default:
		return apply_filter(a, id, value, e);
	}
	return 0;
}

static int operand(void *arg, const char *word, struct err *e)
{
	return err_set(e, "'%.64s' is no option", word);
}

/* sacct(1), "DEFAULT TIME WINDOW" */
static int set_window(struct sacct *a, struct err *e)
{
	a->now = time(NULL);
	a->to = a->now;
	if (a->end && spec_moment(a->end, a->now, true, &a->to, e) < 0)
		return err_wrap(e, "--endtime");
	if (a->start)
		return spec_moment(a->start, a->now, true, &a->from, e) < 0 ? err_wrap(e, "--starttime") : 0;
	if (a->filter.n_ids > 0)
		a->from = 0;
	else if (a->states_given)
		a->from = a->to;
	else if (spec_moment("today", a->now, true, &a->from, e) < 0)
		return -1;
	return 0;
}

static bool in_window(const struct sacct *a, const struct job *j)
{
	return j->submit <= a->to && (j->end == 0 || j->end >= a->from);
}

static bool step_wanted(const struct sacct *a, const struct job *j, uint32_t step)
{
	for (size_t i = 0; i < a->filter.n_ids; i++) {
		uint32_t named = list_step_number(&a->filter.ids[i]);

		if (list_id_is(&a->filter.ids[i], j) && (named == STEP_NONE || named == step))
			return true;
	}
	return a->filter.n_ids == 0;
}

static void clip(time_t *t, time_t from, time_t to)
{
	if (*t != 0 && *t < from)
		*t = from;
	if (*t > to)
		*t = to;
}

static void add_job(const struct sacct *a, struct job *j, const struct step_list *steps,
		    const struct sacct_columns *columns, struct strbuf *out)
{
	struct list_row row = { .job = j, .now = a->now, .accounting = true };

	if (a->truncate) {
		clip(&j->start, a->from, a->to);
		clip(&j->end, a->from, a->to);
	}
	if (step_wanted(a, j, STEP_NONE))
		sacct_columns_row(out, columns, &row);
	for (size_t i = 0; i < steps->n; i++) {
		row.step = &steps->steps[i];
		if (step_wanted(a, j, row.step->id))
			sacct_columns_row(out, columns, &row);
	}
}

static int show_jobs(const struct sacct *a, struct state *st, struct job_list *jobs, struct json_object *json,
		     struct err *e)
{
	struct sacct_columns columns = { .delimiter = a->parsable || a->parsable2 ? a->delimiter : NULL,
					 .trailing = a->parsable };
	cleanup(strbuf) struct strbuf out = STRBUF_INIT;
	int rc = sacct_columns_add(&columns, a->format, e);

	if (rc == 0 && !a->no_header && !json)
		sacct_columns_titles(&out, &columns);
	for (size_t i = 0; rc == 0 && i < jobs->n; i++) {
		struct job *j = &jobs->jobs[i];
		struct step_list steps = { 0 };

		if (!list_filter_job(&a->filter, j) || !in_window(a, j))
			continue;
		if (!a->jobs_only)
			rc = step_list_load(st, j->id, &steps, e);
		if (rc == 0 && json)
			json_object_array_add(json, list_json_account(j, &steps));
		else if (rc == 0)
			add_job(a, j, &steps, &columns, &out);
		step_list_free(&steps);
	}
	sacct_columns_free(&columns);
	if (rc == 0 && out.data)
		fputs(out.data, stdout);
	return rc;
}

static int show(struct sacct *a, struct err *e)
{
	cleanup(state) struct state st = STATE_INIT;
	struct json_object *json = NULL;
	struct job_list jobs;
	int rc;

	if (!a->format)
		a->format = default_format;
	if (!a->delimiter)
		a->delimiter = "|";
	a->filter.any_state = a->filter.any_state || !a->states_given;
	if (set_window(a, e) < 0 || local_open(&st, e) < 0 || job_list_load(&st, true, &jobs, e) < 0)
		return -1;
	if (a->json)
		json = json_object_new_array();
	rc = show_jobs(a, &st, &jobs, json, e);
	job_list_free(&jobs);
	if (!json)
		return rc;
	if (rc == 0)
		return list_json_print(json, e);
	json_object_put(json);
	return rc;
}

int cmd_sacct(int argc, char **argv)
{
	struct sacct a = { 0 };
	struct err e = ERR_INIT;
	int rc = list_command_parse(&sacct_command, argc, argv, apply, operand, &a, &e);

	if (rc == 0 && !a.done)
		rc = show(&a, &e);
	if (rc == 0 && fflush(stdout) != 0)
		rc = err_sys(&e, errno, "the output could not be written");
	if (rc < 0)
		log_error("%s", e.msg);
	list_filter_free(&a.filter);
	return rc < 0 ? 1 : 0;
}
