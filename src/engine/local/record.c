/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"

enum type { U32, U64, I64, INT, BOOL, STR, STRV, STATE, REASON, KIND, OWNER, TASK };

struct field {
	const char *key;
	enum type type;
	size_t at;
};

#define J(member, type)                                     \
	{                                                   \
#member, type, offsetof(struct job, member) \
	}
#define S(member, type)                                      \
	{                                                    \
#member, type, offsetof(struct step, member) \
	}

static const struct field job_fields[] = {
	J(id, U32),
	J(kind, KIND),
	J(state, STATE),
	J(reason, REASON),
	J(array_job, U32),
	J(array_task, U32),
	J(array_count, U32),
	J(array_min, U32),
	J(array_max, U32),
	J(array_step, U32),
	J(array_limit, U32),
	J(name, STR),
	J(account, STR),
	J(partition, STR),
	J(qos, STR),
	J(comment, STR),
	J(reservation, STR),
	J(wckey, STR),
	J(recorded, STRV),
	J(uid, U32),
	J(gid, U32),
	J(user, STR),
	J(group, STR),
	J(node, STR),
	J(submit, I64),
	J(eligible, I64),
	J(start, I64),
	J(end, I64),
	J(begin, I64),
	J(time_limit, U32),
	J(ntasks, U32),
	J(cpus_per_task, U32),
	J(cpus_per_task_set, BOOL),
	J(cpus, U32),
	J(cpu_list, STR),
	J(mem, U64),
	J(exclusive, BOOL),
	J(hold, BOOL),
	J(requeue, BOOL),
	J(restarts, U32),
	J(kill_on_invalid_dep, BOOL),
	J(dependency, STR),
	J(warn_signal, INT),
	J(warn_before, U32),
	J(warn_batch, BOOL),
	J(umask, U32),
	J(work_dir, STR),
	J(submit_dir, STR),
	J(command, STR),
	J(submit_line, STR),
	J(std_in, STR),
	J(std_out, STR),
	J(std_err, STR),
	J(append, BOOL),
	J(container, STR),
	J(container_id, STR),
	J(exit_code, U32),
	J(exit_signal, U32),
	J(derived_exit_code, U32),
	J(cancelled, BOOL),
	J(cancelled_by, U32),
	J(owner, OWNER),
	J(mark, STR),
};

static const struct field step_fields[] = {
	S(job, U32),
	S(id, U32),
	S(name, STR),
	S(state, STATE),
	S(start, I64),
	S(end, I64),
	S(ntasks, U32),
	S(cpus_per_task, U32),
	S(cpu_list, STR),
	S(overlap, BOOL),
	S(container, STR),
	S(container_id, STR),
	S(spool, STR),
	S(std_in, STR),
	S(std_out, STR),
	S(std_err, STR),
	S(work_dir, STR),
	S(submit_line, STR),
	S(exit_code, U32),
	S(exit_signal, U32),
	S(cancelled, BOOL),
	S(cancelled_by, U32),
	S(owner, OWNER),
	/* One line a task; read and written by the count beside it. */
	{ "task", TASK, offsetof(struct step, tasks) },
};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const char *const kinds[] = { "srun", "salloc", "sbatch" };

static void add_escaped(struct strbuf *b, const char *s)
{
	size_t plain;

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		for (plain = 0; (unsigned char)s[plain] >= ' ' && s[plain] != '\\' && s[plain] != 127; plain++)
			;
		if (plain) {
			strbuf_add(b, s, plain);
			s += plain - 1;
			continue;
		}
		strbuf_addf(b, "\\%03o", c);
	}
}

/* In place: it only ever gets shorter. */
static int unescape(char *s, struct err *e)
{
	char *to = s;

	for (; *s; s++) {
		if (*s != '\\') {
			*to++ = *s;
			continue;
		}
		if (s[1] < '0' || s[1] > '3' || s[2] < '0' || s[2] > '7' || s[3] < '0' || s[3] > '7')
			return err_set(e, "damaged: a backslash without three octal digits");
		*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
		if (!to[-1])
			return err_set(e, "damaged: a NUL byte");
		s += 3;
	}
	*to = '\0';
	return 0;
}

static void format_line(struct strbuf *b, const char *key, const char *value)
{
	strbuf_addf(b, "%s=", key);
	add_escaped(b, value);
	strbuf_addc(b, '\n');
}

static void format_owner(struct strbuf *b, const char *key, const struct job_owner *o)
{
	if (o->id.pid)
		strbuf_addf(b, "%s=%d %" PRIu64 " %s\n", key, o->id.pid, o->id.start, o->boot);
}

