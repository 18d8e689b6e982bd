/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/spec/filename.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"

enum { MAX_WIDTH = 10 };

static void add_number(struct strbuf *b, uint32_t n, int width)
{
	strbuf_addf(b, "%0*" PRIu32, width, n);
}

static bool is_number(const char *s)
{
	uint32_t n;

	return parse_u32(s, 0, UINT32_MAX, &n, NULL) == 0;
}

static void add_step(struct strbuf *b, const char *step, int width)
{
	uint32_t n;

	if (parse_u32(step, 0, UINT32_MAX, &n, NULL) == 0)
		add_number(b, n, width);
	else
		strbuf_adds(b, step);
}

/* False where LETTER stands for nothing. */
static bool add_letter(struct strbuf *b, char letter, int width, const struct filename_vars *v)
{
	const bool array = v->array_task >= 0;

	switch (letter) {
	case '%':
		strbuf_addc(b, '%');
		return true;
	case 'A':
		add_number(b, array ? v->array_job : v->job, width);
		return true;
	case 'a':
		add_number(b, array ? (uint32_t)v->array_task : UINT32_MAX - 1, width);
		return true;
	case 'J':
		/* A batch script's is the job's number alone. */
		add_number(b, v->job, width);
		if (is_number(v->step))
			strbuf_addf(b, ".%s", v->step);
		return true;
	case 'j':
		add_number(b, v->job, width);
		return true;
	case 'N':
		strbuf_adds(b, v->node_name);
		return true;
	case 'n':
		add_number(b, v->node, width);
		return true;
	case 's':
		add_step(b, v->step, width);
		return true;
	case 't':
		add_number(b, v->task, width);
		return true;
	case 'u':
		strbuf_adds(b, v->user);
		return true;
	case 'x':
		strbuf_adds(b, v->job_name);
		return true;
	default:
		return false;
	}
}

/* P is behind a '%'. Returns the letter's place and its width, 0 where there was none. */
static const char *read_width(const char *p, int *width)
{
	unsigned w = 0;

	for (; *p >= '0' && *p <= '9'; p++)
		w = w > MAX_WIDTH ? w : w * 10 + (unsigned)(*p - '0');
	*width = w > MAX_WIDTH ? MAX_WIDTH : (int)w;
	return p;
}

int filename_expand(const char *pattern, const struct filename_vars *v, char **out, struct err *e)
{
	cleanup(strbuf) struct strbuf b = STRBUF_INIT;
	bool literal = strchr(pattern, '\\') != NULL;

	for (const char *p = pattern; *p; p++) {
		const char *letter;
		int width;

		if (literal && *p == '\\')
			continue;
		if (literal || *p != '%') {
			strbuf_addc(&b, *p);
			continue;
		}
		letter = read_width(p + 1, &width);
		if (*letter && add_letter(&b, *letter, width, v))
			p = letter;
		else
			strbuf_addc(&b, '%');
	}
	if (b.len >= PATH_MAX)
		return err_set(e, "'%.64s...' is longer than a path can be", pattern);
	*out = strbuf_take(&b);
	return 0;
}

bool filename_per_task(const char *pattern)
{
	int width;

	if (strchr(pattern, '\\'))
		return false;
	for (const char *p = pattern; *p; p++) {
		if (*p != '%')
			continue;
		p = read_width(p + 1, &width);
		if (*p == 't')
			return true;
		if (!*p)
			break;
	}
	return false;
}
