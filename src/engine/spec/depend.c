/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/spec/spec.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"

static const struct {
	const char *name;
	enum spec_depend_type type;
} types[] = {
	{ "after", DEPEND_AFTER },
	{ "afterany", DEPEND_AFTERANY },
	{ "afterok", DEPEND_AFTEROK },
	{ "afternotok", DEPEND_AFTERNOTOK },
	{ "aftercorr", DEPEND_AFTERCORR },
	{ "singleton", DEPEND_SINGLETON },
	/* One machine has no burst buffers to wait for: what remains is the job's end. */
	{ "afterburstbuffer", DEPEND_AFTERANY },
};

const char *spec_depend_name(enum spec_depend_type type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].type == type)
			return types[i].name;
	}
	return "";
}

void spec_depend_free(struct spec_depend *d)
{
	free(d->items);
	*d = (struct spec_depend){ 0 };
}

static int find_type(const char *name, enum spec_depend_type *out, struct err *e)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcasecmp(types[i].name, name) == 0) {
			*out = types[i].type;
			return 0;
		}
	}
	return err_set(e,
		       "'%.32s' is no kind of dependency: expected after, afterany, afterok, afternotok, aftercorr or "
		       "singleton",
		       name);
}

static int add_item(struct spec_depend *d, const struct spec_depend_item *item, struct err *e)
{
	if (d->n == SPEC_MAX_DEPENDENCIES)
		return err_set(e, "more than %d dependencies", SPEC_MAX_DEPENDENCIES);
	d->items = xrealloc(d->items, d->n + 1, sizeof(*d->items));
	d->items[d->n++] = *item;
	return 0;
}

/* JOB, JOB_ELEMENT, JOB_* and, of `after`, any of these with +MINUTES; writes into TEXT. */
static int add_job(struct spec_depend *d, enum spec_depend_type type, char *text, struct err *e)
{
	struct spec_depend_item item = { .type = type, .element = -1 };
	char *plus = strchr(text, '+'), *under;
	uint32_t element;

	if (plus) {
		*plus = '\0';
		if (type != DEPEND_AFTER)
			return err_set(e, "only after takes +MINUTES");
		if (parse_u32(plus + 1, 0, 10000000, &item.minutes, e) < 0)
			return -1;
	}
	under = strchr(text, '_');
	if (under) {
		*under++ = '\0';
		if (strcmp(under, "*") != 0) {
			if (parse_u32(under, 0, SPEC_MAX_ARRAY_ID, &element, e) < 0)
				return -1;
			item.element = element;
		}
	}
	if (parse_u32(text, 1, UINT32_MAX - 16, &item.job, e) < 0)
		return -1;
	return add_item(d, &item, e);
}

static int add_part(struct spec_depend *d, char *part, struct err *e)
{
	cleanup(strv) char **words = str_split(part, ":");
	enum spec_depend_type type = DEPEND_AFTERANY;
	struct spec_depend_item single = { .type = DEPEND_SINGLETON, .element = -1 };
	char **w = words;

	if (!*w)
		return err_set(e, "an empty part");
	if (**w < '0' || **w > '9') {
		if (find_type(*w++, &type, e) < 0)
			return -1;
		if (type == DEPEND_SINGLETON)
			return *w ? err_set(e, "singleton takes no job") : add_item(d, &single, e);
	}
	if (!*w)
		return err_set(e, "'%.32s' needs the number of a job behind ':'", part);
	for (; *w; w++) {
		if (add_job(d, type, *w, e) < 0)
			return -1;
	}
	return 0;
}

static int parse(const char *s, struct spec_depend *d, struct err *e)
{
	cleanup(strv) char **parts = NULL;

	d->any = strchr(s, '?') != NULL;
	if (d->any && strchr(s, ','))
		return err_set(e, "',' (all of them) and '?' (any of them) cannot be mixed");
	parts = str_split(s, d->any ? "?" : ",");
	for (char **p = parts; *p; p++) {
		if (add_part(d, *p, e) < 0)
			return -1;
	}
	return d->n > 0 ? 0 : err_set(e, "no dependency");
}

int spec_depend(const char *s, struct spec_depend *out, struct err *e)
{
	struct spec_depend d = { 0 };

	if (parse(s, &d, e) < 0) {
		spec_depend_free(&d);
		return err_wrap(e, "'%.64s'", s);
	}
	*out = d;
	return 0;
}