static void format_tasks(struct strbuf *b, const struct step *s)
{
	for (size_t i = 0; i < s->n_tasks; i++) {
		const struct step_task *t = &s->tasks[i];

		strbuf_addf(b, "task=%d %" PRIu64 " %d %" PRIu32 " %" PRIu32 "\n", t->id.pid, t->id.start, t->ended,
			    t->exit_code, t->exit_signal);
	}
}

static void format_field(struct strbuf *b, const struct field *f, const void *record)
{
	const char *at = (const char *)record + f->at;

	switch (f->type) {
	case U32:
		strbuf_addf(b, "%s=%" PRIu32 "\n", f->key, *(const uint32_t *)at);
		break;
	case U64:
		strbuf_addf(b, "%s=%" PRIu64 "\n", f->key, *(const uint64_t *)at);
		break;
	case I64:
		strbuf_addf(b, "%s=%" PRId64 "\n", f->key, (int64_t) * (const time_t *)at);
		break;
	case INT:
		strbuf_addf(b, "%s=%d\n", f->key, *(const int *)at);
		break;
	case BOOL:
		strbuf_addf(b, "%s=%d\n", f->key, *(const bool *)at);
		break;
	case STR:
		if (*(char *const *)at)
			format_line(b, f->key, *(char *const *)at);
		break;
	case STRV:
		for (char *const *v = *(char **const *)at; v && *v; v++)
			format_line(b, f->key, *v);
		break;
	case STATE:
		strbuf_addf(b, "%s=%s\n", f->key, job_state_name(*(const enum job_state *)at, false));
		break;
	case REASON:
		strbuf_addf(b, "%s=%s\n", f->key, job_reason_name(*(const enum job_reason *)at));
		break;
	case KIND:
		strbuf_addf(b, "%s=%s\n", f->key, kinds[*(const enum job_kind *)at]);
		break;
	case OWNER:
		format_owner(b, f->key, (const struct job_owner *)at);
		break;
	case TASK:
		format_tasks(b, record);
		break;
	}
}

/* TURN: how often it was written; AT_LEAST: its length, padded with a key that nobody knows. */
static char *format(const char *head, const struct field *fields, size_t n, const void *record, uint32_t turn,
		    size_t at_least, size_t *len)
{
	struct strbuf b = STRBUF_INIT;

	strbuf_addf(&b, "%sturn=%" PRIu32 "\n", head, turn);
	for (size_t i = 0; i < n; i++)
		format_field(&b, &fields[i], record);
	if (b.len + sizeof("whole=1\n") - 1 < at_least) {
		strbuf_adds(&b, "pad=");
		while (b.len + sizeof("\nwhole=1\n") - 1 < at_least)
			strbuf_addc(&b, '-');
		strbuf_addc(&b, '\n');
	}
	strbuf_addf(&b, "whole=%" PRIu32 "\n", turn);
	*len = b.len;
	return strbuf_take(&b);
}

static int parse_owner(const char *value, struct job_owner *o, struct err *e)
{
	cleanup(strv) char **v = str_split(value, " ");
	uint32_t pid;

	if (strv_len(v) != 3 || parse_u32(v[0], 1, INT32_MAX, &pid, e) < 0 ||
	    parse_u64(v[1], 0, UINT64_MAX, &o->id.start, e) < 0)
		return err_set(e, "damaged owner");
	o->id.pid = (pid_t)pid;
	snprintf(o->boot, sizeof(o->boot), "%s", v[2]);
	return 0;
}

static int parse_task(const char *value, struct step *s, struct err *e)
{
	cleanup(strv) char **v = str_split(value, " ");
	struct step_task t = { 0 };
	uint32_t pid, ended;

	if (strv_len(v) != 5 || parse_u32(v[0], 0, INT32_MAX, &pid, e) < 0 ||
	    parse_u64(v[1], 0, UINT64_MAX, &t.id.start, e) < 0 || parse_u32(v[2], 0, 1, &ended, e) < 0 ||
	    parse_u32(v[3], 0, UINT32_MAX, &t.exit_code, e) < 0 ||
	    parse_u32(v[4], 0, UINT32_MAX, &t.exit_signal, e) < 0)
		return err_set(e, "damaged task");
	t.id.pid = (pid_t)pid;
	t.ended = ended;
	s->tasks = xrealloc(s->tasks, s->n_tasks + 1, sizeof(*s->tasks));
	s->tasks[s->n_tasks++] = t;
	return 0;
}

static int parse_reason(const char *value, enum job_reason *out, struct err *e)
{
	for (int i = 0; i < JOB_REASONS; i++) {
		if (strcmp(value, job_reason_name((enum job_reason)i)) == 0) {
			*out = (enum job_reason)i;
			return 0;
		}
	}
	return err_set(e, "unknown reason '%.64s'", value);
}

