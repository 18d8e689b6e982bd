/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/recover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "config/install.h"
#include "engine/local/queue.h"
#include "engine/local/record.h"
#include "proc/spawn.h"

/* What a berth-task leaves that was killed; one that ended by itself leaves nothing, which is the usual case. */
static bool has_task_folders(const char *dir)
{
	cleanup(closedir) DIR *d = opendir(dir);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (str_starts(entry->d_name, "task-"))
			return true;
	return false;
}

static void run_cleanup(const char *dir)
{
	cleanup(free) char *task = install_libexec("berth-task");
	char *const argv[] = { "berth-task", "--cleanup", (char *)dir, NULL };
	struct spawn s = SPAWN_INIT;
	struct exit_status status;
	struct err e = ERR_INIT;

	if (!task || !has_task_folders(dir))
		return;
	s.path = task;
	s.argv = argv;
	s.envp = environ;
	if (spawn_run(&s, &status, &e) < 0)
		log_error("clean up %s: %s", dir, e.msg);
}

void recover_tasks(const char *spool)
{
	run_cleanup(spool);
}

void recover_spool(const char *spool)
{
	struct err e = ERR_INIT;

	if (access(spool, F_OK) < 0)
		return;
	run_cleanup(spool);
	if (path_remove_tree(AT_FDCWD, spool, &e) < 0)
		log_error("remove %s: %s", spool, e.msg);
}

void recover_step_files(const struct step *s)
{
	bool same_boot = strcmp(s->owner.boot, proc_boot_id()) == 0;

	for (size_t i = 0; same_boot && i < s->n_tasks; i++) {
		int fd = s->tasks[i].ended ? -1 : proc_open(&s->tasks[i].id);

		if (fd >= 0) {
			syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
			close(fd);
		}
	}
	if (s->spool)
		recover_spool(s->spool);
}

static void end_step(struct state *st, struct step *s, enum job_state as)
{
	struct err e = ERR_INIT;

	recover_step_files(s);
	s->state = as;
	s->end = time(NULL);
	if (step_save(st, s, false, &e) < 0)
		log_error("%s", e.msg);
}

static void end_steps(struct state *st, const struct job *j)
{
	struct step_list l;

	if (step_list_load(st, j->id, &l, NULL) < 0)
		return;
	for (size_t i = 0; i < l.n; i++)
		if (!job_state_ended(l.steps[i].state))
			end_step(st, &l.steps[i], JOB_NODE_FAIL);
	step_list_free(&l);
}

/* --requeue: as if it had not run, but for the count. */
static void queue_again(struct state *st, struct job *j)
{
	struct step_list l;

	j->state = JOB_PENDING;
	j->start = 0;
	j->restarts++;
	free(take_ptr(&j->cpu_list));
	if (step_list_load(st, j->id, &l, NULL) < 0)
		return;
	for (size_t i = 0; i < l.n; i++) {
		char name[48];

		snprintf(name, sizeof(name), "%" PRIu32 "/step.%" PRIu32, j->id, l.steps[i].id);
		unlinkat(st->jobs_fd, name, 0);
	}
	step_list_free(&l);
}

/* The job is RUNNING and nobody owns it. We do until HOLD is closed. */
static int end_job(struct state *st, struct job *j, struct err *e)
{
	bool same_boot = strcmp(j->owner.boot, proc_boot_id()) == 0;

	if (j->mark && same_boot && reap_kill_marked(j->mark, e) < 0)
		log_error("job %" PRIu32 ": %s", j->id, e->msg);
	end_steps(st, j);
	/* Again: a container's processes may have started something while it was taken down. */
	if (j->mark && same_boot)
		reap_kill_marked(j->mark, NULL);
	if (j->requeue && j->kind == JOB_SBATCH && !j->cancelled) {
		queue_again(st, j);
	} else {
		j->state = j->cancelled ? JOB_CANCELLED : JOB_NODE_FAIL;
		j->reason = j->cancelled ? REASON_NONE : REASON_NODE_DOWN;
		j->end = time(NULL);
	}
	j->owner = (struct job_owner){ 0 };
	return job_save(st, j, true, e);
}

static int after_job(struct state *st, const struct job *j, enum active_kind kind, struct err *e)
{
	int r = 0;

	if (state_lock(st, e) < 0)
		return -1;
	if (j->state == JOB_PENDING)
		r = state_active_change(st, j->id, kind, ACTIVE_WAITING, e);
	else
		state_active_remove(st, j->id, kind);
	if (r == 0)
		r = queue_advance(st, NULL, e);
	state_unlock(st);
	return r;
}

