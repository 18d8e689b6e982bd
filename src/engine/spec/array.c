/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/spec/spec.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"

void spec_array_free(struct spec_array *a)
{
	free(a->ids);
	*a = (struct spec_array){ 0 };
}

static int add_range(struct spec_array *a, uint32_t from, uint32_t to, uint32_t step, struct err *e)
{
	size_t more = (to - from) / step + 1;

	if (more > SPEC_MAX_ARRAY_TASKS || a->n + more > SPEC_MAX_ARRAY_TASKS)
		return err_set(e, "more than %d elements", SPEC_MAX_ARRAY_TASKS);
	a->ids = xrealloc(a->ids, a->n + more, sizeof(*a->ids));
	for (size_t i = 0; i < more; i++)
		a->ids[a->n++] = from + (uint32_t)i * step;
	return 0;
}

/* N, A-B or A-B:STEP; writes into PART. */
static int add_part(struct spec_array *a, char *part, struct err *e)
{
	char *colon = strchr(part, ':'), *dash = strchr(part, '-');
	uint32_t from, to, step = 1;

	if (colon) {
		*colon = '\0';
		if (!dash || dash > colon)
			return err_set(e, "a step follows a range: FIRST-LAST:STEP");
		if (parse_u32(colon + 1, 1, SPEC_MAX_ARRAY_ID, &step, e) < 0)
			return -1;
	}
	if (dash)
		*dash = '\0';
	if (parse_u32(part, 0, SPEC_MAX_ARRAY_ID, &from, e) < 0)
		return -1;
	to = from;
	if (dash && parse_u32(dash + 1, 0, SPEC_MAX_ARRAY_ID, &to, e) < 0)
		return -1;
	if (to < from)
		return err_set(e, "the range %u-%u runs backwards", from, to);
	return add_range(a, from, to, step, e);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void sort_unique(struct spec_array *a)
{
	size_t kept = 1;

	qsort(a->ids, a->n, sizeof(*a->ids), by_number);
	for (size_t i = 1; i < a->n; i++) {
		if (a->ids[i] != a->ids[kept - 1])
			a->ids[kept++] = a->ids[i];
	}
	a->n = kept;
}

static int parse(char *text, struct spec_array *a, struct err *e)
{
	cleanup(strv) char **parts = NULL;
	char *percent = strchr(text, '%');

	if (percent) {
		*percent = '\0';
		if (parse_u32(percent + 1, 1, SPEC_MAX_ARRAY_TASKS, &a->limit, e) < 0)
			return err_wrap(e, "the limit behind '%%'");
	}
	if (!*text)
		return err_set(e, "no elements");
	parts = str_split(text, ",");
	for (char **p = parts; *p; p++) {
		if (add_part(a, *p, e) < 0)
			return -1;
	}
	sort_unique(a);
	return 0;
}

int spec_array(const char *s, struct spec_array *out, struct err *e)
{
	cleanup(free) char *text = xstrdup(s);
	struct spec_array a = { 0 };
	size_t len = strlen(text);
	char *start = text;

	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text[len - 1] = '\0';
		start++;
	}
	if (parse(start, &a, e) < 0) {
		spec_array_free(&a);
		return err_wrap(e, "'%.64s' is no list of array elements such as 0-15:4,20%%2", s);
	}
	*out = a;
	return 0;
}

char *spec_array_text(const struct spec_array *a)
{
	struct strbuf b = STRBUF_INIT;
	uint32_t step = a->n > 2 ? a->ids[1] - a->ids[0] : 1;

	for (size_t i = 2; i < a->n; i++) {
		if (a->ids[i] - a->ids[i - 1] != step)
			step = 1;
	}
	if (step > 1)
		strbuf_addf(&b, "%u-%u:%u", a->ids[0], a->ids[a->n - 1], step);
	for (size_t i = 0, last; step == 1 && i < a->n; i = last + 1) {
		for (last = i; last + 1 < a->n && a->ids[last + 1] == a->ids[last] + 1; last++)
			;
		strbuf_addf(&b, i > 0 ? ",%u" : "%u", a->ids[i]);
		if (last > i)
			strbuf_addf(&b, "-%u", a->ids[last]);
	}
	if (a->limit > 0)
		strbuf_addf(&b, "%%%u", a->limit);
	return strbuf_take(&b);
}

void spec_jobid_free(struct spec_jobid *j)
{
	spec_array_free(&j->array);
}

static int parse_step(const char *s, int64_t *out, struct err *e)
{
	static const struct {
		const char *name;
		int64_t step;
	} names[] = {
		{ "batch", SPEC_STEP_BATCH },
		{ "extern", SPEC_STEP_EXTERN },
		{ "interactive", SPEC_STEP_INTERACTIVE },
	};
	uint32_t n;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(s, names[i].name) == 0) {
			*out = names[i].step;
			return 0;
		}
	}
	if (parse_u32(s, 0, INT32_MAX, &n, e) < 0)
		return err_wrap(e, "the step");
	*out = n;
	return 0;
}

int spec_jobid(const char *s, struct spec_jobid *out, struct err *e)
{
	cleanup(free) char *text = xstrdup(s);
	struct spec_jobid j = { .step = SPEC_STEP_NONE };
	char *dot = strchr(text, '.'), *element;

	if (dot) {
		*dot = '\0';
		if (parse_step(dot + 1, &j.step, e) < 0)
			return err_wrap(e, "'%.64s'", s);
	}
	element = strchr(text, '_');
	if (element) {
		*element++ = '\0';
		j.has_array = strcmp(element, "*") != 0 && strcmp(element, "[*]") != 0;
	}
	if (parse_u32(text, 1, UINT32_MAX - 16, &j.job, e) < 0 || (j.has_array && spec_array(element, &j.array, e) < 0))
		return err_wrap(e, "'%.64s' is no job id such as 12, 12_3, 12_[1-3] or 12.0", s);
	*out = j;
	return 0;
}