static int parse_kind(const char *value, enum job_kind *out, struct err *e)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (strcmp(value, kinds[i]) == 0) {
			*out = (enum job_kind)i;
			return 0;
		}
	}
	return err_set(e, "unknown kind '%.64s'", value);
}

static int parse_number(const struct field *f, const char *value, void *at, struct err *e)
{
	bool negative = *value == '-' && (f->type == I64 || f->type == INT);
	uint64_t n, max = f->type == U64   ? UINT64_MAX
			  : f->type == I64 ? INT64_MAX
			  : f->type == U32 ? UINT32_MAX
			  : f->type == INT ? INT32_MAX
					   : 1;

	if (parse_u64(value + negative, 0, max, &n, e) < 0)
		return -1;
	if (f->type == U32)
		*(uint32_t *)at = (uint32_t)n;
	else if (f->type == U64)
		*(uint64_t *)at = n;
	else if (f->type == I64)
		*(time_t *)at = negative ? -(time_t)n : (time_t)n;
	else if (f->type == INT)
		*(int *)at = negative ? -(int)n : (int)n;
	else
		*(bool *)at = n;
	return 0;
}

static int parse_field(const struct field *f, char *value, void *record, struct err *e)
{
	char *at = (char *)record + f->at;

	switch (f->type) {
	case U32:
	case U64:
	case I64:
	case INT:
	case BOOL:
		return parse_number(f, value, at, e);
	case STR:
		if (unescape(value, e) < 0)
			return -1;
		free(*(char **)at);
		*(char **)at = xstrdup(value);
		return 0;
	case STRV:
		if (unescape(value, e) < 0)
			return -1;
		strv_push((char ***)at, value);
		return 0;
	case STATE:
		return job_state_parse(value, (enum job_state *)at, e);
	case REASON:
		return parse_reason(value, (enum job_reason *)at, e);
	case KIND:
		return parse_kind(value, (enum job_kind *)at, e);
	case OWNER:
		return parse_owner(value, (struct job_owner *)at, e);
	case TASK:
		return parse_task(value, record, e);
	}
	return 0;
}

static int parse_line(char *line, const struct field *fields, size_t n, void *record, struct err *e)
{
	char *eq = strchr(line, '=');

	if (!eq)
		return err_set(e, "damaged: a line without '='");
	*eq = '\0';
	for (size_t i = 0; i < n; i++)
		if (strcmp(line, fields[i].key) == 0)
			return parse_field(&fields[i], eq + 1, record, e) < 0 ? err_wrap(e, "%s", line) : 0;
	return 0;
}

/* One half is from before a rewrite in place and one from after it. */
static int torn(struct err *e)
{
	return err_sys(e, EAGAIN, "damaged: written by halves");
}

static int parse(const char *head, const struct field *fields, size_t n, const char *text, size_t len, void *record,
		 struct err *e)
{
	cleanup(free) char *copy = xstrndup(text, len);
	char *line = copy, *next;
	char turn[16] = "1";
	bool first = true, ended = false;

	if (strlen(copy) != len)
		return err_set(e, "damaged: a NUL byte");
	for (; *line; line = next, first = false) {
		next = strchr(line, '\n');
		if (!next || ended)
			break;
		*next++ = '\0';
		if (first) {
			if (strncmp(line, head, strlen(line)) != 0 || line[0] == '\0')
				return err_sys(e, EPROTONOSUPPORT, "not a record of this version");
		} else if (str_starts(line, "turn=")) {
			snprintf(turn, sizeof(turn), "%s", line + 5);
		} else if (str_starts(line, "whole=")) {
			ended = true;
			if (strcmp(line + 6, turn) != 0)
				return torn(e);
		} else if (parse_line(line, fields, n, record, e) < 0) {
			return -1;
		}
	}
	return ended && !*line ? 0 : err_set(e, "damaged: no proper end");
}

int job_parse(const char *text, size_t len, struct job *out, struct err *e)
{
	job_init(out);
	if (parse("berth-job=1\n", job_fields, COUNT(job_fields), text, len, out, e) < 0) {
		job_free(out);
		return -1;
	}
	return 0;
}

char *job_format_over(const struct job *j, size_t at_least, size_t *len)
{
	return format("berth-job=1\n", job_fields, COUNT(job_fields), j, 2, at_least, len);
}

char *job_format(const struct job *j, size_t *len)
{
	return format("berth-job=1\n", job_fields, COUNT(job_fields), j, 1, 0, len);
}

int step_parse(const char *text, size_t len, struct step *out, struct err *e)
{
	step_init(out);
	if (parse("berth-step=1\n", step_fields, COUNT(step_fields), text, len, out, e) < 0) {
		step_free(out);
		return -1;
	}
	return 0;
}

char *step_format(const struct step *s, size_t *len)
{
	return format("berth-step=1\n", step_fields, COUNT(step_fields), s, 1, 0, len);
}