/* Becomes the owner of job A->id where it has none; *hold stays -1 where there is nothing to do. */
static int claim(struct state *st, const struct active *a, struct job *j, int *hold, struct err *e)
{
	struct err busy = ERR_INIT;
	char name[16];

	*hold = hold_job(st, a->id, &busy);
	if (*hold < 0 && busy.code == ENOENT)
		state_active_remove(st, a->id, a->kind);
	if (*hold < 0 && busy.code == ENOENT)
		return 0;
	if (*hold < 0)
		return busy.code == EAGAIN ? 0 : err_set(e, "%s", busy.msg);
	if (job_load(st, a->id, j, &busy) == 0)
		return 0;
	close(take_fd(hold));
	/* What is in pieces while nobody owns it stays so: said once, and nothing waits for it any more. */
	if (busy.code != ENOENT) {
		if (job_is_lost(&busy))
			state_active_remove(st, a->id, a->kind);
		return err_set(e, "%s", busy.msg);
	}
	/* Killed before it had a record: it has told nobody its number. */
	snprintf(name, sizeof(name), "%" PRIu32, a->id);
	state_active_remove(st, a->id, a->kind);
	return path_remove_tree(st->jobs_fd, name, e);
}

static int recover_job(struct state *st, const struct active *a, struct err *e)
{
	cleanup(close) int hold = -1;
	struct job j;
	int r;

	if (state_lock(st, e) < 0)
		return -1;
	r = claim(st, a, &j, &hold, e);
	state_unlock(st);
	if (r < 0 || hold < 0)
		return r;
	if (job_state_ended(j.state))
		; /* its owner wrote that down and was killed before it took the entry away */
	else if (j.state == JOB_PENDING && j.kind == JOB_SBATCH)
		; /* granted by a process that was killed in between: it waits again */
	else if (!j.owner.id.pid && j.kind == JOB_SBATCH) {
		j.state = JOB_PENDING; /* the same, a moment later */
		free(take_ptr(&j.cpu_list));
		r = job_save(st, &j, false, e);
	} else if (j.state == JOB_PENDING) {
		j.state = JOB_CANCELLED; /* an srun or salloc that was killed while it waited */
		j.cancelled = true;
		j.cancelled_by = j.uid;
		j.end = time(NULL);
		r = job_save(st, &j, false, e);
	} else {
		r = end_job(st, &j, e);
	}
	/* Others may own it from now on. */
	close(take_fd(&hold));
	if (r == 0)
		r = after_job(st, &j, a->kind, e);
	job_free(&j);
	return r;
}

/* Steps of a job that lives whose own srun was killed. */
static void recover_step(struct state *st, uint32_t job, uint32_t id, enum job_state as)
{
	cleanup(close) int hold = -1;
	struct step s;
	char name[48];

	snprintf(name, sizeof(name), "%" PRIu32 "/hold.%" PRIu32, job, id);
	hold = hold_is_taken(st->jobs_fd, name) ? -1 : hold_take(st->jobs_fd, name, NULL);
	if (hold < 0 || step_load(st, job, id, &s, NULL) < 0)
		return;
	if (!job_state_ended(s.state))
		end_step(st, &s, as);
	step_free(&s);
	unlinkat(st->jobs_fd, name, 0);
}

void recover_steps(struct state *st, uint32_t id, enum job_state as)
{
	cleanup(free) uint32_t *steps = NULL;
	size_t n;

	if (step_list_held(st, id, &steps, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		recover_step(st, id, steps[i], as);
}

int recover(struct state *st, struct err *e)
{
	cleanup(free) struct active *list = NULL;
	bool waiting = false, lost = false;
	size_t n;

	if (state_list_active(st, &list, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		bool owned = list[i].kind == ACTIVE_RUNNING || list[i].kind == ACTIVE_FOREGROUND;

		waiting = waiting || !owned;
		if (owned && !job_is_held(st, list[i].id)) {
			struct err why = ERR_INIT;

			lost = true;
			if (recover_job(st, &list[i], &why) < 0)
				log_error("recover job %" PRIu32 ": %s", list[i].id, why.msg);
		} else if (owned) {
			recover_steps(st, list[i].id, JOB_NODE_FAIL);
		}
	}
	if (!waiting || lost || hold_is_taken(st->fd, "watcher"))
		return 0;
	/* Jobs wait and nobody watches: the machine went down, or everything was killed. */
	queue_advance_now(st);
	return 0;
}
