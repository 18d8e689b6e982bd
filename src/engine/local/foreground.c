/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "engine/local/alloc.h"
#include "engine/local/batch.h"
#include "engine/local/control.h"
#include "engine/local/local.h"
#include "engine/local/owner.h"
#include "engine/local/recover.h"
#include "engine/local/step.h"
#include "engine/local/taskenv.h"
#include "proc/spawn.h"

/* The engine as srun and salloc use it: a process that waits in front of its user. */

struct local {
	struct engine base;
	struct state st;
	struct loop *loop;
	bool give_up;  /* a signal that ends waiting came, or the job is over */
	bool job_over; /* cancelled, timed out, or its owner is gone */
	enum end_why why;
	struct job *job;
	struct owner *owner; /* of the job, where it is ours */
	/* the step that runs */
	const struct engine_step *spec;
	struct place place;
	struct step_run *run;
	struct control *control; /* of the step, in somebody else's job */
	bool step_done;
	struct exit_status status;
	int64_t last_interrupt;
	uint32_t interrupts;
	/* salloc's command */
	struct child command;
	int kill_signal, kill_timer;
	bool command_ended;
};

static struct local *of(struct engine *en)
{
	return (struct local *)en;
}

static void command_kill(void *arg)
{
	struct local *l = arg;

	l->kill_timer = 0;
	if (l->command.pid)
		child_signal(&l->command, SIGKILL, NULL);
}

static void end_job(struct local *l, enum end_why why, uid_t by)
{
	l->job_over = l->give_up = true;
	if (l->why == END_NOT)
		l->why = why;
	if (l->run) {
		l->place.step.cancelled = why == END_CANCELLED;
		l->place.step.cancelled_by = by;
		step_run_end(l->run, why);
	}
	if (l->command.pid && !l->kill_timer) {
		/* A shell that waits for its user ignores TERM. */
		child_signal(&l->command, l->kill_signal, NULL);
		child_signal(&l->command, SIGCONT, NULL);
		l->kill_timer = loop_after(l->loop, kill_wait_ms(), command_kill, l);
	}
}

static void on_job_end(void *arg, enum end_why why, uid_t by)
{
	end_job(arg, why, by);
}

static void on_job_signal(void *arg, enum signal_target target, int sig)
{
	struct local *l = arg;

	if (l->run && (target != SIGNAL_BATCH || l->spec->id == STEP_INTERACTIVE))
		step_run_signal(l->run, sig);
	else if (l->command.pid && target != SIGNAL_STEPS)
		child_signal(&l->command, sig, NULL);
}

static void on_step_message(void *arg, const struct control_msg *msg)
{
	struct local *l = arg;

	switch (msg->verb) {
	case CONTROL_SIGNAL:
		if (l->run)
			step_run_signal(l->run, msg->sig);
		break;
	case CONTROL_CANCEL:
		end_job(l, END_CANCELLED, msg->from);
		break;
	case CONTROL_TIMEOUT:
		end_job(l, END_TIMEOUT, 0);
		break;
	case CONTROL_END:
		end_job(l, END_JOB_OVER, 0);
		break;
	}
}

/* Ctrl-C as Slurm's users know it: the first tells, the second within a second ends, the third does not wait. */
static void on_interrupt(struct local *l)
{
	int64_t now = clock_ms();
	bool soon = l->interrupts && now - l->last_interrupt <= 1000;

	l->last_interrupt = now;
	if (step_run_why(l->run) != END_NOT) {
		step_run_end(l->run, END_INTERRUPTED);
		return;
	}
	if (!soon && !l->spec->disable_status && !l->spec->quit_on_interrupt) {
		l->interrupts = 1;
		log_info("interrupt (one more within 1 sec to abort)");
		step_run_report(l->run);
		return;
	}
	log_info("sending Ctrl-C to StepId=%" PRIu32 ".%" PRIu32, l->place.step.job, l->place.step.id);
	step_run_signal(l->run, SIGINT);
	step_run_end(l->run, END_INTERRUPTED);
}

static void on_step_signal(struct local *l, int sig, pid_t sender)
{
	switch (sig) {
	case SIGINT:
		/* One that somebody sent to us alone is passed on like any other. */
		if (sender == 0)
			on_interrupt(l);
		else
			step_run_signal(l->run, SIGINT);
		break;
	case SIGTERM:
	case SIGHUP:
		step_run_signal(l->run, sig);
		step_run_end(l->run, END_INTERRUPTED);
		break;
	case SIGCHLD:
		step_run_reap(l->run);
		break;
	default:
		step_run_signal(l->run, sig);
	}
}

