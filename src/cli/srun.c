/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/launch.h"
#include "cli/opts.h"
#include "engine/local/local.h"

struct srun {
	struct opts o;
	struct engine *en;
	struct job job;
	bool attached; /* the job is not ours: the step runs in a job that exists */
	char *container;
};

/* True where the environment comes from a job of this engine, not from some other Slurm. */
static bool env_is_of(const struct job *j)
{
	const char *mark = getenv("BERTH_MARK");

	return mark && j->mark && str_starts(j->mark, "BERTH_MARK=") && strcmp(j->mark + 11, mark) == 0;
}

/* The job that --jobid or SLURM_JOB_ID names. 1: the step runs in it, 0: the job has to be made. */
static int find_job(struct srun *s, struct err *e)
{
	bool asked = s->o.origin[OPT_JOBID] == OPTS_COMMAND_LINE;
	struct err why = ERR_INIT;

	if (!s->o.jobid)
		return 0;
	if (s->en->ops->describe(s->en, s->o.jobid, &s->job, &why) < 0) {
		/* A variable of somebody else's workload manager means nothing here. */
		if (!asked && why.code == ESRCH && !getenv("BERTH_MARK"))
			return 0;
		return err_set(e, "Unable to confirm allocation for job %" PRIu32 ": %s", s->o.jobid, why.msg);
	}
	if (!asked && !env_is_of(&s->job)) {
		job_free(&s->job);
		if (!getenv("BERTH_MARK"))
			return 0;
		return err_set(e, "Unable to confirm allocation for job %" PRIu32 ": Invalid job id specified",
			       s->o.jobid);
	}
	if (job_state_ended(s->job.state))
		return err_set(
			e, "Unable to confirm allocation for job %" PRIu32 ": Job/step already completing or completed",
			s->o.jobid);
	if (s->job.state != JOB_RUNNING)
		return err_set(e, "Unable to confirm allocation for job %" PRIu32 ": Job is pending execution",
			       s->o.jobid);
	return 1;
}

/*
 * SLURM_CONTAINER asks for a container, as --container does, except where it only tells which one the batch script,
 * the interactive shell or the step that we are started from is in: that one is not inherited.
 */
static bool only_informs(const struct srun *s, const char *value)
{
	const char *step = getenv("SLURM_STEP_ID");
	struct step outer;
	uint32_t id;
	bool same;

	if (!s->attached || !env_is_of(&s->job))
		return false;
	if (s->job.container && strcmp(value, s->job.container) == 0)
		return true;
	if (!step || parse_u32(step, 0, UINT32_MAX, &id, NULL) < 0 ||
	    step_load(local_state(s->en), s->job.id, id, &outer, NULL) < 0)
		return false;
	same = outer.container && strcmp(value, outer.container) == 0;
	step_free(&outer);
	return same;
}

static void choose_container(struct srun *s)
{
	const char *variable = getenv("SLURM_CONTAINER");

	s->container = launch_container(s->o.container);
	if (!s->container && variable && *variable && !only_informs(s, variable))
		s->container = launch_container(variable);
}

static void fill_step(const struct srun *s, struct engine_step *step)
{
	const struct opts *o = &s->o;

	step->argv = o->argv;
	step->name = o->job_name;
	step->container = s->container;
	step->container_id = s->container ? o->container_id : NULL;
	step->ntasks = o->ntasks;
	step->cpus_per_task = o->cpus_per_task;
	step->cpus_per_task_set = opts_given(o, OPT_CPUS_PER_TASK);
	step->overlap = o->overlap;
	/* As Slurm: who says how many CPUs a task needs gets no more than that. */
	step->exact = o->exact || o->exclusive || (s->attached && step->cpus_per_task_set);
	step->overcommit = o->overcommit;
	step->no_bind = !o->bind;
	step->id = STEP_NONE;
	step->pty = o->pty;
	step->label = o->label;
	step->unbuffered = o->unbuffered;
	step->append = o->open_mode == OPEN_MODE_APPEND;
	step->quiet = o->quiet > 0;
	step->verbose = (uint32_t)o->verbose;
	step->disable_status = o->disable_status;
	step->quit_on_interrupt = o->quit_on_interrupt;
	step->kill_on_bad_exit = o->kill_on_bad_exit;
	step->wait = o->wait;
	step->immediate = o->immediate > 0 ? (uint32_t)o->immediate : 0;
	step->time_limit = s->attached && o->time_limit != SPEC_UNLIMITED ? o->time_limit : 0;
	launch_stream(o->input, o->ntasks, &step->in);
	launch_stream(o->output, o->ntasks, &step->out);
	launch_stream(o->error, o->ntasks, &step->err);
	step->err_to_out = !o->error;
}

