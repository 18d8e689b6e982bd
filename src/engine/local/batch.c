/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/batch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/local/queue.h"
#include "engine/local/record.h"
#include "engine/spec/filename.h"
#include "proc/user.h"

#define MAX_START (64U << 20)
#define RESERVE 4096 /* kept on the disk so that the end of a job can be written down on a full one */

static char *group_name(gid_t gid)
{
	cleanup(strv) char **lines = user_group_lines(&gid, 1);
	char *name = lines && *lines ? xstrndup(*lines, strcspn(*lines, ":")) : NULL;

	return name ? name : xasprintf("%u", gid);
}

static int set_mark(struct job *j, struct err *e)
{
	uint64_t r[2];

	if (getrandom(r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return err_sys(e, errno, "getrandom");
	free(j->mark);
	j->mark = xasprintf("BERTH_MARK=%016" PRIx64 "%016" PRIx64, r[0], r[1]);
	return 0;
}

int job_fill(struct job *j, struct err *e)
{
	cleanup(user) struct user u = { 0 };
	char host[65] = "localhost";
	mode_t mask;

	gethostname(host, sizeof(host) - 1);
	host[strcspn(host, ".")] = '\0';
	if (set_mark(j, e) < 0)
		return -1;
	j->uid = geteuid();
	j->gid = getegid();
	j->user = user_by_uid(j->uid, &u, NULL) == 0 ? xstrdup(u.name) : xasprintf("%u", j->uid);
	j->group = group_name(j->gid);
	j->node = xstrdup(host);
	j->submit = j->eligible = time(NULL);
	mask = umask(0);
	umask(mask);
	j->umask = mask;
	return 0;
}

static void add_strings(struct strbuf *b, char kind, char *const *v)
{
	for (; v && *v; v++) {
		strbuf_addc(b, kind);
		strbuf_add(b, *v, strlen(*v) + 1);
	}
}

int batch_read(int job_dir, char ***args, char ***env, struct err *e)
{
	cleanup(free) char *text = NULL;
	size_t len;

	*args = strv_copy(NULL);
	*env = strv_copy(NULL);
	if (path_read_file(job_dir, "start", MAX_START, &text, &len, NULL, e) < 0)
		return -1;
	for (const char *at = text; at < text + len; at += strlen(at) + 1)
		strv_push(*at == 'a' ? args : env, at + 1);
	return 0;
}

static int write_files(int dir, const struct batch *b, bool durable, struct err *e)
{
	struct strbuf start = STRBUF_INIT;
	char reserve[RESERVE] = { 0 };
	int r;

	add_strings(&start, 'a', b->args);
	add_strings(&start, 'e', b->env);
	r = path_write_atomic(dir, "start", start.data ? start.data : "", start.len, durable, e);
	if (r == 0)
		r = path_write_atomic(dir, BATCH_SCRIPT, b->text, b->len, durable, e);
	if (r == 0 && fchmodat(dir, BATCH_SCRIPT, 0700, 0) < 0)
		r = err_sys(e, errno, "chmod %s", BATCH_SCRIPT);
	if (r == 0)
		r = path_write_new(dir, "reserve", reserve, sizeof(reserve), 0600, e);
	strbuf_free(&start);
	return r;
}

/* The elements of an array share the first one's files. */
static int link_files(int from, int to, struct err *e)
{
	static const char *const names[] = { "start", BATCH_SCRIPT };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (linkat(from, names[i], to, names[i], 0) < 0)
			return err_sys(e, errno, "link %s", names[i]);
	return 0;
}

static int write_job(struct state *st, struct job *j, const struct batch *b, int first_dir, bool durable, struct err *e)
{
	cleanup(close) int dir = state_job_dir(st, j->id, e);

	if (dir < 0)
		return -1;
	if (first_dir < 0 ? write_files(dir, b, durable, e) < 0 : link_files(first_dir, dir, e) < 0)
		return -1;
	return job_save(st, j, durable, e);
}

static int expand(const struct job *j, const char *pattern, char **out, struct err *e)
{
	struct filename_vars v = { .job = j->id,
				   .array_job = j->array_job ? j->array_job : j->id,
				   .array_task = j->array_task == ARRAY_NONE ? -1 : (int64_t)j->array_task,
				   .step = "batch",
				   .node_name = j->node,
				   .user = j->user,
				   .job_name = j->name };
	cleanup(free) char *name = NULL;

	free(take_ptr(out));
	if (!pattern)
		return 0;
	if (filename_expand(pattern, &v, &name, e) < 0)
		return -1;
	*out = path_join(j->work_dir, name);
	return 0;
}

/* What the submission said about the streams; each element of an array has names of its own. */
struct patterns {
	char *in, *out, *err;
};

static int set_streams(struct job *j, const struct patterns *p, struct err *e)
{
	const char *usual = j->array_task == ARRAY_NONE ? "slurm-%j.out" : "slurm-%A_%a.out";
	const char *out = p->out ? p->out : usual;

	if (expand(j, p->in, &j->std_in, e) < 0 || expand(j, out, &j->std_out, e) < 0)
		return -1;
	return expand(j, p->err ? p->err : out, &j->std_err, e);
}

static int write_jobs(struct state *st, struct job *j, const struct batch *b, const struct patterns *p,
		      const uint32_t *tasks, size_t n, struct err *e)
{
	cleanup(close) int first_dir = -1;
	uint32_t first = j->id;

	for (size_t i = 0; i < n; i++) {
		j->id = first + (uint32_t)i;
		if (tasks)
			j->array_task = tasks[i];
		if (set_mark(j, e) < 0 || set_streams(j, p, e) < 0 || write_job(st, j, b, first_dir, n == 1, e) < 0)
			return -1;
		if (first_dir < 0 && (first_dir = state_job_dir(st, first, e)) < 0)
			return -1;
	}
	j->id = first;
	/* One by one would take long for a large array. */
	if (n > 1 && syncfs(st->fd) < 0)
		return err_sys(e, errno, "syncfs %s", st->path);
	if (n == 1 && fsync(st->jobs_fd) < 0)
		return err_sys(e, errno, "fsync %s/jobs", st->path);
	return 0;
}

static void remove_jobs(struct state *st, uint32_t first, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%" PRIu32, first + (uint32_t)i);
		path_remove_tree(st->jobs_fd, name, NULL);
	}
}

static int enqueue(struct state *st, const struct job *j, size_t n, struct err *e)
{
	int r = 0;

	if (state_lock(st, e) < 0)
		return -1;
	for (size_t i = 0; i < n && r == 0; i++)
		r = state_active_add(st, j->id + (uint32_t)i, ACTIVE_WAITING, e);
	for (size_t i = 0; i < n && r < 0; i++)
		state_active_remove(st, j->id + (uint32_t)i, ACTIVE_WAITING);
	/* From here on the job is submitted, whatever becomes of it now. */
	if (r == 0)
		r = queue_advance(st, NULL, e);
	state_unlock(st);
	return r < 0 ? -1 : fsync(st->active_fd) < 0 ? err_sys(e, errno, "fsync %s/active", st->path) : 0;
}

static void set_array(struct job *j, const uint32_t *tasks, size_t n)
{
	j->array_job = j->id;
	j->array_count = (uint32_t)n;
	j->array_min = tasks[0];
	j->array_max = tasks[n - 1];
	j->array_step = n > 1 ? tasks[1] - tasks[0] : 1;
	j->array_task = tasks[0];
}

int batch_submit(struct state *st, struct job *j, const struct batch *b, const uint32_t *tasks, size_t n_tasks,
		 struct err *e)
{
	size_t n = n_tasks ? n_tasks : 1;
	struct patterns p;
	uint32_t first;
	int r;

	if (job_fill(j, e) < 0 || queue_check(j, e) < 0 || state_lock(st, e) < 0)
		return -1;
	r = state_new_jobs(st, (uint32_t)n, &first, e);
	state_unlock(st);
	if (r < 0)
		return -1;
	j->id = first;
	j->state = JOB_PENDING;
	j->reason = j->hold ? REASON_HELD_USER : REASON_PRIORITY;
	if (n_tasks)
		set_array(j, tasks, n);
	p = (struct patterns){ take_ptr(&j->std_in), take_ptr(&j->std_out), take_ptr(&j->std_err) };
	r = write_jobs(st, j, b, &p, n_tasks ? tasks : NULL, n, e);
	if (r == 0)
		r = enqueue(st, j, n, e);
	if (r < 0)
		remove_jobs(st, first, n);
	free(p.in);
	free(p.out);
	free(p.err);
	return r;
}
