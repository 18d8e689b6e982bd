/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/steps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/local/cpus.h"
#include "engine/local/owner.h"
#include "engine/local/recover.h"

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

void place_init(struct place *p, struct state *st, int dir, const struct job *j, const struct engine_step *spec,
		bool own)
{
	struct step *s = &p->step;

	*p = (struct place){ .st = st, .dir = dir, .hold = -1, .own = own, .srun = j->kind == JOB_SRUN };
	step_init(s);
	s->job = j->id;
	s->id = spec->id;
	s->name = copy(spec->name ? spec->name : spec->argv && *spec->argv ? path_base(*spec->argv) : "container");
	s->state = JOB_RUNNING;
	s->ntasks = spec->ntasks;
	s->cpus_per_task = spec->cpus_per_task;
	s->overlap = spec->overlap;
	s->container = copy(spec->container);
	s->container_id = copy(spec->container_id);
	s->std_in = copy(spec->in.kind == STDIO_FILE ? spec->in.file : NULL);
	s->std_out = copy(spec->out.kind == STDIO_FILE ? spec->out.file : NULL);
	s->std_err = copy(spec->err.kind == STDIO_FILE ? spec->err.file : NULL);
	s->work_dir = copy(spec->work_dir);
	s->submit_line = copy(spec->submit_line);
	owner_self(&s->owner);
	s->n_tasks = spec->ntasks;
	s->tasks = xcalloc(spec->ntasks, sizeof(*s->tasks));
}

/* Batch and interactive steps run beside the others, on all of the job's CPUs. */
static bool counts(const struct step *s)
{
	return s->state == JOB_RUNNING && !s->overlap && s->id != STEP_BATCH && s->id != STEP_INTERACTIVE;
}

static int choose_cpus(struct place *p, const struct job *j, const struct engine_step *spec,
		       const struct step_list *others, uint32_t parent, struct err *e)
{
	struct step *s = &p->step;
	uint32_t want = spec->ntasks * spec->cpus_per_task;
	cpu_set_t free_cpus, used, all, taken;

	if (cpus_parse(j->cpu_list ? j->cpu_list : "0", &all, e) < 0)
		return -1;
	for (size_t i = 0; i < others->n; i++)
		if (parent != STEP_NONE && others->steps[i].id == parent && others->steps[i].state == JOB_RUNNING &&
		    others->steps[i].cpu_list) {
			s->overlap = true;
			s->cpu_list = xstrdup(others->steps[i].cpu_list);
			return 0;
		}
	if (!spec->overcommit && want > (uint32_t)CPU_COUNT(&all))
		return err_set(e, "Unable to create step for job %" PRIu32 ": More processors requested than permitted",
			       j->id);
	free_cpus = all;
	for (size_t i = 0; i < others->n && !s->overlap; i++) {
		if (!counts(&others->steps[i]) || cpus_parse(others->steps[i].cpu_list, &used, NULL) < 0)
			continue;
		CPU_AND(&used, &used, &free_cpus);
		CPU_XOR(&free_cpus, &free_cpus, &used);
	}
	if (spec->exact && want <= (uint32_t)CPU_COUNT(&all)) {
		if (cpus_take(&free_cpus, want, &taken) < 0)
			goto busy;
	} else {
		/* As Slurm's: a step has the whole of its job unless it says what it wants. */
		if (!CPU_EQUAL(&free_cpus, &all))
			goto busy;
		taken = all;
	}
	s->cpu_list = cpus_format(&taken);
	return 0;
busy:
	err_set(e, "Unable to create step for job %" PRIu32 ": Requested nodes are busy", j->id);
	if (e)
		e->code = EAGAIN;
	return -1;
}

static uint32_t next_number(const struct step_list *l)
{
	uint32_t next = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->steps[i].id < STEP_INTERACTIVE && l->steps[i].id >= next)
			next = l->steps[i].id + 1;
	return next;
}

int place_save(struct place *p, struct err *e)
{
	int r = p->recorded ? step_save(p->st, &p->step, false, e) : step_create(p->st, &p->step, e);

	p->recorded = p->recorded || r == 0;
	return r;
}

static int take_locked(struct place *p, const struct job *j, const struct engine_step *spec, uint32_t parent,
		       struct err *e)
{
	struct step_list others;
	char name[32];
	int r;

	if (step_list_load(p->st, j->id, &others, e) < 0)
		return -1;
	if (p->step.id == STEP_BATCH || p->step.id == STEP_INTERACTIVE) {
		p->step.cpu_list = copy(j->cpu_list);
		r = 0;
	} else {
		r = choose_cpus(p, j, spec, &others, parent, e);
		p->step.id = next_number(&others);
	}
	step_list_free(&others);
	if (r < 0)
		return -1;
	p->step.start = time(NULL);
	if (p->own)
		return 0;
	snprintf(name, sizeof(name), "hold.%" PRIu32, p->step.id);
	p->hold = hold_take(p->dir, name, e);
	return p->hold < 0 ? -1 : place_save(p, e);
}