static int run(struct srun *s, int argc, char **argv, struct exit_status *status, struct err *e)
{
	cleanup(strv) char **env = spec_export_apply(&s->o.export, environ), **names = launch_explicit(&s->o);
	cleanup(free) char *dir = launch_work_dir(&s->o), *line = launch_line(argc, argv);
	struct engine_step step = { .env = env, .explicit_env = names, .work_dir = dir, .submit_line = line };
	int r = launch_check_dir(dir, e);

	fill_step(s, &step);
	if (s->o.export_text)
		env_set(&env, "SLURM_EXPORT_ENV", s->o.export_text);
	step.env = env;
	if (r == 0)
		r = s->en->ops->run_step(s->en, &s->job, &step, status, e);
	if (!s->attached) {
		struct exit_status failed = { .code = 1 };
		struct err why = ERR_INIT;

		if (s->en->ops->release(s->en, &s->job, r < 0 ? &failed : status, &why) < 0)
			log_error("%s", why.msg);
	}
	return r;
}

static int get_job(struct srun *s, int argc, char **argv, struct err *e)
{
	struct engine_wait wait = { .quiet = s->o.quiet > 0,
				    .immediate = s->o.immediate > 0 ? (uint32_t)s->o.immediate : 0 };
	int found = find_job(s, e);

	if (found < 0)
		return -1;
	s->attached = found;
	choose_container(s);
	if (s->o.argc == 0 && !s->container)
		return err_set(e, "fatal: No command given to execute.");
	if (s->attached)
		return 0;
	if (launch_job(&s->o, JOB_SRUN, argc, argv, s->o.argc ? s->o.argv[0] : "container", &s->job, e) < 0)
		return -1;
	free(s->job.container);
	s->job.container = s->container ? xstrdup(s->container) : NULL;
	if (s->en->ops->allocate(s->en, &s->job, &wait, e) == 0)
		return 0;
	return err_wrap(e, "Unable to allocate resources");
}

static int test_only(struct srun *s, int argc, char **argv, struct err *e)
{
	if (launch_job(&s->o, JOB_SRUN, argc, argv, s->o.argc ? s->o.argv[0] : "container", &s->job, e) < 0)
		return -1;
	return launch_test_only("srun", &s->job);
}

int cmd_srun(int argc, char **argv)
{
	struct srun s = { .en = NULL };
	struct exit_status status = { .code = 1 };
	struct err e = ERR_INIT;
	int r = opts_parse(OPTS_SRUN, argc, argv, environ, &s.o, &e);

	job_init(&s.job);
	if (r == 0 && s.o.done) {
		opts_free(&s.o);
		return 0;
	}
	if (r == 0 && s.o.quiet)
		log_set_stderr(LOG_LEVEL_ERROR);
	else if (r == 0 && s.o.verbose)
		log_set_stderr(s.o.verbose > 1 ? LOG_LEVEL_DEBUG : LOG_LEVEL_VERBOSE);
	if (r == 0 && s.o.test_only) {
		r = test_only(&s, argc, argv, &e);
		status.code = r;
	} else if (r == 0) {
		r = engine_open_local(&s.en, &e);
		if (r == 0)
			r = get_job(&s, argc, argv, &e);
		if (r == 0)
			r = run(&s, argc, argv, &status, &e);
	}
	if (r < 0)
		log_error("%s", e.msg);
	engine_close(s.en);
	job_free(&s.job);
	free(s.container);
	opts_free(&s.o);
	return r < 0 ? launch_failed() : status.code;
}