static void on_signal(void *arg, int sig, pid_t sender)
{
	struct local *l = arg;

	if (l->run && !l->step_done)
		on_step_signal(l, sig, sender);
	else if (l->command.pid) {
		/* The terminal's reach the command as well; those that were sent to us are meant for both. */
		if (sender && sig != SIGWINCH && sig != SIGCHLD)
			child_signal(&l->command, sig, NULL);
	} else if (sig == SIGINT || sig == SIGTERM || sig == SIGHUP || sig == SIGQUIT) {
		l->give_up = true;
		loop_stop(l->loop);
	}
}

static int install_signals(struct local *l, struct err *e)
{
	static const int wanted[] = { SIGINT,  SIGTERM, SIGHUP,	 SIGQUIT,  SIGUSR1,
				      SIGUSR2, SIGCONT, SIGALRM, SIGWINCH, SIGCHLD };
	struct sigaction sa;
	sigset_t set;

	sigemptyset(&set);
	/* What whoever started us had ignored (nohup, a script's background) stays so. */
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		if (sigaction(wanted[i], NULL, &sa) == 0 && sa.sa_handler != SIG_IGN)
			sigaddset(&set, wanted[i]);
	return loop_signals(l->loop, &set, on_signal, l, e);
}

static void say_queued(const struct job *j)
{
	if (j->kind == JOB_SALLOC)
		log_info("Pending job allocation %" PRIu32, j->id);
	log_info("job %" PRIu32 " queued and waiting for resources", j->id);
}

static void say_granted(const struct job *j)
{
	log_info("job %" PRIu32 " has been allocated resources", j->id);
}

static int op_allocate(struct engine *en, struct job *job, const struct engine_wait *wait, struct err *e)
{
	struct local *l = of(en);
	const struct owner_events ev = { .end = on_job_end, .signal = on_job_signal, .arg = l };
	struct alloc_wait w = { .loop = l->loop, .give_up = &l->give_up, .immediate = wait->immediate };
	int hold;

	if (!wait->quiet) {
		w.queued = say_queued;
		w.granted = say_granted;
	}
	if (alloc_take(&l->st, job, &w, &hold, e) < 0)
		return -1;
	l->job = job;
	return owner_new(&l->st, l->loop, job, hold, &ev, &l->owner, e);
}

static int op_release(struct engine *en, struct job *job, const struct exit_status *status, struct err *e)
{
	struct local *l = of(en);
	bool others;
	int r;

	if (!l->owner)
		return 0;
	others = owner_end_steps(l->owner, END_JOB_OVER);
	r = owner_finish(l->owner, status, l->why, e);
	owner_free(take_ptr(&l->owner));
	if (others)
		recover_steps(&l->st, job->id, owner_step_state(l->why));
	l->job = NULL;
	return r;
}

static void on_step_done(void *arg, const struct exit_status *status)
{
	struct local *l = arg;

	l->status = *status;
	l->step_done = true;
	loop_stop(l->loop);
}

/* The owner of somebody else's job, in which our step runs. */
static void on_owner_gone(void *arg, int fd, uint32_t events)
{
	struct local *l = arg;

	(void)events;
	loop_remove(l->loop, fd);
	end_job(l, END_JOB_OVER, 0);
}

static uint32_t parent_step(const struct engine_step *spec, const struct job *j)
{
	const char *job = env_get(spec->env, "SLURM_JOB_ID"), *step = env_get(spec->env, "SLURM_STEP_ID");
	uint32_t job_id, id;

	if (!job || !step || parse_u32(job, 1, UINT32_MAX, &job_id, NULL) < 0 || job_id != j->id ||
	    parse_u32(step, 0, UINT32_MAX, &id, NULL) < 0)
		return STEP_NONE;
	return id;
}

static int run_placed(struct local *l, struct job *j, const struct engine_step *spec, struct err *e)
{
	if (!l->owner && control_listen(l->loop, j, l->place.step.id, on_step_message, l, &l->control, e) < 0)
		return -1;
	/* The job may have ended between our looking at it and our listening. */
	if (!l->owner && !job_is_held(&l->st, j->id))
		return err_set(e, "Job/step already completing or completed");
	if (l->give_up)
		return err_set(e, "interrupted before the step began");
	if (step_run_start(l->loop, &l->place, j, spec, on_step_done, l, &l->run, e) < 0)
		return -1;
	while (!l->step_done)
		if (loop_run(l->loop, e) < 0)
			return -1;
	return 0;
}

static int run_step(struct local *l, struct job *j, const struct engine_step *spec, int dir, struct err *e)
{
	enum job_state failed = JOB_FAILED;
	int r;

	l->spec = spec;
	l->step_done = false;
	place_init(&l->place, &l->st, dir, j, spec, l->owner != NULL);
	r = place_wait(&l->place, l->loop, j, spec, parent_step(spec, j), &l->give_up, e);
	if (r == 0) {
		r = run_placed(l, j, spec, e);
		if (r < 0)
			place_end(&l->place, failed);
	}
	control_close(take_ptr(&l->control));
	if (l->run && l->why == END_NOT && l->owner)
		l->why = step_run_why(l->run);
	step_run_free(take_ptr(&l->run));
	place_free(&l->place);
	return r;
}

