/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/step.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/local/recover.h"
#include "engine/local/report.h"
#include "engine/local/streams.h"
#include "engine/local/supervisor.h"
#include "engine/local/task.h"
#include "engine/local/taskenv.h"
#include "proc/pty.h"

enum { STRAGGLERS_MS = 10000 };

struct task {
	struct step_run *run;
	uint32_t number;
	struct child child;
};

struct step_run {
	struct loop *loop;
	struct place *place;
	const struct job *job;
	const struct engine_step *spec;
	struct task *tasks;
	uint32_t running;
	struct step_io *io;
	int master; /* of --pty; -1 */
	struct pty_relay *relay;
	struct pty_raw raw;
	int relay_in, relay_out;
	enum end_why why;
	bool killed, started, finished;
	int kill_timer, wait_timer, done_timer, limit_timer;
	struct exit_status status;
	step_done_fn *done;
	void *arg;
};

static struct step_task *record_of(const struct task *t)
{
	return &t->run->place->step.tasks[t->number];
}

static void finish(void *arg)
{
	struct step_run *r = arg;
	struct step *s = &r->place->step;
	enum job_state state;

	if (r->finished)
		return;
	r->finished = true;
	if (s->spool)
		recover_spool(s->spool);
	s->exit_code = r->status.signal ? 0 : (uint32_t)r->status.code;
	s->exit_signal = (uint32_t)r->status.signal;
	state = r->why == END_TIMEOUT			      ? JOB_TIMEOUT
		: s->cancelled || r->why == END_JOB_OVER      ? JOB_CANCELLED
		: r->status.code || r->why == END_INTERRUPTED ? JOB_FAILED
							      : JOB_COMPLETED;
	place_end(r->place, state);
	pty_raw_off(&r->raw);
	r->done(r->arg, &r->status);
}

/* All tasks have ended; what they left in the background ends with them. */
static void end_stragglers(struct step_run *r)
{
	struct err e = ERR_INIT;

	if (reap_kill_descendants_but(detached_is, STRAGGLERS_MS, &e) < 0)
		log_error("%s", e.msg);
	loop_cancel(r->loop, r->kill_timer);
	loop_cancel(r->loop, r->wait_timer);
	r->kill_timer = r->wait_timer = 0;
	if (r->relay)
		return; /* its end is seen when the last user of the terminal is gone */
	step_io_finish(r->io, finish, r);
}

static void on_wait_over(void *arg)
{
	struct step_run *r = arg;

	r->wait_timer = 0;
	log_info("First task exited %" PRIu32 "s ago", r->spec->wait);
	step_run_report(r);
	step_run_end(r, END_BAD_EXIT);
}

static void after_task(struct step_run *r, const struct exit_status *st)
{
	if (st->code > r->status.code)
		r->status = *st;
	if (r->running == 0)
		return;
	if (r->spec->kill_on_bad_exit > 0 && st->code && r->why == END_NOT)
		step_run_end(r, END_BAD_EXIT);
	else if (r->spec->wait && !r->wait_timer && r->why == END_NOT)
		r->wait_timer = loop_after(r->loop, (int64_t)r->spec->wait * 1000, on_wait_over, r);
}

static void task_ended(struct task *t, const struct exit_status *st)
{
	struct step_run *r = t->run;
	struct step_task *rec = record_of(t);

	rec->ended = true;
	rec->exit_code = st->signal ? 0 : (uint32_t)st->code;
	rec->exit_signal = (uint32_t)st->signal;
	r->running--;
	if (r->spec->container && st->signal && r->place->step.spool)
		recover_tasks(r->place->step.spool);
	after_task(r, st);
}

static bool is_task(const void *arg, pid_t pid)
{
	const struct step_run *r = arg;

	for (uint32_t i = 0; i < r->spec->ntasks; i++)
		if (r->tasks[i].child.pid == pid)
			return true;
	return false;
}

void step_run_reap(const struct step_run *r)
{
	exit_reap_orphans(is_task, r);
}

static void on_task(void *arg, int fd, uint32_t events)
{
	struct task *t = arg;
	struct step_run *r = t->run;
	struct exit_status st = { .code = 1 };
	struct err e = ERR_INIT;

	(void)events;
	loop_remove(r->loop, fd);
	if (child_wait(&t->child, &st, &e) < 0)
		log_error("task %" PRIu32 ": %s", t->number, e.msg);
	task_ended(t, &st);
	report_task(r->spec, r->job, &r->place->step, t->number);
	if (r->running)
		step_run_reap(r);
	else
		end_stragglers(r);
}

