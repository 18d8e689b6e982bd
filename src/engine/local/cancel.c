/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "engine/local/control.h"
#include "engine/local/local.h"
#include "engine/local/queue.h"
#include "engine/local/recover.h"

enum { TELL_TRIES = 200, TELL_PAUSE_MS = 10 };

static int fail(struct err *e, int code, const char *text)
{
	err_set(e, "%s", text);
	if (e)
		e->code = code;
	return -1;
}

static int load_active(struct state *st, uint32_t id, struct job *j, struct err *e)
{
	struct err why = ERR_INIT;

	if (job_load(st, id, j, &why) < 0)
		return why.code == ENOENT ? fail(e, ESRCH, "Invalid job id specified") : err_set(e, "%s", why.msg);
	if (job_state_ended(j->state)) {
		job_free(j);
		return fail(e, EALREADY, "Job/step already completing or completed");
	}
	return 0;
}

/* An owner that is just being started does not listen yet; one that has just ended will never. */
static int tell(struct state *st, uint32_t id, uint32_t step, const struct control_msg *msg, struct err *e)
{
	for (int i = 0; i < TELL_TRIES; i++) {
		struct err why = ERR_INIT;
		struct job j;
		int r;

		if (load_active(st, id, &j, e) < 0)
			return -1;
		r = control_send(&j, step, msg, &why);
		/* A step of the job's owner has no socket of its own. */
		if (r < 0 && why.code == ECONNREFUSED && step != STEP_NONE)
			r = control_send(&j, STEP_NONE, msg, &why);
		job_free(&j);
		if (r == 0)
			return 0;
		if (why.code != ECONNREFUSED)
			return err_set(e, "%s", why.msg);
		if (!job_is_held(st, id))
			return recover(st, e) < 0 ? -1 : fail(e, EALREADY, "Job/step already completing or completed");
		poll(NULL, 0, TELL_PAUSE_MS);
	}
	return fail(e, EAGAIN, "its owner does not answer");
}

/* 1: it is pending and has been ended; 0: it runs. */
static int cancel_pending(struct state *st, uint32_t id, struct err *e)
{
	static const enum active_kind kinds[] = { ACTIVE_QUEUED, ACTIVE_WAITING, ACTIVE_FOREGROUND };
	struct job j;
	int r;

	if (load_active(st, id, &j, e) < 0)
		return -1;
	if (j.state != JOB_PENDING) {
		job_free(&j);
		return 0;
	}
	j.state = JOB_CANCELLED;
	j.cancelled = true;
	j.cancelled_by = geteuid();
	j.end = time(NULL);
	r = job_save(st, &j, j.kind == JOB_SBATCH, e);
	for (size_t i = 0; r == 0 && i < sizeof(kinds) / sizeof(*kinds); i++)
		state_active_remove(st, id, kinds[i]);
	if (r == 0)
		r = queue_advance(st, NULL, e);
	job_free(&j);
	return r < 0 ? -1 : 1;
}

static int check_step(struct state *st, uint32_t job, uint32_t step, struct err *e)
{
	struct step_list l;
	int found = 0, ended = 0;

	if (step_list_load(st, job, &l, e) < 0)
		return -1;
	for (size_t i = 0; i < l.n; i++) {
		if (l.steps[i].id == step) {
			found = 1;
			ended = job_state_ended(l.steps[i].state);
		}
	}
	step_list_free(&l);
	if (!found)
		return fail(e, ESRCH, "Invalid job id specified");
	return ended ? fail(e, EALREADY, "Job/step already completing or completed") : 0;
}

int local_cancel(struct state *st, uint32_t job, uint32_t step, struct err *e)
{
	const struct control_msg msg = { .verb = CONTROL_CANCEL };
	int r;

	if (step != STEP_NONE)
		return check_step(st, job, step, e) < 0 ? -1 : tell(st, job, step, &msg, e);
	if (state_lock(st, e) < 0)
		return -1;
	r = cancel_pending(st, job, e);
	state_unlock(st);
	return r < 0 ? -1 : r ? 0 : tell(st, job, STEP_NONE, &msg, e);
}

int local_signal(struct state *st, uint32_t job, enum signal_target target, uint32_t step, int sig, struct err *e)
{
	const struct control_msg msg = { .verb = CONTROL_SIGNAL, .target = target, .sig = sig };
	bool pending;
	struct job j;

	if (load_active(st, job, &j, e) < 0)
		return -1;
	pending = j.state == JOB_PENDING;
	job_free(&j);
	if (pending)
		return fail(e, EAGAIN, "Job is pending execution");
	if (target == SIGNAL_STEP && check_step(st, job, step, e) < 0)
		return -1;
	return tell(st, job, target == SIGNAL_STEP ? step : STEP_NONE, &msg, e);
}

int local_open(struct state *st, struct err *e)
{
	if (state_open(st, e) < 0)
		return -1;
	if (recover(st, e) < 0) {
		state_close(st);
		return -1;
	}
	return 0;
}
