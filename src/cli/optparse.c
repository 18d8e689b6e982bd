/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/optparse.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

const struct opt_def *optparse_find(const struct opt_def *const *defs, size_t n, const char *name, size_t len,
				    struct err *e)
{
	cleanup(strbuf) struct strbuf candidates = STRBUF_INIT;
	const struct opt_def *found = NULL;
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		if (!defs[i]->name || strncmp(defs[i]->name, name, len) != 0)
			continue;
		if (!defs[i]->name[len])
			return defs[i];
		strbuf_addf(&candidates, " --%s", defs[i]->name);
		found = defs[i];
		count++;
	}
	if (count == 1)
		return found;
	if (count == 0)
		err_set(e, "unrecognized option '--%.*s'", (int)len, name);
	else
		err_set(e, "option '--%.*s' is ambiguous:%s", (int)len, name, candidates.data);
	return NULL;
}

static const struct opt_def *find_letter(const struct optparse *p, char letter)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->defs[i]->letter == letter)
			return p->defs[i];
	}
	return NULL;
}

/* The next word of the command line as a required value. */
static int next_word(struct optparse *p, const char **value)
{
	if (p->next >= p->argc)
		return -1;
	*value = p->argv[p->next++];
	return 0;
}

static int long_option(struct optparse *p, const char *word, const struct opt_def **def, const char **value,
		       struct err *e)
{
	const char *end = strchrnul(word, '=');

	*def = optparse_find(p->defs, p->n, word, (size_t)(end - word), e);
	if (!*def)
		return -1;
	*value = *end ? end + 1 : NULL;
	if (*value && (*def)->arg == OPT_ARG_NO)
		return err_set(e, "option '--%s' doesn't allow an argument", (*def)->name);
	if (!*value && (*def)->arg == OPT_ARG_REQUIRED && next_word(p, value) < 0)
		return err_set(e, "option '--%s' requires an argument", (*def)->name);
	return 1;
}

static int short_option(struct optparse *p, const struct opt_def **def, const char **value, struct err *e)
{
	char letter = *p->cluster++;

	*def = find_letter(p, letter);
	if (!*def)
		return err_set(e, "invalid option -- '%c'", letter);
	*value = NULL;
	if ((*def)->arg != OPT_ARG_NO && *p->cluster) {
		*value = p->cluster;
		p->cluster = "";
	}
	if (!*value && (*def)->arg == OPT_ARG_REQUIRED && next_word(p, value) < 0)
		return err_set(e, "option requires an argument -- '%c'", letter);
	return 1;
}

int optparse_next(struct optparse *p, const struct opt_def **def, const char **value, struct err *e)
{
	const char *word;

	if (p->cluster && *p->cluster)
		return short_option(p, def, value, e);
	if (p->no_more || p->next >= p->argc)
		return 0;
	word = p->argv[p->next];
	if (word[0] != '-' || !word[1])
		return 0;
	p->next++;
	if (strcmp(word, "--") == 0) {
		p->no_more = true;
		return 0;
	}
	if (word[1] == '-')
		return long_option(p, word + 2, def, value, e);
	p->cluster = word + 1;
	return short_option(p, def, value, e);
}

int optparse_next_any(struct optparse *p, const struct opt_def **def, const char **value, struct err *e)
{
	int rc = optparse_next(p, def, value, e);

	if (rc != 0 || p->next >= p->argc)
		return rc;
	*value = p->argv[p->next++];
	return 2;
}

enum { TEXT_COLUMN = 30, LINE_END = 80 };

static void add_names(struct strbuf *b, const struct opt_def *d)
{
	if (d->letter)
		strbuf_addf(b, "  -%c%s", d->letter, d->name ? ", " : "");
	else
		strbuf_adds(b, "      ");
	if (d->name)
		strbuf_addf(b, "--%s", d->name);
	if (d->arg_name)
		strbuf_addf(b, d->arg == OPT_ARG_OPTIONAL ? "[=%s]" : "=%s", d->arg_name);
}

/* TEXT's words in the right column; COLUMN is where the line stands. */
static void put_text(FILE *out, size_t column, const char *text)
{
	if (column + 1 >= TEXT_COLUMN) {
		fputc('\n', out);
		column = 0;
	}
	fprintf(out, "%*s", (int)(TEXT_COLUMN - column), "");
	column = TEXT_COLUMN;
	while (*text) {
		size_t len = strcspn(text, " ");

		if (column > TEXT_COLUMN && column + 1 + len > LINE_END) {
			fprintf(out, "\n%*s", TEXT_COLUMN, "");
			column = TEXT_COLUMN;
		} else if (column > TEXT_COLUMN) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", (int)len, text);
		column += len;
		text += len + (text[len] == ' ');
	}
	fputc('\n', out);
}

void optparse_help(FILE *out, const struct opt_def *const *defs, size_t n, enum opt_class class)
{
	for (size_t i = 0; i < n; i++) {
		cleanup(strbuf) struct strbuf names = STRBUF_INIT;

		if (defs[i]->class != class || !defs[i]->help)
			continue;
		add_names(&names, defs[i]);
		fputs(names.data, out);
		put_text(out, names.len, defs[i]->help);
	}
}

void optparse_dump(FILE *out, const char *command, const struct opt_def *def, const char *env)
{
	static const char *const classes[] = { "supported", "recorded", "refused" };
	const char *bracket = def->arg == OPT_ARG_OPTIONAL ? "[" : "";
	char letter[2] = { def->letter, '\0' };

	fprintf(out, "%s\t%s\t%s\t%s%s%s\t%s\t%s\t%s\n", command, def->name ? def->name : "", letter, bracket,
		def->arg_name ? def->arg_name : "", *bracket ? "]" : "", classes[def->class],
		def->help ? def->help : "", env);
}