static void on_terminal_done(void *arg)
{
	struct step_run *r = arg;

	pty_relay_free(take_ptr(&r->relay));
	if (!r->running)
		finish(r);
}

/* A terminal of its own for task 0, and ours made a pipe to it. */
static int open_terminal(struct step_run *r, int *slave, struct err *e)
{
	if (pty_open(STDIN_FILENO, &r->master, slave, e) < 0)
		return -1;
	r->relay_in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	r->relay_out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (r->relay_in < 0)
		r->relay_in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (r->relay_out < 0)
		r->relay_out = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return pty_raw_on(&r->raw, STDIN_FILENO, e);
}

static int start_task(struct step_run *r, struct launch *l, struct task *t, int slave, struct err *e)
{
	int fds[3] = { -1, -1, -1 }, code = 1, null = -1;
	bool tty = slave >= 0 && t->number == 0;
	struct err why = ERR_INIT;
	int result = 0;

	if (slave >= 0 && !tty)
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (slave < 0 && step_io_open(r->io, t->number, fds, e) < 0)
		return -1;
	for (int i = 0; slave >= 0 && i < 3; i++)
		fds[i] = tty ? slave : null;
	r->running++;
	if (task_start(l, t->number, fds, tty, &t->child, &code, &why) < 0) {
		struct exit_status st = { .code = code };

		report_launch(r->job, &r->place->step, &why);
		task_ended(t, &st);
		report_task(r->spec, r->job, &r->place->step, t->number);
	} else {
		proc_identify(t->child.pid, &record_of(t)->id);
		result = loop_add(r->loop, t->child.pidfd, EPOLLIN, on_task, t, e);
	}
	if (null >= 0)
		close(null);
	if (slave < 0)
		step_io_started(r->io, t->number);
	return result;
}

static int make_spool(struct step_run *r, struct err *e)
{
	cleanup(free) char *root = NULL, *name = NULL, *prefix = NULL;
	cleanup(close) int root_fd = state_spool(&root, e);

	if (root_fd < 0)
		return -1;
	prefix = xasprintf("%" PRIu32 ".%" PRIu32 ".", r->place->step.job, r->place->step.id);
	if (path_random_name(prefix, &name, e) < 0)
		return -1;
	r->place->step.spool = path_join(root, name);
	/* Written down before it is there, so that it is found whenever we may be killed. */
	if (place_save(r->place, e) < 0)
		return -1;
	if (mkdirat(root_fd, name, 0700) < 0)
		return err_sys(e, errno, "make folder %s", r->place->step.spool);
	return 0;
}

static void on_limit(void *arg)
{
	struct step_run *r = arg;

	r->limit_timer = 0;
	if (r->why == END_NOT)
		step_run_end(r, END_TIMEOUT);
}

static void none_left(void *arg)
{
	end_stragglers(arg);
}

static int start_tasks(struct step_run *r, struct err *e)
{
	struct launch l = { .job = r->job, .step = &r->place->step, .spec = r->spec };
	int slave = -1, result = 0;

	if (r->spec->container && make_spool(r, e) < 0)
		return -1;
	if (r->spec->pty && open_terminal(r, &slave, e) < 0)
		return -1;
	l.env = strv_copy(r->spec->env);
	taskenv_step(&l.env, r->job, &r->place->step, r->spec);
	for (uint32_t i = 0; i < r->spec->ntasks && result == 0; i++)
		result = start_task(r, &l, &r->tasks[i], slave, e);
	strv_free(l.env);
	if (slave >= 0)
		close(slave);
	if (result == 0 && r->master >= 0)
		result =
			pty_relay_new(r->loop, r->master, r->relay_in, r->relay_out, on_terminal_done, r, &r->relay, e);
	return result;
}

