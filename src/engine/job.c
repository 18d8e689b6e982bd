/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/job.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

static const struct {
	const char *name, *compact;
	bool ended;
} states[JOB_STATES] = {
	[JOB_PENDING] = { "PENDING", "PD", false },    [JOB_RUNNING] = { "RUNNING", "R", false },
	[JOB_SUSPENDED] = { "SUSPENDED", "S", false }, [JOB_COMPLETING] = { "COMPLETING", "CG", false },
	[JOB_COMPLETED] = { "COMPLETED", "CD", true }, [JOB_CANCELLED] = { "CANCELLED", "CA", true },
	[JOB_FAILED] = { "FAILED", "F", true },	       [JOB_TIMEOUT] = { "TIMEOUT", "TO", true },
	[JOB_NODE_FAIL] = { "NODE_FAIL", "NF", true },
};

static const char *const reasons[JOB_REASONS] = {
	[REASON_NONE] = "None",
	[REASON_RESOURCES] = "Resources",
	[REASON_PRIORITY] = "Priority",
	[REASON_DEPENDENCY] = "Dependency",
	[REASON_DEPENDENCY_NEVER] = "DependencyNeverSatisfied",
	[REASON_BEGIN_TIME] = "BeginTime",
	[REASON_HELD_USER] = "JobHeldUser",
	[REASON_ARRAY_LIMIT] = "JobArrayTaskLimit",
	[REASON_NONZERO_EXIT] = "NonZeroExitCode",
	[REASON_SIGNALED] = "RaisedSignal",
	[REASON_TIME_LIMIT] = "TimeLimit",
	[REASON_NODE_DOWN] = "NodeDown",
	[REASON_LAUNCH] = "JobLaunchFailure",
};

const char *job_state_name(enum job_state s, bool compact)
{
	return compact ? states[s].compact : states[s].name;
}

int job_state_parse(const char *name, enum job_state *out, struct err *e)
{
	for (int i = 0; i < JOB_STATES; i++) {
		if (strcasecmp(name, states[i].name) == 0 || strcasecmp(name, states[i].compact) == 0) {
			*out = (enum job_state)i;
			return 0;
		}
	}
	return err_set(e, "'%.32s' is not a job state", name);
}

bool job_state_ended(enum job_state s)
{
	return states[s].ended;
}

const char *job_reason_name(enum job_reason r)
{
	return reasons[r];
}

char *job_id_text(const struct job *j, uint32_t step)
{
	struct strbuf b = STRBUF_INIT;

	if (j->array_task != ARRAY_NONE)
		strbuf_addf(&b, "%" PRIu32 "_%" PRIu32, j->array_job, j->array_task);
	else
		strbuf_addf(&b, "%" PRIu32, j->id);
	if (step == STEP_BATCH)
		strbuf_adds(&b, ".batch");
	else if (step == STEP_INTERACTIVE)
		strbuf_adds(&b, ".interactive");
	else if (step != STEP_NONE)
		strbuf_addf(&b, ".%" PRIu32, step);
	return strbuf_take(&b);
}

void job_init(struct job *j)
{
	*j = (struct job){ .array_task = ARRAY_NONE, .ntasks = 1, .cpus_per_task = 1, .cpus = 1, .umask = 022 };
}

void job_free(struct job *j)
{
	char *own[] = { j->name,     j->account,    j->partition,    j->qos,	     j->comment,  j->reservation,
			j->wckey,    j->user,	    j->group,	     j->node,	     j->cpu_list, j->dependency,
			j->work_dir, j->submit_dir, j->command,	     j->submit_line, j->std_in,	  j->std_out,
			j->std_err,  j->container,  j->container_id, j->mark };

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		free(own[i]);
	strv_free(j->recorded);
	job_init(j);
}

void step_init(struct step *s)
{
	*s = (struct step){ .ntasks = 1, .cpus_per_task = 1 };
}

void step_free(struct step *s)
{
	char *own[] = { s->name,   s->cpu_list, s->container, s->container_id, s->spool,
			s->std_in, s->std_out,	s->std_err,   s->work_dir,     s->submit_line };

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		free(own[i]);
	free(s->tasks);
	step_init(s);
}