static int op_run_step(struct engine *en, struct job *job, const struct engine_step *spec, struct exit_status *out,
		       struct err *e)
{
	struct local *l = of(en);
	cleanup(close) int dir = -1, owner = -1;
	int r;

	if (l->owner) {
		r = run_step(l, job, spec, owner_dir(l->owner), e);
		*out = l->status;
		return r;
	}
	dir = state_job_dir(&l->st, job->id, e);
	if (dir < 0)
		return -1;
	owner = proc_open(&job->owner.id);
	if (owner < 0 || loop_add(l->loop, owner, EPOLLIN, on_owner_gone, l, NULL) < 0)
		return err_set(e, "Job/step already completing or completed");
	r = run_step(l, job, spec, dir, e);
	loop_remove(l->loop, owner);
	*out = l->status;
	return r;
}

static int op_submit(struct engine *en, struct job *job, const char *text, size_t len, char *const *args,
		     char *const *env, const uint32_t *tasks, size_t n_tasks, struct err *e)
{
	const struct batch b = { .text = text, .len = len, .args = args, .env = env };

	return batch_submit(&of(en)->st, job, &b, tasks, n_tasks, e);
}

static int op_signal(struct engine *en, uint32_t job, enum signal_target target, uint32_t step, int sig, struct err *e)
{
	return local_signal(&of(en)->st, job, target, step, sig, e);
}

static int op_cancel(struct engine *en, uint32_t job, uint32_t step, struct err *e)
{
	return local_cancel(&of(en)->st, job, step, e);
}

static int op_describe(struct engine *en, uint32_t job, struct job *out, struct err *e)
{
	struct err why = ERR_INIT;

	if (job_load(&of(en)->st, job, out, &why) == 0)
		return 0;
	if (why.code == ENOENT)
		err_set(e, "Invalid job id specified");
	else
		err_set(e, "%s", why.msg);
	if (e)
		e->code = why.code == ENOENT ? ESRCH : why.code;
	return -1;
}

static const struct engine_ops local_ops = {
	.allocate = op_allocate,
	.submit = op_submit,
	.run_step = op_run_step,
	.signal = op_signal,
	.cancel = op_cancel,
	.describe = op_describe,
	.release = op_release,
};

int engine_open_local(struct engine **out, struct err *e)
{
	struct local *l = xcalloc(1, sizeof(*l));

	l->base.ops = &local_ops;
	l->st = STATE_INIT;
	l->place = PLACE_INIT;
	l->command = CHILD_INIT;
	if (local_open(&l->st, e) < 0 || loop_new(&l->loop, e) < 0 || install_signals(l, e) < 0) {
		engine_close(&l->base);
		return -1;
	}
	*out = &l->base;
	return 0;
}

void engine_close(struct engine *en)
{
	struct local *l = of(en);

	if (!l)
		return;
	owner_free(l->owner);
	loop_free(l->loop);
	state_close(&l->st);
	free(l);
}

struct state *local_state(struct engine *en)
{
	return &of(en)->st;
}

static void on_command(void *arg, int fd, uint32_t events)
{
	struct local *l = arg;

	(void)events;
	loop_remove(l->loop, fd);
	l->command_ended = true;
	loop_stop(l->loop);
}

int local_run_command(struct engine *en, char *const *argv, char *const *env, int kill_signal, struct exit_status *out,
		      bool *revoked, struct err *e)
{
	struct local *l = of(en);
	const char *path = env_get(env, "PATH");
	cleanup(free) char *program = spawn_find(argv[0], path ? path : "/usr/local/bin:/usr/bin:/bin");
	struct spawn s = SPAWN_INIT;

	if (!program)
		return err_sys(e, ENOENT, "%s", argv[0]);
	s.path = program;
	s.argv = argv;
	s.envp = env;
	l->kill_signal = kill_signal;
	if (spawn_start(&s, &l->command, e) < 0 || loop_add(l->loop, l->command.pidfd, EPOLLIN, on_command, l, e) < 0)
		return -1;
	/* The job may have ended before there was a command that could be told. */
	if (l->job_over)
		end_job(l, l->why, 0);
	while (!l->command_ended)
		if (loop_run(l->loop, e) < 0)
			return -1;
	loop_cancel(l->loop, l->kill_timer);
	*revoked = l->job_over;
	return child_wait(&l->command, out, e);
}
