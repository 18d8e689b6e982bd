/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/spec/spec.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/mem.h"
#include "base/str.h"

void spec_export_free(struct spec_export *x)
{
	strv_free(x->vars);
	*x = (struct spec_export){ 0 };
}

/* The next entry of the list: a comma inside of quotes belongs to the value, the quotes do not. */
static char *next_entry(const char **s, bool *open_quote)
{
	struct strbuf b = STRBUF_INIT;
	char quote = '\0';
	const char *p;

	for (p = *s; *p && (quote || *p != ','); p++) {
		if (quote ? *p == quote : *p == '"' || *p == '\'')
			quote = quote ? '\0' : *p;
		else
			strbuf_addc(&b, *p);
	}
	*open_quote = quote != '\0';
	*s = *p ? p + 1 : NULL;
	return strbuf_take(&b);
}

static int add_entry(struct spec_export *x, const char *entry, bool *all, struct err *e)
{
	if (strcasecmp(entry, "ALL") == 0) {
		*all = true;
		return 0;
	}
	if (!*entry || *entry == '=')
		return err_set(e, "a name is missing");
	strv_push(&x->vars, entry);
	return 0;
}

int spec_export(const char *s, struct spec_export *out, struct err *e)
{
	struct spec_export x = { .mode = EXPORT_LIST };
	bool all = false, open_quote = false;

	if (strcasecmp(s, "NONE") == 0 || strcasecmp(s, "NIL") == 0) {
		x.mode = strcasecmp(s, "NIL") == 0 ? EXPORT_NIL : EXPORT_NONE;
		*out = x;
		return 0;
	}
	for (const char *p = s; p;) {
		cleanup(free) char *entry = next_entry(&p, &open_quote);

		if (open_quote) {
			spec_export_free(&x);
			return err_set(e, "'%.64s': a quote is not closed", s);
		}
		if (add_entry(&x, entry, &all, e) < 0) {
			spec_export_free(&x);
			return err_wrap(e, "'%.64s'", s);
		}
	}
	if (all)
		x.mode = EXPORT_ALL;
	*out = x;
	return 0;
}

char **spec_export_apply(const struct spec_export *x, char *const *env)
{
	char **out = x->mode == EXPORT_ALL ? strv_copy(env) : strv_copy(NULL);

	for (char *const *v = env; x->mode != EXPORT_ALL && v && *v; v++) {
		if (str_starts(*v, "SLURM_"))
			strv_push(&out, *v);
	}
	for (char **v = x->vars; v && *v; v++) {
		cleanup(free) char *name = xstrndup(*v, strcspn(*v, "="));
		const char *value;

		/* With ALL the caller's environment wins over what is listed (sbatch(1), --export). */
		if (strchr(*v, '=')) {
			if (x->mode != EXPORT_ALL || !env_get(env, name))
				env_put(&out, *v);
			continue;
		}
		value = env_get(env, *v);
		if (value)
			env_set(&out, *v, value);
	}
	return out;
}
