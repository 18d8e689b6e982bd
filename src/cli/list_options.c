/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/list_options.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 64 };

static size_t defs_of(const struct list_command *c, const struct opt_def *defs[MAX_OPTIONS])
{
	size_t n = 0;

	for (; n < c->n && n < MAX_OPTIONS; n++)
		defs[n] = &c->options[n].def;
	return n;
}

static const struct list_option *option_of(const struct opt_def *def)
{
	return (const struct list_option *)((const char *)def - offsetof(struct list_option, def));
}

static int apply_env(const struct list_command *c, list_apply_fn *apply, void *arg, struct err *e)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct list_option *o = &c->options[i];
		const char *value = o->env ? getenv(o->env) : NULL;

		if (!value || !*value || (o->def.arg == OPT_ARG_NO && strcmp(value, "0") == 0))
			continue;
		if (apply(arg, o->id, o->def.arg == OPT_ARG_NO ? NULL : value, e) < 0)
			return err_wrap(e, "environment variable %s", o->env);
	}
	return 0;
}

int list_command_parse(const struct list_command *c, int argc, char **argv, list_apply_fn *apply,
		       list_operand_fn *operand, void *arg, struct err *e)
{
	const struct opt_def *defs[MAX_OPTIONS], *def;
	struct optparse p = { .argc = argc, .argv = argv, .defs = defs, .n = defs_of(c, defs), .next = 1 };
	const char *value;
	int more;

	if (apply_env(c, apply, arg, e) < 0)
		return -1;
	while ((more = optparse_next_any(&p, &def, &value, e)) > 0) {
		if (more == 2) {
			if (operand(arg, value, e) < 0)
				return -1;
			continue;
		}
		if (def->class == OPT_REFUSED)
			return err_set(e, "--%s: refused: %s", def->name, def->help);
		if (def->class == OPT_SUPPORTED && apply(arg, option_of(def)->id, value, e) < 0)
			return err_wrap(e, "--%s", def->name);
	}
	return more < 0 ? err_hint(e, "see %s --help", c->name) : 0;
}

void list_command_info(const struct list_command *c, bool help, bool version)
{
	const struct opt_def *defs[MAX_OPTIONS];
	size_t n = defs_of(c, defs);

	if (version) {
		printf("berth %s\n", BERTH_VERSION);
		return;
	}
	printf("Usage: %s %s\n", c->name, c->operands);
	if (!help)
		return;
	printf("\nOptions:\n");
	optparse_help(stdout, defs, n, OPT_SUPPORTED);
	printf("\nAccepted, without effect on one machine:\n");
	optparse_help(stdout, defs, n, OPT_RECORDED);
	if (c->refuses)
		printf("\nRefused:\n");
	optparse_help(stdout, defs, n, OPT_REFUSED);
}

void list_command_dump(const struct list_command *c, FILE *out)
{
	for (size_t i = 0; i < c->n; i++)
		optparse_dump(out, c->name, &c->options[i].def, c->options[i].env ? c->options[i].env : "");
}
