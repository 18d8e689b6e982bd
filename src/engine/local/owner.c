/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/owner.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/path.h"
#include "engine/local/queue.h"

struct owner {
	struct state *st;
	struct loop *loop;
	struct job *job;
	int hold;
	struct control *control;
	struct owner_events ev;
	int limit_timer, warn_timer;
};

void owner_self(struct job_owner *o)
{
	*o = (struct job_owner){ 0 };
	proc_identify(getpid(), &o->id);
	snprintf(o->boot, sizeof(o->boot), "%s", proc_boot_id());
}

int64_t kill_wait_ms(void)
{
	const char *text = getenv("BERTH_KILL_WAIT");
	uint32_t seconds;

	return text && parse_u32(text, 0, 86400, &seconds, NULL) == 0 ? (int64_t)seconds * 1000 : 30000;
}

enum job_state owner_step_state(enum end_why why)
{
	return why == END_TIMEOUT ? JOB_TIMEOUT : JOB_CANCELLED;
}

/*
 * To the sockets of the job's steps that other processes run; each of them holds a file. Returns whether there was any.
 */
static bool tell_steps(struct owner *o, const struct control_msg *msg)
{
	cleanup(free) uint32_t *ids = NULL;
	size_t n;

	if (step_list_held(o->st, o->job->id, &ids, &n, NULL) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		control_send(o->job, ids[i], msg, NULL);
	return n > 0;
}

bool owner_end_steps(struct owner *o, enum end_why why)
{
	struct control_msg msg = { .verb = why == END_TIMEOUT	  ? CONTROL_TIMEOUT
					   : why == END_CANCELLED ? CONTROL_CANCEL
								  : CONTROL_END };

	return tell_steps(o, &msg);
}

static void on_message(void *arg, const struct control_msg *msg)
{
	struct owner *o = arg;

	switch (msg->verb) {
	case CONTROL_CANCEL:
		o->job->cancelled = true;
		o->job->cancelled_by = msg->from;
		owner_end_steps(o, END_CANCELLED);
		o->ev.end(o->ev.arg, END_CANCELLED, msg->from);
		break;
	case CONTROL_SIGNAL:
		if (msg->target != SIGNAL_BATCH)
			tell_steps(o, msg);
		o->ev.signal(o->ev.arg, msg->target, msg->sig);
		break;
	case CONTROL_TIMEOUT:
	case CONTROL_END:
		break;
	}
}

static void on_limit(void *arg)
{
	struct owner *o = arg;

	o->limit_timer = 0;
	owner_end_steps(o, END_TIMEOUT);
	o->ev.end(o->ev.arg, END_TIMEOUT, 0);
}

static void on_warn(void *arg)
{
	struct owner *o = arg;
	struct control_msg msg = { .verb = CONTROL_SIGNAL, .target = SIGNAL_STEPS, .sig = o->job->warn_signal };

	o->warn_timer = 0;
	if (!o->job->warn_batch)
		tell_steps(o, &msg);
	o->ev.signal(o->ev.arg, o->job->warn_batch ? SIGNAL_BATCH : SIGNAL_STEPS, o->job->warn_signal);
}

static void start_timers(struct owner *o)
{
	int64_t left = ((int64_t)o->job->start + o->job->time_limit - time(NULL)) * 1000;

	/* What was left when the job was granted counts; afterwards the clock may be set as it likes. */
	if (!o->job->time_limit)
		return;
	if (left < 0 || left > (int64_t)o->job->time_limit * 1000)
		left = (int64_t)o->job->time_limit * 1000;
	o->limit_timer = loop_after(o->loop, left, on_limit, o);
	if (o->job->warn_signal) {
		int64_t warn = left - (int64_t)o->job->warn_before * 1000;

		o->warn_timer = loop_after(o->loop, warn > 0 ? warn : 0, on_warn, o);
	}
}

int owner_new(struct state *st, struct loop *l, struct job *j, int hold, const struct owner_events *ev,
	      struct owner **out, struct err *e)
{
	struct owner *o = xcalloc(1, sizeof(*o));

	*o = (struct owner){ .st = st, .loop = l, .job = j, .hold = hold, .ev = *ev };
	if (control_listen(l, j, STEP_NONE, on_message, o, &o->control, e) < 0) {
		owner_free(o);
		return -1;
	}
	start_timers(o);
	*out = o;
	return 0;
}

int owner_dir(const struct owner *o)
{
	return o->hold;
}

static void set_result(struct job *j, const struct exit_status *status, enum end_why why)
{
	j->exit_code = status->signal ? 0 : (uint32_t)status->code;
	j->exit_signal = (uint32_t)status->signal;
	j->end = time(NULL);
	j->reason = REASON_NONE;
	if (j->cancelled || why == END_CANCELLED) {
		j->state = JOB_CANCELLED;
	} else if (why == END_TIMEOUT) {
		j->state = JOB_TIMEOUT;
		j->reason = REASON_TIME_LIMIT;
	} else if (status->code || status->signal) {
		j->state = JOB_FAILED;
		j->reason = status->signal ? REASON_SIGNALED : REASON_NONZERO_EXIT;
	} else {
		j->state = JOB_COMPLETED;
	}
}

static uint32_t highest_of_steps(struct owner *o)
{
	struct step_list l;
	uint32_t code = 0;

	if (step_list_load(o->st, o->job->id, &l, NULL) < 0)
		return 0;
	for (size_t i = 0; i < l.n; i++)
		if (l.steps[i].id < STEP_INTERACTIVE && l.steps[i].exit_code > code)
			code = l.steps[i].exit_code;
	step_list_free(&l);
	return code;
}

int owner_finish(struct owner *o, const struct exit_status *status, enum end_why why, struct err *e)
{
	struct job *j = o->job;
	bool batch = j->kind == JOB_SBATCH;
	int r;

	set_result(j, status, why);
	j->derived_exit_code = j->kind == JOB_SRUN ? j->exit_code : highest_of_steps(o);
	j->owner = (struct job_owner){ 0 };
	/* On a full disk: what was kept back for this moment. */
	unlinkat(o->hold, "reserve", 0);
	if ((batch ? job_save(o->st, j, true, e) : job_rewrite(o->st, j, e)) < 0)
		return -1;
	control_close(take_ptr(&o->control));
	if (state_lock(o->st, e) < 0)
		return -1;
	state_active_remove(o->st, j->id, ACTIVE_RUNNING);
	r = queue_advance(o->st, NULL, e);
	state_unlock(o->st);
	return r;
}

void owner_free(struct owner *o)
{
	if (!o)
		return;
	loop_cancel(o->loop, o->limit_timer);
	loop_cancel(o->loop, o->warn_timer);
	control_close(o->control);
	if (o->hold >= 0)
		close(o->hold);
	free(o);
}
