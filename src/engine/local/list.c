/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "engine/local/record.h"

static bool load_one(struct state *st, uint32_t id, struct job *out)
{
	struct err e = ERR_INIT;

	if (job_load(st, id, out, &e) == 0)
		return true;
	/* No record: just being submitted, or never completely. */
	if (e.code != ENOENT)
		log_error("%s", e.msg);
	return false;
}

static int load_active(struct state *st, struct job_list *out, struct err *e)
{
	cleanup(free) struct active *list = NULL;
	size_t n;

	if (state_list_active(st, &list, &n, e) < 0)
		return -1;
	out->jobs = xcalloc(n + 1, sizeof(*out->jobs));
	for (size_t i = 0; i < n; i++) {
		if (i && list[i].id == list[i - 1].id)
			continue;
		if (!load_one(st, list[i].id, &out->jobs[out->n]))
			continue;
		if (job_state_ended(out->jobs[out->n].state))
			job_free(&out->jobs[out->n]);
		else
			out->n++;
	}
	return 0;
}

static bool is_active(const struct active *list, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].id == id)
			return true;
	return false;
}

static int load_all(struct state *st, struct job_list *out, struct err *e)
{
	cleanup(free) struct active *list = NULL;
	cleanup(free) uint32_t *ids = NULL;
	size_t n_active, n;

	if (state_list_active(st, &list, &n_active, e) < 0 || state_list_all(st, &ids, &n, e) < 0)
		return -1;
	out->jobs = xcalloc(n + 1, sizeof(*out->jobs));
	for (size_t i = 0; i < n; i++) {
		struct job *j = &out->jobs[out->n];

		if (!load_one(st, ids[i], j))
			continue;
		/* A submission that was killed half-way has told nobody its number. */
		if (!job_state_ended(j->state) && !is_active(list, n_active, ids[i]))
			job_free(j);
		else
			out->n++;
	}
	return 0;
}

int job_list_load(struct state *st, bool all, struct job_list *out, struct err *e)
{
	*out = (struct job_list){ 0 };
	return all ? load_all(st, out, e) : load_active(st, out, e);
}

void job_list_free(struct job_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		job_free(&l->jobs[i]);
	free(l->jobs);
	*l = (struct job_list){ 0 };
}

/* Batch and interactive steps come first, as they start first. */
static int compare_steps(const void *a, const void *b)
{
	uint32_t x = ((const struct step *)a)->id, y = ((const struct step *)b)->id;

	x += 16; /* the great special numbers wrap to the front */
	y += 16;
	return x < y ? -1 : x > y;
}

/* The numbers behind PREFIX in the names of the job's folder. */
static int list_numbers(struct state *st, uint32_t job, const char *prefix, uint32_t **ids, size_t *n, struct err *e)
{
	int fd = state_job_dir(st, job, e);
	cleanup(closedir) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;
	size_t cap = 0;

	*ids = NULL;
	*n = 0;
	if (!d)
		return -1;
	while ((de = readdir(d))) {
		uint32_t id;

		if (!str_starts(de->d_name, prefix) ||
		    parse_u32(de->d_name + strlen(prefix), 0, UINT32_MAX, &id, NULL) < 0)
			continue;
		if (*n == cap) {
			cap = cap ? 2 * cap : 8;
			*ids = xrealloc(*ids, cap, sizeof(**ids));
		}
		(*ids)[(*n)++] = id;
	}
	return 0;
}

int step_list_held(struct state *st, uint32_t job, uint32_t **ids, size_t *n, struct err *e)
{
	return list_numbers(st, job, "hold.", ids, n, e);
}

/* An srun's own job tells of its one step as well: a file less for the shortest jobs. */
static void add_implied(struct state *st, uint32_t job, struct step_list *out)
{
	struct step *s = &out->steps[out->n];
	struct job j;

	if (job_load(st, job, &j, NULL) < 0)
		return;
	if (j.kind == JOB_SRUN && j.start) {
		*s = (struct step){ .job = job,
				    .name = j.name ? xstrdup(j.name) : NULL,
				    .state = j.state,
				    .start = j.start,
				    .end = j.end,
				    .exit_code = j.exit_code,
				    .exit_signal = j.exit_signal,
				    .cancelled = j.cancelled,
				    .cancelled_by = j.cancelled_by,
				    .ntasks = j.ntasks,
				    .cpus_per_task = j.cpus_per_task,
				    .cpu_list = j.cpu_list ? xstrdup(j.cpu_list) : NULL,
				    .work_dir = j.work_dir ? xstrdup(j.work_dir) : NULL,
				    .submit_line = j.submit_line ? xstrdup(j.submit_line) : NULL,
				    .owner = j.owner };
		out->n++;
	}
	job_free(&j);
}

static bool has_step_zero(const struct step_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->steps[i].id == 0)
			return true;
	return false;
}

int step_list_load(struct state *st, uint32_t job, struct step_list *out, struct err *e)
{
	cleanup(free) uint32_t *ids = NULL;
	size_t n;

	*out = (struct step_list){ 0 };
	if (list_numbers(st, job, "step.", &ids, &n, e) < 0)
		return -1;
	out->steps = xcalloc(n + 1, sizeof(*out->steps));
	for (size_t i = 0; i < n; i++) {
		struct err why = ERR_INIT;

		if (step_load(st, job, ids[i], &out->steps[out->n], &why) == 0)
			out->n++;
		else if (why.code != ENOENT)
			log_error("%s", why.msg);
	}
	if (!has_step_zero(out))
		add_implied(st, job, out);
	if (out->n)
		qsort(out->steps, out->n, sizeof(*out->steps), compare_steps);
	return 0;
}

void step_list_free(struct step_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		step_free(&l->steps[i]);
	free(l->steps);
	*l = (struct step_list){ 0 };
}
