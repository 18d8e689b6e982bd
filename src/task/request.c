/* SPDX-License-Identifier: Apache-2.0 */
#include "task/request.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"

#define VERSION "1"

enum kind {
	TEXT,	  /* any text that is not empty */
	PATH,	  /* absolute */
	WORDS,	  /* repeated */
	VARIABLE, /* NAME=value */
	VARIABLES,
	NUMBER,
	PID,
	FLAG,
};

static const struct field {
	const char *key;
	enum kind kind;
	bool required;
	size_t offset;
} fields[] = {
	{ "bundle", TEXT, true, offsetof(struct request, bundle) },
	{ "container-id", TEXT, false, offsetof(struct request, container_id) },
	{ "arg", WORDS, false, offsetof(struct request, argv) },
	{ "env", VARIABLES, false, offsetof(struct request, env) },
	{ "export", WORDS, false, offsetof(struct request, explicit_env) },
	{ "chdir", PATH, true, offsetof(struct request, work_dir) },
	{ "job", NUMBER, true, offsetof(struct request, job) },
	{ "step", NUMBER, true, offsetof(struct request, step) },
	{ "task", NUMBER, true, offsetof(struct request, task) },
	{ "node", TEXT, true, offsetof(struct request, node) },
	{ "spool", PATH, true, offsetof(struct request, spool) },
	{ "config", PATH, false, offsetof(struct request, config) },
	{ "script", PATH, false, offsetof(struct request, script) },
	{ "embedded", FLAG, false, offsetof(struct request, embedded) },
	{ "pty", FLAG, false, offsetof(struct request, pty) },
	{ "mark", VARIABLE, false, offsetof(struct request, mark) },
	{ "passwd", TEXT, false, offsetof(struct request, passwd) },
	{ "group", WORDS, false, offsetof(struct request, groups) },
	{ "parent", PID, false, offsetof(struct request, parent) },
};

enum { N_FIELDS = sizeof(fields) / sizeof(*fields) };

static void *at(const struct request *r, const struct field *f)
{
	return (char *)(size_t)r + f->offset;
}

static int set_text(char **to, const char *key, const char *value, enum kind kind, struct err *e)
{
	if (*to)
		return err_set(e, "%s= stands twice", key);
	if (!*value)
		return err_set(e, "%s= is empty", key);
	if (kind == PATH && *value != '/')
		return err_set(e, "%s=%.200s: not an absolute path", key, value);
	if (kind == VARIABLE && !env_name_len(value))
		return err_set(e, "%s=%.200s: expected NAME=value", key, value);
	*to = xstrdup(value);
	return 0;
}

static int set_field(struct request *r, const struct field *f, const char *value, struct err *e)
{
	uint32_t n;

	switch (f->kind) {
	case TEXT:
	case PATH:
	case VARIABLE:
		return set_text(at(r, f), f->key, value, f->kind, e);
	case WORDS:
		strv_push(at(r, f), value);
		return 0;
	case VARIABLES:
		if (!env_name_len(value))
			return err_set(e, "%s=%.200s: expected NAME=value", f->key, value);
		strv_push(at(r, f), value);
		return 0;
	case NUMBER:
		return parse_u32(value, 0, UINT32_MAX, at(r, f), e) < 0 ? err_wrap(e, "%s=", f->key) : 0;
	case PID:
		if (parse_u32(value, 1, INT32_MAX, &n, e) < 0)
			return err_wrap(e, "%s=", f->key);
		*(pid_t *)at(r, f) = (pid_t)n;
		return 0;
	case FLAG:
		if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
			return err_set(e, "%s=%.16s: expected 0 or 1", f->key, value);
		*(bool *)at(r, f) = *value == '1';
		return 0;
	}
	return 0;
}

