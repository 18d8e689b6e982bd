/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/taskenv.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/str.h"
#include "engine/local/cpus.h"

static void set_u32(char ***env, const char *name, uint32_t value)
{
	env_setf(env, name, "%" PRIu32, value);
}

static uint32_t cpu_count(const char *list)
{
	cpu_set_t set;

	return list && cpus_parse(list, &set, NULL) == 0 ? (uint32_t)CPU_COUNT(&set) : 1;
}

static void set_optional(char ***env, const char *name, const char *value)
{
	if (value)
		env_set(env, name, value);
	else
		env_unset(env, name);
}

static void array_env(char ***env, const struct job *j)
{
	static const char *const names[] = { "SLURM_ARRAY_JOB_ID",   "SLURM_ARRAY_TASK_ID",  "SLURM_ARRAY_TASK_COUNT",
					     "SLURM_ARRAY_TASK_MAX", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP" };
	const uint32_t values[] = { j->array_job, j->array_task, j->array_count,
				    j->array_max, j->array_min,	 j->array_step };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (j->array_task == ARRAY_NONE)
			env_unset(env, names[i]);
		else
			set_u32(env, names[i], values[i]);
	}
}

void taskenv_job(char ***env, const struct job *j)
{
	uint32_t cpus = cpu_count(j->cpu_list);
	char host[65] = "";

	gethostname(host, sizeof(host) - 1);
	env_set(env, "SLURM_CLUSTER_NAME", "berth");
	set_u32(env, "SLURM_JOB_ID", j->id);
	set_u32(env, "SLURM_JOBID", j->id);
	set_u32(env, "SLURM_JOB_NUM_NODES", 1);
	set_u32(env, "SLURM_NNODES", 1);
	set_optional(env, "SLURM_JOB_NODELIST", j->node);
	set_optional(env, "SLURM_NODELIST", j->node);
	set_u32(env, "SLURM_JOB_CPUS_PER_NODE", cpus);
	set_u32(env, "SLURM_CPUS_ON_NODE", cpus);
	set_optional(env, "SLURM_JOB_NAME", j->name);
	set_optional(env, "SLURM_JOB_USER", j->user);
	set_u32(env, "SLURM_JOB_UID", j->uid);
	set_u32(env, "SLURM_JOB_GID", j->gid);
	set_optional(env, "SLURM_JOB_ACCOUNT", j->account);
	set_optional(env, "SLURM_JOB_QOS", j->qos);
	env_set(env, "SLURM_JOB_PARTITION", j->partition ? j->partition : "local");
	set_optional(env, "SLURM_SUBMIT_DIR", j->submit_dir);
	if (!env_get(*env, "SLURM_SUBMIT_HOST"))
		env_set(env, "SLURM_SUBMIT_HOST", host);
	if (j->mem)
		env_setf(env, "SLURM_MEM_PER_NODE", "%" PRIu64, j->mem >> 20);
	if (j->time_limit)
		env_setf(env, "SLURM_JOB_END_TIME", "%lld", (long long)j->start + j->time_limit);
	env_setf(env, "SLURM_JOB_START_TIME", "%lld", (long long)j->start);
	array_env(env, j);
	if (j->mark)
		env_put(env, j->mark);
}

void taskenv_allocation(char ***env, const struct job *j)
{
	taskenv_job(env, j);
	set_u32(env, "SLURM_NTASKS", j->ntasks);
	set_u32(env, "SLURM_NPROCS", j->ntasks);
	set_u32(env, "SLURM_TASKS_PER_NODE", j->ntasks);
	if (j->cpus_per_task_set)
		set_u32(env, "SLURM_CPUS_PER_TASK", j->cpus_per_task);
	env_unset(env, "SLURM_STEP_ID");
	env_unset(env, "SLURM_STEPID");
}

void taskenv_step(char ***env, const struct job *j, const struct step *s, const struct engine_step *spec)
{
	taskenv_job(env, j);
	set_u32(env, "SLURM_NODEID", 0);
	set_optional(env, "SLURMD_NODENAME", j->node);
	set_optional(env, "SLURM_CONTAINER", s->container);
	set_optional(env, "SLURM_CONTAINER_ID", s->container_id);
	if (s->id == STEP_BATCH || s->id == STEP_INTERACTIVE) {
		taskenv_allocation(env, j);
		return;
	}
	set_u32(env, "SLURM_STEP_ID", s->id);
	set_u32(env, "SLURM_STEPID", s->id);
	set_optional(env, "SLURM_STEP_NODELIST", j->node);
	set_u32(env, "SLURM_STEP_NUM_NODES", 1);
	set_u32(env, "SLURM_STEP_NUM_TASKS", s->ntasks);
	set_u32(env, "SLURM_STEP_TASKS_PER_NODE", s->ntasks);
	set_u32(env, "SLURM_NTASKS", s->ntasks);
	set_u32(env, "SLURM_NPROCS", s->ntasks);
	set_u32(env, "SLURM_TASKS_PER_NODE", s->ntasks);
	set_u32(env, "SLURM_CPUS_ON_NODE", cpu_count(s->cpu_list));
	if (spec->cpus_per_task_set)
		set_u32(env, "SLURM_CPUS_PER_TASK", s->cpus_per_task);
	else
		env_unset(env, "SLURM_CPUS_PER_TASK");
}

void taskenv_task(char ***env, uint32_t task, uint32_t ntasks)
{
	struct strbuf gtids = STRBUF_INIT;
	cleanup(free) char *text = NULL;

	set_u32(env, "SLURM_PROCID", task);
	set_u32(env, "SLURM_LOCALID", task);
	for (uint32_t i = 0; i < ntasks; i++)
		strbuf_addf(&gtids, i ? ",%" PRIu32 : "%" PRIu32, i);
	text = strbuf_take(&gtids);
	env_set(env, "SLURM_GTIDS", text);
}
