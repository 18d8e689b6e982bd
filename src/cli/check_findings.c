/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/check.h"

static const char *const level_names[] = { [FINDING_OK] = "ok", [FINDING_WARN] = "warn", [FINDING_FAIL] = "fail" };

enum { NAME_WIDTH = 18 };

struct finding *finding_add(struct check_run *run, enum finding_level level, const char *name, const char *fmt, ...)
{
	struct finding *f;
	va_list ap;

	run->findings = xrealloc(run->findings, run->n + 1, sizeof(*run->findings));
	f = &run->findings[run->n++];
	*f = (struct finding){ .level = level, .name = xstrdup(name), .ms = -1 };
	va_start(ap, fmt);
	if (vasprintf(&f->detail, fmt, ap) < 0)
		die_no_memory();
	va_end(ap);
	/* What others say may hold line breaks; a finding is a line. */
	for (char *p = f->detail; (p = strpbrk(p, "\n\r\t"));)
		*p = ' ';
	return f;
}

void finding_hint(struct finding *f, const char *fmt, ...)
{
	va_list ap;

	free(f->hint);
	va_start(ap, fmt);
	if (vasprintf(&f->hint, fmt, ap) < 0)
		die_no_memory();
	va_end(ap);
}

bool findings_fail(const struct check_run *run)
{
	for (size_t i = 0; i < run->n; i++)
		if (run->findings[i].level == FINDING_FAIL)
			return true;
	return false;
}

static void print_one(const struct finding *f, bool colour, FILE *out)
{
	static const char *const colours[] = {
		[FINDING_OK] = "\033[32m", [FINDING_WARN] = "\033[33m", [FINDING_FAIL] = "\033[31m"
	};

	fprintf(out, "%s%-4s%s  %-*s  %s", colour ? colours[f->level] : "", level_names[f->level],
		colour ? "\033[0m" : "", NAME_WIDTH, f->name, f->detail);
	if (f->ms >= 0)
		fprintf(out, " (%.1f ms)", f->ms);
	fputc('\n', out);
	if (f->hint)
		fprintf(out, "      %-*s  -> %s\n", NAME_WIDTH, "", f->hint);
}

void findings_print(struct check_run *run, FILE *out)
{
	bool colour = isatty(fileno(out)) && !getenv("NO_COLOR");

	for (; !run->json && run->printed < run->n; run->printed++)
		print_one(&run->findings[run->printed], colour, out);
	fflush(out);
}

struct json_object *findings_json(const struct check_run *run)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < run->n; i++) {
		const struct finding *f = &run->findings[i];
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "name", json_object_new_string(f->name));
		json_object_object_add(o, "status", json_object_new_string(level_names[f->level]));
		json_object_object_add(o, "detail", json_object_new_string(f->detail));
		json_object_object_add(o, "hint", f->hint ? json_object_new_string(f->hint) : NULL);
		json_object_object_add(o, "ms", f->ms >= 0 ? json_object_new_double(f->ms) : NULL);
		json_object_array_add(list, o);
	}
	return list;
}

void findings_free(struct check_run *run)
{
	for (size_t i = 0; i < run->n; i++) {
		free(run->findings[i].name);
		free(run->findings[i].detail);
		free(run->findings[i].hint);
	}
	free(run->findings);
}
