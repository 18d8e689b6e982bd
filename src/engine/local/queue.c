/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/queue.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/local/record.h"
#include "engine/local/supervisor.h"
#include "engine/local/watcher.h"

bool pool_take(struct pool *p, struct job *j)
{
	cpu_set_t taken;

	if (j->mem > p->mem || (j->exclusive && !CPU_EQUAL(&p->free, &p->all)))
		return false;
	/* A single CPU is best the one that the waiting process runs on: nothing has to move. */
	if (j->cpus == 1 && !j->exclusive && p->near && CPU_ISSET(p->near - 1, &p->free)) {
		CPU_ZERO(&taken);
		CPU_SET(p->near - 1, &taken);
		CPU_CLR(p->near - 1, &p->free);
	} else if (cpus_take(&p->free, j->exclusive ? (uint32_t)CPU_COUNT(&p->all) : j->cpus, &taken) < 0)
		return false;
	p->mem -= j->mem;
	free(j->cpu_list);
	j->cpu_list = cpus_format(&taken);
	return true;
}

void pool_use(struct pool *p, const struct job *j)
{
	cpu_set_t used, kept;

	if (j->cpu_list && cpus_parse(j->cpu_list, &used, NULL) == 0) {
		CPU_AND(&kept, &p->free, &used);
		CPU_XOR(&p->free, &p->free, &kept);
	}
	p->mem -= j->mem < p->mem ? j->mem : p->mem;
}

int queue_check(const struct job *j, struct err *e)
{
	struct machine m;

	if (machine_read(&m, e) < 0)
		return -1;
	if (j->cpus > (uint32_t)CPU_COUNT(&m.cpus))
		return err_set(e,
			       "Requested node configuration is not available: %" PRIu32
			       " CPUs are asked for and this machine has %d",
			       j->cpus, CPU_COUNT(&m.cpus));
	if (j->mem > m.mem)
		return err_set(e,
			       "Requested node configuration is not available: %" PRIu64
			       " MB of memory are asked for and this machine has %" PRIu64,
			       j->mem >> 20, m.mem >> 20);
	return 0;
}

/* One look at the queue. */
struct round {
	struct state *st;
	struct pool pool;
	time_t now, wake;
	bool blocked;	  /* a job waits for CPUs or memory: those after it wait for it */
	bool pending;	  /* something waits that the end of another job can help */
	bool again;	  /* a job ended without running: others may depend on it */
	uint32_t *arrays; /* the array of each running element */
	size_t n_arrays;
	struct depend_memo memo;
};

static bool is_foreground(const struct job *j)
{
	return j->kind != JOB_SBATCH;
}

static void count_element(struct round *r, const struct job *j)
{
	if (!j->array_limit)
		return;
	r->arrays = xrealloc(r->arrays, r->n_arrays + 1, sizeof(*r->arrays));
	r->arrays[r->n_arrays++] = j->array_job;
}

static bool array_is_full(const struct round *r, const struct job *j)
{
	uint32_t running = 0;

	for (size_t i = 0; i < r->n_arrays; i++)
		running += r->arrays[i] == j->array_job;
	return j->array_limit && running >= j->array_limit;
}

static void use_running(struct round *r, const struct job *j)
{
	pool_use(&r->pool, j);
	count_element(r, j);
}

/* An entry says that the job runs; its record may say that it does not yet, or no more. */
static int count_running(struct round *r, const struct active *a, bool *back, struct err *e)
{
	struct job j;

	*back = false;
	if (job_load(r->st, a->id, &j, e) < 0)
		return -1;
	if (job_state_ended(j.state))
		state_active_remove(r->st, a->id, a->kind);
	else if (j.state == JOB_PENDING && !job_is_held(r->st, j.id))
		*back = true; /* whoever granted it was killed between the two */
	else
		use_running(r, &j);
	job_free(&j);
	return 0;
}

static int set_reason(struct round *r, struct job *j, enum job_reason reason, struct err *e)
{
	if (j->reason == reason)
		return 0;
	j->reason = reason;
	/* On the disk: one that is not there whole after a power cut would be a queued job that is lost. */
	return job_save(r->st, j, !is_foreground(j), e);
}

static int end_pending(struct round *r, struct job *j, const struct active *a, enum job_state state, struct err *e)
{
	j->state = state;
	j->end = r->now;
	j->cancelled = state == JOB_CANCELLED;
	j->cancelled_by = j->uid;
	if (job_save(r->st, j, !is_foreground(j), e) < 0)
		return -1;
	state_active_remove(r->st, a->id, a->kind);
	r->again = true;
	return 0;
}

