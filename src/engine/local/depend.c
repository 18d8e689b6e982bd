/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "engine/local/queue.h"
#include "engine/local/record.h"
#include "engine/spec/spec.h"

static void wake_at(time_t *wake, time_t when)
{
	if (!*wake || when < *wake)
		*wake = when;
}

/* One job, not a whole array, against one condition. */
static enum ready check_one(const struct job *on, const struct spec_depend_item *item, time_t now, time_t *wake)
{
	bool ended = job_state_ended(on->state);
	time_t when;

	switch (item->type) {
	case DEPEND_AFTER:
		if (!ended && (!on->start || on->state == JOB_PENDING))
			return NOT_READY;
		when = (on->start ? on->start : on->end) + (time_t)item->minutes * 60;
		if (now >= when)
			return READY;
		wake_at(wake, when);
		return NOT_READY;
	case DEPEND_AFTERANY:
		return ended ? READY : NOT_READY;
	case DEPEND_AFTEROK:
	case DEPEND_AFTERCORR:
		return !ended ? NOT_READY : on->state == JOB_COMPLETED ? READY : NEVER_READY;
	case DEPEND_AFTERNOTOK:
		return !ended ? NOT_READY : on->state != JOB_COMPLETED ? READY : NEVER_READY;
	case DEPEND_SINGLETON:
		break;
	}
	return READY;
}

/* The element of an array is found by its number where the numbers are evenly spaced, which is the usual case. */
static enum ready check_element(struct state *st, const struct job *first, const struct spec_depend_item *item,
				int64_t element, time_t now, time_t *wake)
{
	int64_t guess = first->array_step ? (element - first->array_min) / first->array_step : 0;
	enum ready r = NEVER_READY;
	bool found = false;
	struct job on;

	for (int64_t i = -1; i < first->array_count && !found; i++) {
		int64_t at = i < 0 ? guess : i;

		if (at < 0 || at >= first->array_count || job_load(st, first->id + (uint32_t)at, &on, NULL) < 0)
			continue;
		found = on.array_job == first->id && on.array_task == element;
		if (found)
			r = check_one(&on, item, now, wake);
		job_free(&on);
	}
	return r;
}

/*
 * All elements of the array that begins with job FIRST, the last one first: while one is to come, which is most likely
 * the last, no other has to be read.
 */
static enum ready check_all(struct state *st, const struct job *first, const struct spec_depend_item *item, time_t now,
			    time_t *wake)
{
	enum ready worst = READY;
	bool found = false;

	for (uint32_t i = first->array_count; i-- && worst != NOT_READY;) {
		enum ready r;
		struct job on;

		if (job_load(st, first->id + i, &on, NULL) < 0)
			continue;
		if (on.array_job == first->id) {
			found = true;
			r = check_one(&on, item, now, wake);
			worst = worst == READY || r == NOT_READY ? r : worst;
		}
		job_free(&on);
	}
	return found ? worst : NEVER_READY;
}

/* Every element of an array asks the same about the same other array. */
static enum ready check_array(struct state *st, const struct job *first, const struct spec_depend_item *item,
			      const struct queue_moment *m, time_t *wake)
{
	struct depend_memo *memo = m->memo;
	enum ready r;

	if (memo && memo->job == first->id && memo->type == (int)item->type)
		return memo->answer;
	r = check_all(st, first, item, m->now, wake);
	if (memo && item->type != DEPEND_AFTER)
		*memo = (struct depend_memo){ .job = first->id, .type = (int)item->type, .answer = r };
	return r;
}

static enum ready check_item(struct state *st, const struct job *j, const struct spec_depend_item *item,
			     const struct queue_moment *m, time_t *wake)
{
	int64_t element = item->element;
	struct job on;
	enum ready r;

	if (job_load(st, item->job, &on, NULL) < 0)
		return item->type == DEPEND_AFTEROK || item->type == DEPEND_AFTERCORR ? NEVER_READY : READY;
	if (item->type == DEPEND_AFTERCORR && j->array_task != ARRAY_NONE)
		element = j->array_task;
	if (on.array_task == ARRAY_NONE || on.array_job != on.id)
		r = check_one(&on, item, m->now, wake);
	else if (element >= 0)
		r = check_element(st, &on, item, element, m->now, wake);
	else
		r = check_array(st, &on, item, m, wake);
	job_free(&on);
	return r;
}

/* An earlier job of the same name that has not ended. */
static enum ready check_singleton(struct state *st, const struct job *j)
{
	enum ready r = READY;
	struct job_list l;

	if (job_list_load(st, false, &l, NULL) < 0)
		return NOT_READY;
	for (size_t i = 0; i < l.n && l.jobs[i].id < j->id; i++)
		if (l.jobs[i].name && j->name && strcmp(l.jobs[i].name, j->name) == 0)
			r = NOT_READY;
	job_list_free(&l);
	return r;
}

static enum ready check_dependency(struct state *st, const struct job *j, const struct queue_moment *m, time_t *wake)
{
	struct spec_depend d;
	size_t met = 0, never = 0;
	size_t n;
	bool any;

	/* It was checked at submission; a record that was changed by hand is never satisfied. */
	if (spec_depend(j->dependency, &d, NULL) < 0)
		return NEVER_READY;
	for (size_t i = 0; i < d.n; i++) {
		enum ready r = d.items[i].type == DEPEND_SINGLETON ? check_singleton(st, j)
								   : check_item(st, j, &d.items[i], m, wake);

		met += r == READY;
		never += r == NEVER_READY;
	}
	n = d.n;
	any = d.any;
	spec_depend_free(&d);
	if (any)
		return met || !n ? READY : never == n ? NEVER_READY : NOT_READY;
	return never ? NEVER_READY : met == n ? READY : NOT_READY;
}

enum ready queue_ready(struct state *st, const struct job *j, const struct queue_moment *m, enum job_reason *reason,
		       time_t *wake)
{
	enum ready r;

	if (j->hold) {
		*reason = REASON_HELD_USER;
		return NOT_READY;
	}
	if (j->dependency) {
		r = check_dependency(st, j, m, wake);
		*reason = r == NEVER_READY ? REASON_DEPENDENCY_NEVER : REASON_DEPENDENCY;
		if (r != READY)
			return r;
	}
	if (j->begin > m->now) {
		wake_at(wake, j->begin);
		*reason = REASON_BEGIN_TIME;
		return NOT_READY;
	}
	return READY;
}
