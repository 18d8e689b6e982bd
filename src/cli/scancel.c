/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/commands.h"
#include "cli/list.h"
#include "cli/list_options.h"
#include "engine/local/local.h"

struct scancel {
	struct list_filter filter; /* without the ids, which are below */
	struct list_filter ids;
	char **id_texts;
	int sig; /* 0: end the job */
	bool batch, full, interactive, quiet, filtered, states_given, done;
	int verbose;
};

enum {
	C_ACCOUNT = 1,
	C_BATCH,
	C_FULL,
	C_HELP,
	C_INTERACTIVE,
	C_ME,
	C_NAME,
	C_NODELIST,
	C_PARTITION,
	C_QOS,
	C_QUIET,
	C_RESERVATION,
	C_SIGNAL,
	C_STATE,
	C_USAGE,
	C_USER,
	C_VERBOSE,
	C_VERSION,
	C_WCKEY,
};

#define YES(name, letter, arg, arg_name, help)                             \
	{                                                                  \
		name, letter, OPT_ARG_##arg, arg_name, help, OPT_SUPPORTED \
	}
#define REFUSED(name, letter, arg, arg_name, help)                       \
	{                                                                \
		name, letter, OPT_ARG_##arg, arg_name, help, OPT_REFUSED \
	}
#define RECORDED(name, letter, arg, arg_name, help)                       \
	{                                                                 \
		name, letter, OPT_ARG_##arg, arg_name, help, OPT_RECORDED \
	}

static const struct list_option options[] = {
	{ YES("account", 'A', REQUIRED, "ACCOUNT", "jobs of this account"), C_ACCOUNT, "SCANCEL_ACCOUNT" },
	{ YES("batch", 'b', NO, NULL, "signal the batch shell alone"), C_BATCH, "SCANCEL_BATCH" },
	{ RECORDED("clusters", 'M', REQUIRED, "LIST", "other clusters"), 0, NULL },
	{ RECORDED("ctld", 0, NO, NULL, "through Slurm's controller"), 0, NULL },
	{ YES("full", 'f', NO, NULL, "signal the batch shell, its children and the steps"), C_FULL, "SCANCEL_FULL" },
	{ YES("help", 0, NO, NULL, "show this"), C_HELP, NULL },
	{ RECORDED("hurry", 'H', NO, NULL, "leave burst buffers as they are"), 0, NULL },
	{ YES("interactive", 'i', NO, NULL, "ask before each"), C_INTERACTIVE, "SCANCEL_INTERACTIVE" },
	{ YES("jobname", 'n', REQUIRED, "NAME", "jobs of this name"), C_NAME, "SCANCEL_NAME" },
	{ YES("me", 0, NO, NULL, "my jobs (there are no others)"), C_ME, NULL },
	{ YES("name", 0, REQUIRED, "NAME", "the same as --jobname"), C_NAME, NULL },
	{ YES("nodelist", 'w', REQUIRED, "LIST", "jobs on these nodes"), C_NODELIST, NULL },
	{ YES("partition", 'p', REQUIRED, "NAME", "jobs of this partition"), C_PARTITION, "SCANCEL_PARTITION" },
	{ YES("qos", 'q', REQUIRED, "NAME", "jobs of this quality of service"), C_QOS, "SCANCEL_QOS" },
	{ YES("quiet", 'Q', NO, NULL, "nothing of jobs that have ended, not with -v either"), C_QUIET, NULL },
	{ YES("reservation", 'R', REQUIRED, "NAME", "jobs of this reservation"), C_RESERVATION, NULL },
	{ REFUSED("sibling", 0, REQUIRED, "CLUSTER", "there are no federated jobs"), 0, NULL },
	{ YES("signal", 's', REQUIRED, "SIGNAL", "send this signal; the job goes on if it can"), C_SIGNAL, NULL },
	{ YES("state", 't', REQUIRED, "STATE", "jobs that are pending, running or suspended"), C_STATE,
	  "SCANCEL_STATE" },
	{ YES("usage", 0, NO, NULL, "show the usage in short"), C_USAGE, NULL },
	{ YES("user", 'u', REQUIRED, "USER", "jobs of this user"), C_USER, "SCANCEL_USER" },
	{ YES("verbose", 'v', NO, NULL, "say what is done"), C_VERBOSE, "SCANCEL_VERBOSE" },
	{ YES("version", 'V', NO, NULL, "show the version"), C_VERSION, NULL },
	{ YES("wckey", 0, REQUIRED, "KEY", "jobs of this key"), C_WCKEY, "SCANCEL_WCKEY" },
};