static int grant(struct round *r, struct job *j, struct active *a, struct err *e)
{
	if (state_active_change(r->st, a->id, a->kind, ACTIVE_RUNNING, e) < 0)
		return -1;
	a->kind = ACTIVE_RUNNING;
	j->state = JOB_RUNNING;
	j->reason = REASON_NONE;
	j->start = r->now;
	count_element(r, j);
	/* A supervisor that finds its job still pending, because we were killed before we could say so, goes away. */
	if (!is_foreground(j) && supervisor_start(r->st, j->id, &j->owner, e) < 0) {
		log_error("job %" PRIu32 ": %s", j->id, e->msg);
		j->reason = REASON_LAUNCH;
		j->exit_code = 1;
		return end_pending(r, j, a, JOB_FAILED, e);
	}
	return job_save(r->st, j, !is_foreground(j), e);
}

static int consider(struct round *r, struct active *a, struct job *j, struct err *e)
{
	enum job_reason reason = REASON_NONE;
	const struct queue_moment m = { .now = r->now, .memo = &r->memo };
	enum ready ready = queue_ready(r->st, j, &m, &reason, &r->wake);
	enum active_kind kind;

	if (ready == READY && array_is_full(r, j)) {
		ready = NOT_READY;
		reason = REASON_ARRAY_LIMIT;
	}
	kind = is_foreground(j) ? ACTIVE_FOREGROUND : ready == READY ? ACTIVE_QUEUED : ACTIVE_WAITING;
	if (is_foreground(j) && !job_is_held(r->st, j->id))
		return end_pending(r, j, a, JOB_CANCELLED, e);
	if (ready == NEVER_READY && j->kill_on_invalid_dep) {
		j->reason = reason;
		return end_pending(r, j, a, JOB_CANCELLED, e);
	}
	if (ready == READY && !r->blocked && pool_take(&r->pool, j))
		return grant(r, j, a, e);
	if (state_active_change(r->st, a->id, a->kind, kind, e) < 0)
		return -1;
	a->kind = kind;
	r->pending = r->pending || ready == READY || reason == REASON_DEPENDENCY || reason == REASON_ARRAY_LIMIT;
	if (ready != READY)
		return set_reason(r, j, reason, e);
	reason = r->blocked ? REASON_PRIORITY : REASON_RESOURCES;
	r->blocked = true;
	return set_reason(r, j, reason, e);
}

static int consider_entry(struct round *r, struct active *a, struct err *e)
{
	struct job j;
	int result;

	/* Behind a job that waits, nothing changes for those that were ready already. */
	if (r->blocked && (a->kind == ACTIVE_QUEUED || a->kind == ACTIVE_FOREGROUND))
		return 0;
	if (job_load(r->st, a->id, &j, e) < 0) {
		if (e && job_is_lost(e))
			state_active_remove(r->st, a->id, a->kind);
		return -1;
	}
	if (job_state_ended(j.state)) {
		state_active_remove(r->st, a->id, a->kind);
		result = 0;
	} else {
		result = consider(r, a, &j, e);
	}
	job_free(&j);
	return result;
}

static int advance_once(struct round *r, struct err *e)
{
	cleanup(free) struct active *list = NULL;
	struct machine m;
	size_t n;

	if (state_list_active(r->st, &list, &n, e) < 0 || machine_read(&m, e) < 0)
		return -1;
	r->pool = (struct pool){ .all = m.cpus, .free = m.cpus, .mem = m.mem };
	r->again = r->blocked = r->pending = false;
	r->n_arrays = 0;
	r->memo = (struct depend_memo){ 0 };
	for (size_t i = 0; i < n; i++) {
		struct err why = ERR_INIT;
		bool back;

		if (list[i].kind != ACTIVE_RUNNING)
			continue;
		/* A record that cannot be read must not stop everybody else's jobs. */
		if (count_running(r, &list[i], &back, &why) < 0)
			log_error("%s", why.msg);
		else if (back && state_active_change(r->st, list[i].id, ACTIVE_RUNNING, ACTIVE_WAITING, e) == 0)
			list[i].kind = ACTIVE_WAITING;
	}
	for (size_t i = 0; i < n; i++) {
		struct err why = ERR_INIT;

		if (list[i].kind != ACTIVE_RUNNING && consider_entry(r, &list[i], &why) < 0)
			log_error("%s", why.msg);
	}
	return 0;
}

int queue_advance(struct state *st, struct outlook *out, struct err *e)
{
	struct round r = { .st = st, .now = time(NULL) };

	do {
		if (advance_once(&r, e) < 0) {
			free(r.arrays);
			return -1;
		}
	} while (r.again);
	free(r.arrays);
	if (out)
		*out = (struct outlook){ .pending = r.pending, .wake = r.wake };
	else if (r.pending || r.wake)
		watcher_start(st);
	return 0;
}

void queue_advance_now(struct state *st)
{
	struct err e = ERR_INIT;

	if (state_lock(st, &e) < 0 || queue_advance(st, NULL, &e) < 0)
		log_error("%s", e.msg);
	state_unlock(st);
}