int place_take(struct place *p, const struct job *j, const struct engine_step *spec, uint32_t parent, struct err *e)
{
	int r;

	/* The only step of a job that is ours alone. */
	if (p->own && p->srun) {
		p->step.id = 0;
		p->step.cpu_list = copy(j->cpu_list);
		p->step.start = time(NULL);
		return 0;
	}

	if (state_lock(p->st, e) < 0)
		return -1;
	r = take_locked(p, j, spec, parent, e);
	state_unlock(p->st);
	return r;
}

/* Waiting for other steps of the job to end. */
struct waiting {
	struct loop *loop;
	int *pidfds;
	size_t n;
	bool changed;
};

static void on_change(void *arg, int fd, uint32_t events)
{
	struct waiting *w = arg;
	char buf[4096];

	(void)events;
	w->changed = true;
	for (size_t i = 0; i < w->n; i++)
		if (w->pidfds[i] == fd) {
			loop_remove(w->loop, fd); /* an ended process stays readable */
			return;
		}
	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

static void drop_owners(struct waiting *w)
{
	for (size_t i = 0; i < w->n; i++) {
		loop_remove(w->loop, w->pidfds[i]);
		close(w->pidfds[i]);
	}
	free(w->pidfds);
	w->pidfds = NULL;
	w->n = 0;
}

/* An owner that is killed changes no file; its end is seen by its pidfd. */
static void watch_owners(struct waiting *w, struct place *p, const struct job *j)
{
	struct step_list l;

	drop_owners(w);
	if (step_list_load(p->st, j->id, &l, NULL) < 0)
		return;
	w->pidfds = xcalloc(l.n + 1, sizeof(int));
	for (size_t i = 0; i < l.n; i++) {
		int fd = counts(&l.steps[i]) ? proc_open(&l.steps[i].owner.id) : -1;

		if (fd >= 0 && loop_add(w->loop, fd, EPOLLIN, on_change, w, NULL) == 0)
			w->pidfds[w->n++] = fd;
		else if (fd >= 0)
			close(fd);
		else if (counts(&l.steps[i]))
			w->changed = true; /* gone already */
	}
	step_list_free(&l);
}

static int watch_dir(struct waiting *w, int dir, struct err *e)
{
	char path[48];
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	snprintf(path, sizeof(path), "/proc/self/fd/%d/.", dir);
	if (fd < 0 || inotify_add_watch(fd, path, IN_MOVED_TO) < 0 ||
	    loop_add(w->loop, fd, EPOLLIN, on_change, w, e) < 0) {
		err_sys(e, errno, "watch the job's folder");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

int place_wait(struct place *p, struct loop *l, const struct job *j, const struct engine_step *spec, uint32_t parent,
	       const bool *give_up, struct err *e)
{
	struct waiting w = { .loop = l };
	int64_t deadline = clock_ms() + (int64_t)spec->immediate * 1000;
	struct err why = ERR_INIT;
	int r = place_take(p, j, spec, parent, &why), fd;

	if (r == 0 || why.code != EAGAIN || (spec->immediate && spec->immediate <= 1))
		return r == 0 ? 0 : (e ? *e = why : why, -1);
	fd = watch_dir(&w, p->dir, e);
	if (fd < 0)
		return -1;
	if (!spec->quiet)
		log_info("Job %" PRIu32 " step creation temporarily disabled, retrying (Requested nodes are busy)",
			 j->id);
	while (r < 0 && why.code == EAGAIN && !(give_up && *give_up)) {
		if (spec->immediate && clock_ms() > deadline)
			break;
		w.changed = false;
		watch_owners(&w, p, j);
		while (!w.changed && !(give_up && *give_up) && (!spec->immediate || clock_ms() <= deadline))
			if (loop_once(l, spec->immediate ? deadline - clock_ms() + 1 : -1, e) < 0)
				break;
		recover_steps(p->st, j->id, JOB_NODE_FAIL);
		why = ERR_INIT;
		r = place_take(p, j, spec, parent, &why);
	}
	drop_owners(&w);
	loop_remove(l, fd);
	close(fd);
	if (r == 0 && !spec->quiet)
		log_info("Step created for StepId=%" PRIu32 ".%" PRIu32, j->id, p->step.id);
	if (r < 0 && e)
		*e = why;
	return r;
}

void place_end(struct place *p, enum job_state state)
{
	struct err e = ERR_INIT;
	char name[32];

	p->step.state = state;
	p->step.end = time(NULL);
	/* The one step of an srun's own job is known from the job. */
	if (p->own && p->srun) {
		snprintf(name, sizeof(name), "step.%" PRIu32, p->step.id);
		/* It was written down for its spool folder, which is gone. */
		if (p->recorded)
			unlinkat(p->dir, name, 0);
		return;
	}
	if (place_save(p, &e) < 0)
		log_error("%s", e.msg);
	snprintf(name, sizeof(name), "hold.%" PRIu32, p->step.id);
	if (p->hold >= 0)
		unlinkat(p->dir, name, 0);
}

void place_free(struct place *p)
{
	if (p->hold >= 0)
		close(p->hold);
	step_free(&p->step);
	*p = PLACE_INIT;
}