int step_run_start(struct loop *l, struct place *p, const struct job *j, const struct engine_step *spec,
		   step_done_fn *done, void *arg, struct step_run **out, struct err *e)
{
	struct filename_vars vars = { .job = j->id, .array_job = j->array_job ? j->array_job : j->id };
	cleanup(free) char *step_text = p->step.id == STEP_BATCH ? xstrdup("batch") : xasprintf("%" PRIu32, p->step.id);
	struct step_run *r = xcalloc(1, sizeof(*r));

	*r = (struct step_run){ .loop = l, .place = p, .job = j, .spec = spec, .done = done, .arg = arg };
	r->master = r->relay_in = r->relay_out = -1;
	r->raw = PTY_RAW_INIT;
	vars.array_task = j->array_task == ARRAY_NONE ? -1 : (int64_t)j->array_task;
	vars.step = step_text;
	vars.node_name = j->node;
	vars.user = j->user;
	vars.job_name = j->name;
	r->tasks = xcalloc(spec->ntasks, sizeof(*r->tasks));
	for (uint32_t i = 0; i < spec->ntasks; i++)
		r->tasks[i] = (struct task){ .run = r, .number = i, .child = CHILD_INIT };
	signal(SIGPIPE, SIG_IGN);
	if (reap_become_subreaper(e) < 0 || step_io_new(l, spec, &vars, &r->io, e) < 0 || start_tasks(r, e) < 0) {
		reap_kill_descendants_but(detached_is, STRAGGLERS_MS, NULL);
		if (p->step.spool)
			recover_spool(p->step.spool);
		step_run_free(r);
		return -1;
	}
	r->started = true;
	/* Only for those who look on; recovery finds what was started without it. */
	if (!p->own || !p->srun)
		place_save(p, NULL);
	if (!r->running)
		r->done_timer = loop_after(l, 0, none_left, r);
	else if (spec->time_limit)
		r->limit_timer = loop_after(l, (int64_t)spec->time_limit * 1000, on_limit, r);
	*out = r;
	return 0;
}

void step_run_signal_leader(struct step_run *r, int sig)
{
	if (r->master >= 0 && sig == SIGWINCH)
		pty_copy_size(STDIN_FILENO, r->master);
	for (uint32_t i = 0; i < r->spec->ntasks; i++)
		if (r->tasks[i].child.pid)
			child_signal(&r->tasks[i].child, sig, NULL);
}

void step_run_signal(struct step_run *r, int sig)
{
	if (r->spec->container || (r->master >= 0 && sig == SIGWINCH)) {
		step_run_signal_leader(r, sig);
		return;
	}
	/* A task leads a session and a process group of its own, whose number is its pid while it is not reaped. */
	for (uint32_t i = 0; i < r->spec->ntasks; i++)
		if (r->tasks[i].child.pid)
			kill(-r->tasks[i].child.pid, sig);
}

static void kill_all(void *arg)
{
	struct step_run *r = arg;

	r->kill_timer = 0;
	r->killed = true;
	step_run_signal(r, SIGKILL);
	/* What it writes to does not take it; nobody is to wait for that any more. */
	if (!r->running && r->io)
		step_io_abandon(r->io);
}

void step_run_end(struct step_run *r, enum end_why why)
{
	bool again = r->why != END_NOT;

	if (!again) {
		r->why = why;
		report_end(r->spec, r->job, &r->place->step, why);
	}
	if (r->finished)
		return;
	if (again || why == END_JOB_OVER) {
		loop_cancel(r->loop, r->kill_timer);
		kill_all(r);
		return;
	}
	step_run_signal(r, SIGCONT);
	step_run_signal(r, SIGTERM);
	r->kill_timer = loop_after(r->loop, kill_wait_ms(), kill_all, r);
}

enum end_why step_run_why(const struct step_run *r)
{
	return r->why;
}

void step_run_report(const struct step_run *r)
{
	report_states(&r->place->step);
}

void step_run_free(struct step_run *r)
{
	if (!r)
		return;
	loop_cancel(r->loop, r->kill_timer);
	loop_cancel(r->loop, r->wait_timer);
	loop_cancel(r->loop, r->done_timer);
	loop_cancel(r->loop, r->limit_timer);
	for (uint32_t i = 0; i < r->spec->ntasks; i++) {
		if (r->tasks[i].child.pidfd >= 0)
			loop_remove(r->loop, r->tasks[i].child.pidfd);
		child_close(&r->tasks[i].child);
	}
	pty_relay_free(r->relay);
	pty_raw_off(&r->raw);
	step_io_free(r->io);
	for (size_t i = 0; i < 3; i++) {
		int fd = i == 0 ? r->master : i == 1 ? r->relay_in : r->relay_out;

		if (fd >= 0)
			close(fd);
	}
	free(r->tasks);
	free(r);
}