static int parse_record(struct request *r, const char *record, bool seen[N_FIELDS], struct err *e)
{
	size_t n = env_name_len(record);

	for (size_t i = 0; n && i < N_FIELDS; i++) {
		if (strlen(fields[i].key) == n && memcmp(fields[i].key, record, n) == 0) {
			seen[i] = true;
			return set_field(r, &fields[i], record + n + 1, e);
		}
	}
	return err_set(e, "unknown record '%.64s'", record);
}

static int parse_records(const char *text, size_t len, struct request *r, struct err *e)
{
	bool seen[N_FIELDS] = { false };
	size_t pos = 0;

	for (unsigned n = 1; pos < len; n++) {
		const char *record = text + pos;
		size_t size = strnlen(record, len - pos);

		if (size == len - pos)
			return err_set(e, "record %u is cut off", n);
		pos += size + 1;
		if (n == 1) {
			if (strcmp(record, "berth-request=" VERSION) != 0)
				return err_set(e, "'%.64s' is no request of version " VERSION, record);
			continue;
		}
		if (strcmp(record, "end=1") == 0) {
			if (pos != len)
				return err_set(e, "%zu bytes follow its end", len - pos);
			for (size_t i = 0; i < N_FIELDS; i++)
				if (fields[i].required && !seen[i])
					return err_set(e, "%s= is missing", fields[i].key);
			return 0;
		}
		if (parse_record(r, record, seen, e) < 0)
			return err_wrap(e, "record %u", n);
	}
	return err_set(e, "it is cut off");
}

int request_parse(const char *text, size_t len, struct request *out, struct err *e)
{
	*out = (struct request){ 0 };
	if (len > REQUEST_MAX)
		return err_set(e, "request: longer than %zu bytes", REQUEST_MAX);
	if (parse_records(text, len, out, e) < 0) {
		request_free(out);
		return err_wrap(e, "request");
	}
	return 0;
}

static void add_record(struct strbuf *b, const char *key, const char *value)
{
	strbuf_addf(b, "%s=%s", key, value);
	strbuf_addc(b, '\0');
}

static void add_number(struct strbuf *b, const char *key, uint32_t n)
{
	strbuf_addf(b, "%s=%u", key, n);
	strbuf_addc(b, '\0');
}

static void format_field(struct strbuf *b, const struct request *r, const struct field *f)
{
	switch (f->kind) {
	case TEXT:
	case PATH:
	case VARIABLE:
		if (*(char **)at(r, f))
			add_record(b, f->key, *(char **)at(r, f));
		return;
	case WORDS:
	case VARIABLES:
		for (char **v = *(char ***)at(r, f); v && *v; v++)
			add_record(b, f->key, *v);
		return;
	case NUMBER:
		add_number(b, f->key, *(uint32_t *)at(r, f));
		return;
	case PID:
		if (*(pid_t *)at(r, f))
			add_number(b, f->key, (uint32_t) * (pid_t *)at(r, f));
		return;
	case FLAG:
		if (*(bool *)at(r, f))
			add_record(b, f->key, "1");
		return;
	}
}

char *request_format(const struct request *r, size_t *len)
{
	struct strbuf b = STRBUF_INIT;

	add_record(&b, "berth-request", VERSION);
	for (size_t i = 0; i < N_FIELDS; i++)
		format_field(&b, r, &fields[i]);
	add_record(&b, "end", "1");
	*len = b.len;
	return strbuf_take(&b);
}

void request_free(struct request *r)
{
	for (size_t i = 0; i < N_FIELDS; i++) {
		switch (fields[i].kind) {
		case TEXT:
		case PATH:
		case VARIABLE:
			free(*(char **)at(r, &fields[i]));
			break;
		case WORDS:
		case VARIABLES:
			strv_free(*(char ***)at(r, &fields[i]));
			break;
		case NUMBER:
		case PID:
		case FLAG:
			break;
		}
	}
	*r = (struct request){ 0 };
}

void cleanup_request(struct request *r)
{
	request_free(r);
}
