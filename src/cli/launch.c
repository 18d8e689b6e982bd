/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/launch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/local/queue.h"

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

char *launch_work_dir(const struct opts *o)
{
	return path_absolute(o->chdir ? o->chdir : ".");
}

int launch_check_dir(const char *work_dir, struct err *e)
{
	return *work_dir == '/' ? 0 : err_set(e, "the working directory no longer exists; --chdir names another");
}

char *launch_container(const char *name)
{
	if (!name)
		return NULL;
	return strstr(name, "://") ? xstrdup(name) : path_absolute(name);
}

char *launch_line(int argc, char *const *argv)
{
	struct strbuf b = STRBUF_INIT;

	for (int i = 0; i < argc; i++) {
		if (i)
			strbuf_addc(&b, ' ');
		strbuf_adds(&b, argv[i]);
	}
	return strbuf_take(&b);
}

char **launch_explicit(const struct opts *o)
{
	char **names = strv_copy(NULL);

	for (char **v = o->export.vars; v && *v; v++)
		strv_push_own(&names, xstrndup(*v, strcspn(*v, "=")));
	return names;
}

void launch_stream(const char *text, uint32_t ntasks, struct step_stdio *out)
{
	uint32_t task;

	*out = (struct step_stdio){ .kind = STDIO_ALL };
	if (!text || strcmp(text, "all") == 0)
		return;
	if (strcmp(text, "none") == 0) {
		out->kind = STDIO_NONE;
	} else if (parse_u32(text, 0, ntasks - 1, &task, NULL) == 0) {
		out->kind = STDIO_TASK;
		out->task = task;
	} else {
		out->kind = STDIO_FILE;
		out->file = text;
	}
}

/* What is only recorded goes into the field that squeue and sacct show, where there is one. */
static void set_recorded(struct job *j, char *const *recorded)
{
	const struct {
		const char *name;
		char **field;
	} fields[] = {
		{ "account=", &j->account }, { "partition=", &j->partition }, { "qos=", &j->qos },
		{ "comment=", &j->comment }, { "wckey=", &j->wckey },	      { "reservation=", &j->reservation }
	};

	j->recorded = strv_copy(recorded);
	for (char *const *r = recorded; r && *r; r++)
		for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
			if (str_starts(*r, fields[i].name) && !*fields[i].field)
				*fields[i].field = xstrdup(*r + strlen(fields[i].name));
}

static int set_resources(const struct opts *o, enum job_kind kind, struct job *j, struct err *e)
{
	uint64_t cpus = (uint64_t)o->ntasks * o->cpus_per_task;
	struct machine m;

	if (o->overcommit)
		cpus = o->cpus_per_task;
	if (o->min_cpus > cpus)
		cpus = o->min_cpus;
	if (cpus > UINT32_MAX)
		cpus = UINT32_MAX;
	j->ntasks = o->ntasks;
	j->cpus_per_task = o->cpus_per_task;
	j->cpus_per_task_set = opts_given(o, OPT_CPUS_PER_TASK);
	j->cpus = (uint32_t)cpus;
	j->exclusive = o->exclusive && kind != JOB_SRUN;
	j->mem = o->mem_per_cpu_mb ? (o->mem_per_cpu_mb * j->cpus) << 20 : o->mem_mb << 20;
	if (opts_given(o, OPT_MEM) && !o->mem_mb && !o->mem_per_cpu_mb) {
		if (machine_read(&m, e) < 0)
			return -1;
		j->mem = m.mem;
	}
	j->time_limit = o->time_limit == SPEC_UNLIMITED ? 0 : o->time_limit;
	return 0;
}

int launch_job(const struct opts *o, enum job_kind kind, int argc, char *const *argv, const char *command,
	       struct job *j, struct err *e)
{
	j->kind = kind;
	j->work_dir = launch_work_dir(o);
	if (launch_check_dir(j->work_dir, e) < 0)
		return -1;
	if (set_resources(o, kind, j, e) < 0)
		return -1;
	set_recorded(j, o->recorded);
	j->name = xstrdup(o->job_name ? o->job_name : path_base(command));
	j->command = xstrdup(command);
	j->begin = o->begin;
	j->hold = o->hold;
	j->requeue = o->requeue > 0;
	j->kill_on_invalid_dep = o->kill_on_invalid_dep > 0;
	j->dependency = o->depend.n ? copy(o->depend_text) : NULL;
	j->array_limit = o->array.limit;
	j->warn_signal = o->warn.sig;
	j->warn_before = o->warn.seconds;
	j->warn_batch = o->warn.batch_only;
	j->submit_dir = path_absolute(".");
	j->submit_line = launch_line(argc, argv);
	j->append = o->open_mode == OPEN_MODE_APPEND;
	j->container = launch_container(o->container);
	j->container_id = copy(o->container_id);
	return 0;
}

int launch_test_only(const char *name, const struct job *j)
{
	struct err e = ERR_INIT;
	char host[65] = "";
	char when[32];
	time_t now = time(NULL);
	struct tm tm;

	if (queue_check(j, &e) < 0) {
		log_error("%s", e.msg);
		return 1;
	}
	gethostname(host, sizeof(host) - 1);
	host[strcspn(host, ".")] = '\0';
	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)name;
	log_info("Job could start at %s on an idle machine, using %" PRIu32 " processors on %s", when, j->cpus, host);
	return 0;
}

int launch_failed(void)
{
	const char *wanted = getenv("SLURM_EXIT_ERROR");
	uint32_t status;

	return wanted && parse_u32(wanted, 0, 255, &status, NULL) == 0 ? (int)status : 1;
}