const struct list_command scancel_command = { "scancel", "[OPTION]... [JOB[_ELEMENT][.STEP]]...", options,
					      sizeof(options) / sizeof(options[0]), true };

static int set_state(struct scancel *c, const char *value, struct err *e)
{
	enum job_state s;

	if (job_state_parse(value, &s, e) < 0)
		return -1;
	if (job_state_ended(s))
		return err_set(e, "'%s': only jobs that have not ended can be cancelled", value);
	c->filter.states[s] = true;
	c->states_given = true;
	return 0;
}

static int apply_filter(struct scancel *c, int id, const char *value, struct err *e)
{
	struct list_filter *f = &c->filter;
	char uid[16];

	c->filtered = true;
	switch (id) {
	case C_ACCOUNT:
		list_filter_add(&f->accounts, value);
		break;
	case C_ME:
		snprintf(uid, sizeof(uid), "%u", getuid());
		strv_push(&f->users, uid);
		break;
	case C_NAME:
		strv_push(&f->names, value);
		break;
	case C_NODELIST:
		list_filter_add(&f->nodes, value);
		break;
	case C_PARTITION:
		list_filter_add(&f->partitions, value);
		break;
	case C_QOS:
		list_filter_add(&f->qos, value);
		break;
	case C_RESERVATION:
		list_filter_add(&f->reservations, value);
		break;
	case C_STATE:
		return set_state(c, value, e);
	case C_WCKEY:
		list_filter_add(&f->wckeys, value);
		break;
	case C_USER:
		return list_filter_users(f, value, e);
	}
	return 0;
}

static int apply(void *arg, int id, const char *value, struct err *e)
{
	struct scancel *c = arg;

	switch (id) {
	case C_BATCH:
		c->batch = true;
		break;
	case C_FULL:
		c->full = true;
		break;
	case C_HELP:
	case C_USAGE:
	case C_VERSION:
		list_command_info(&scancel_command, id == C_HELP, id == C_VERSION);
		c->done = true;
		break;
	case C_INTERACTIVE:
		c->interactive = true;
		break;
	case C_QUIET:
		c->quiet = true;
		break;
	case C_SIGNAL:
		return parse_signal(value, &c->sig, e);
	case C_VERBOSE:
		c->verbose++;
		break;
	default:
		return apply_filter(c, id, value, e);
	}
	return 0;
}

static int operand(void *arg, const char *word, struct err *e)
{
	struct scancel *c = arg;
	size_t before = c->ids.n_ids;

	if (list_filter_ids(&c->ids, word, e) < 0)
		return -1;
	for (size_t i = before; i < c->ids.n_ids; i++)
		strv_push(&c->id_texts, word);
	return 0;
}

/* "12, 12_3.0" as people read it. The caller frees it. */
static char *name_of(const struct job *j, uint32_t step)
{
	return job_id_text(j, step);
}

static bool confirmed(const struct job *j, uint32_t step)
{
	cleanup(free) char *id = name_of(j, step);
	char answer[16];

	for (;;) {
		printf("%s %s name=%s partition=%s [y/n]? ",
		       step == STEP_NONE ? "Cancel job_id=" : "Cancel step_id=", id, j->name ? j->name : "",
		       j->partition ? j->partition : "local");
		fflush(stdout);
		if (!fgets(answer, sizeof(answer), stdin))
			return false;
		if (*answer == 'y' || *answer == 'Y')
			return true;
		if (*answer == 'n' || *answer == 'N')
			return false;
	}
}

