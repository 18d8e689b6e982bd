/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/num.h"
#include "proc/user.h"

void list_filter_free(struct list_filter *f)
{
	char **lists[] = {
		f->accounts, f->names, f->partitions, f->qos, f->reservations, f->users, f->nodes, f->wckeys
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		strv_free(lists[i]);
	for (size_t i = 0; i < f->n_ids; i++)
		spec_jobid_free(&f->ids[i]);
	free(f->ids);
	*f = (struct list_filter){ 0 };
}

void list_filter_add(char ***list, const char *text)
{
	cleanup(strv) char **parts = str_split(text, ",");

	for (char **p = parts; p && *p; p++) {
		if (**p)
			strv_push(list, *p);
	}
}

/* Commas inside of brackets belong to one id: 12_[1,3],14. */
int list_filter_ids(struct list_filter *f, const char *text, struct err *e)
{
	while (*text) {
		size_t n = 0;
		cleanup(free) char *one = NULL;

		for (bool in = false; text[n] && (in || text[n] != ','); n++)
			in = text[n] == '[' || (in && text[n] != ']');
		one = xstrndup(text, n);
		f->ids = xrealloc(f->ids, f->n_ids + 1, sizeof(*f->ids));
		if (spec_jobid(one, &f->ids[f->n_ids], e) < 0)
			return -1;
		f->n_ids++;
		text += n + (text[n] == ',');
	}
	return 0;
}

int list_filter_states(struct list_filter *f, const char *text, struct err *e)
{
	cleanup(strv) char **parts = str_split(text, ",");

	for (char **p = parts; p && *p; p++) {
		enum job_state s;

		if (strcmp(*p, "all") == 0) {
			f->any_state = true;
			continue;
		}
		if (job_state_parse(*p, &s, e) < 0)
			return -1;
		f->states[s] = true;
	}
	return 0;
}

int list_filter_users(struct list_filter *f, const char *text, struct err *e)
{
	cleanup(strv) char **parts = str_split(text, ",");

	for (char **p = parts; p && *p; p++) {
		cleanup(user) struct user u = { 0 };
		uint32_t uid;

		if (parse_u32(*p, 0, UINT32_MAX, &uid, NULL) < 0) {
			if (user_by_name(*p, &u, e) < 0)
				return err_wrap(e, "invalid user '%.64s'", *p);
			uid = u.uid;
		}
		strv_push_own(&f->users, xasprintf("%u", uid));
	}
	return 0;
}

bool list_id_is(const struct spec_jobid *id, const struct job *j)
{
	if (j->array_task == ARRAY_NONE)
		return !id->has_array && id->job == j->id;
	if (!id->has_array)
		return id->job == j->array_job || id->job == j->id;
	for (size_t i = 0; i < id->array.n; i++) {
		if (id->job == j->array_job && id->array.ids[i] == j->array_task)
			return true;
	}
	return false;
}

uint32_t list_step_number(const struct spec_jobid *id)
{
	switch (id->step) {
	case SPEC_STEP_NONE:
	case SPEC_STEP_EXTERN:
		return STEP_NONE;
	case SPEC_STEP_BATCH:
		return STEP_BATCH;
	case SPEC_STEP_INTERACTIVE:
		return STEP_INTERACTIVE;
	default:
		return (uint32_t)id->step;
	}
}

static bool passes(char *const *list, const char *value)
{
	return !list || (value && strv_has(list, value));
}

static bool id_passes(const struct list_filter *f, const struct job *j)
{
	for (size_t i = 0; i < f->n_ids; i++) {
		if (list_id_is(&f->ids[i], j))
			return true;
	}
	return f->n_ids == 0;
}

bool list_filter_job(const struct list_filter *f, const struct job *j)
{
	cleanup(free) char *uid = xasprintf("%u", j->uid);

	return (f->any_state || f->states[j->state]) && id_passes(f, j) && passes(f->users, uid) &&
	       passes(f->names, j->name) && passes(f->accounts, j->account) &&
	       passes(f->partitions, j->partition ? j->partition : "local") && passes(f->qos, j->qos) &&
	       passes(f->reservations, j->reservation) && passes(f->wckeys, j->wckey) &&
	       (!f->nodes || strv_has(f->nodes, "localhost") || passes(f->nodes, j->node));
}