static int end_or_signal(const struct scancel *c, struct state *st, const struct job *j, uint32_t step, struct err *e)
{
	/* The batch shell without a signal is killed; its children stay. */
	int sig = c->sig == 0 && c->batch && !c->full && step == STEP_NONE ? SIGKILL : c->sig;

	if (sig == 0)
		return local_cancel(st, j->id, step, e);
	if (step != STEP_NONE)
		return local_signal(st, j->id, SIGNAL_STEP, step, sig, e);
	return local_signal(st, j->id,
			    c->full    ? SIGNAL_FULL
			    : c->batch ? SIGNAL_BATCH
				       : SIGNAL_STEPS,
			    STEP_NONE, sig, e);
}

/* The exit status. What has ended already is as it was wanted, so only -v speaks of it. */
static int failed(const struct scancel *c, const char *id, bool ended, const char *why)
{
	if (!ended || (c->verbose > 0 && !c->quiet))
		log_error("Kill job error on job id %s: %s", id, why);
	return !ended;
}

/* The exit status; says what went wrong. */
static int cancel_one(const struct scancel *c, struct state *st, const struct job *j, uint32_t step)
{
	cleanup(free) char *id = name_of(j, step);
	struct err e = ERR_INIT;
	char name[16];

	if (c->interactive && !confirmed(j, step))
		return 0;
	if (c->verbose > 0 && c->sig)
		log_info("Signal %s to %s %s", signal_name(c->sig, name), step == STEP_NONE ? "job" : "step", id);
	else if (c->verbose > 0)
		log_info("Terminating %s %s", step == STEP_NONE ? "job" : "step", id);
	if (end_or_signal(c, st, j, step, &e) == 0)
		return 0;
	return failed(c, id, e.code == EALREADY, e.msg);
}

static int not_found(const struct scancel *c, struct state *st, const struct spec_jobid *id, const char *text)
{
	struct job j;

	/* An array's number is that of its first element. */
	if (job_load(st, id->job, &j, NULL) < 0)
		return failed(c, text, false, "Invalid job id specified");
	job_free(&j);
	return failed(c, text, true, "Job/step already completing or completed");
}

static int cancel_ids(const struct scancel *c, struct state *st, const struct job_list *jobs)
{
	int status = 0;

	for (size_t i = 0; i < c->ids.n_ids; i++) {
		bool found = false;

		for (size_t k = 0; k < jobs->n; k++) {
			if (!list_id_is(&c->ids.ids[i], &jobs->jobs[k]))
				continue;
			found = true;
			if (list_filter_job(&c->filter, &jobs->jobs[k]))
				status |= cancel_one(c, st, &jobs->jobs[k], list_step_number(&c->ids.ids[i]));
		}
		if (!found)
			status |= not_found(c, st, &c->ids.ids[i], c->id_texts[i]);
	}
	return status;
}

static int cancel_all(const struct scancel *c, struct state *st, const struct job_list *jobs)
{
	int status = 0;

	for (size_t k = 0; k < jobs->n; k++) {
		if (list_filter_job(&c->filter, &jobs->jobs[k]))
			status |= cancel_one(c, st, &jobs->jobs[k], STEP_NONE);
	}
	return status;
}

/* The exit status, or -1. */
static int cancel(struct scancel *c, struct err *e)
{
	cleanup(state) struct state st = STATE_INIT;
	struct job_list jobs;
	int status;

	if (c->ids.n_ids == 0 && !c->filtered)
		return err_set(e, "No job identification provided");
	c->filter.any_state = !c->states_given;
	if (local_open(&st, e) < 0 || job_list_load(&st, false, &jobs, e) < 0)
		return -1;
	status = c->ids.n_ids > 0 ? cancel_ids(c, &st, &jobs) : cancel_all(c, &st, &jobs);
	job_list_free(&jobs);
	return status;
}

int cmd_scancel(int argc, char **argv)
{
	struct scancel c = { 0 };
	struct err e = ERR_INIT;
	int rc = list_command_parse(&scancel_command, argc, argv, apply, operand, &c, &e);

	if (rc == 0 && !c.done)
		rc = cancel(&c, &e);
	if (rc < 0)
		log_error("%s", e.msg);
	list_filter_free(&c.filter);
	list_filter_free(&c.ids);
	strv_free(c.id_texts);
	return rc != 0 ? 1 : 0;
}
