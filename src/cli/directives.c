/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/opts.h"

#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"

/* A line's length that no reasonable script has. */
enum { MAX_LINE = 64 * 1024 };

static const char magic[] = "#SBATCH";

/*
 * The words of a line as Slurm splits them: white space between, quotes of either kind anywhere in a word, a backslash
 * before any character even inside of quotes, and a '#' that is neither quoted nor escaped begins a comment, even in a
 * word.
 */
static int next_word(const char **line, char **out, struct err *e)
{
	cleanup(strbuf) struct strbuf b = STRBUF_INIT;
	const char *p = *line;
	char quote = '\0';

	while (isspace((unsigned char)*p))
		p++;
	*out = NULL;
	if (!*p || *p == '#')
		return 0;
	for (; *p && (quote || (!isspace((unsigned char)*p) && *p != '#')); p++) {
		if (*p == '\\') {
			if (!*++p)
				return err_set(e, "nothing follows the backslash at the end");
			strbuf_addc(&b, *p);
		} else if (quote ? *p == quote : *p == '"' || *p == '\'') {
			quote = quote ? '\0' : *p;
		} else {
			strbuf_addc(&b, *p);
		}
	}
	if (quote)
		return err_set(e, "a %s quote is not closed", quote == '"' ? "double" : "single");
	*line = p;
	*out = strbuf_take(&b);
	return 0;
}

static int apply_line(struct opts *o, const char *line, struct err *e)
{
	cleanup(strv) char **words = strv_copy(NULL);

	for (;;) {
		char *word;

		if (next_word(&line, &word, e) < 0)
			return -1;
		if (!word)
			break;
		strv_push_own(&words, word);
	}
	if (words[0] && (strcmp(words[0], "hetjob") == 0 || strcmp(words[0], "packjob") == 0))
		return err_set(e, "%s: one machine cannot have heterogeneous jobs", words[0]);
	return opts_set_words(o, words, OPTS_SCRIPT, e);
}

/* Other batch systems' lines, which Slurm reads too. */
static int check_foreign(const struct opts *o, const char *line, struct err *e)
{
	static const char *const foreign[] = { "#PBS", "#BSUB" };

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		size_t len = strlen(foreign[i]);

		if (strncmp(line, foreign[i], len) == 0 && isspace((unsigned char)line[len]) && !o->ignore_pbs)
			return err_set(e, "%s lines are not understood: write #SBATCH, or give --ignore-pbs",
				       foreign[i]);
	}
	return 0;
}

/* True where LINE belongs to the script's own commands. */
static bool is_command(const char *line)
{
	line += strspn(line, " \t\r\f\v");
	return *line && *line != '#';
}

static int check_script(const char *text, size_t len, struct err *e)
{
	const char *newline = memchr(text, '\n', len);

	if (len < 2 || text[0] != '#' || text[1] != '!')
		return err_set(e, "this is no batch script: it begins with #! and an interpreter, such as #!/bin/sh");
	if (memchr(text, '\0', len))
		return err_set(e, "the script holds a NUL byte");
	if (newline && newline > text && newline[-1] == '\r')
		return err_set(e, "the lines end with \\r\\n as on DOS: dos2unix mends that");
	return 0;
}

int directives_apply(struct opts *o, const char *name, const char *text, size_t len, struct err *e)
{
	const char *end = text + len;
	unsigned number = 0;

	if (check_script(text, len, e) < 0)
		return err_wrap(e, "%s:1", name);
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((newline ? newline : end) - text);
		cleanup(free) char *line = xstrndup(text, n < MAX_LINE ? n : MAX_LINE);
		int rc = 0;

		number++;
		text += n + 1;
		if (is_command(line))
			break;
		if (strncmp(line, magic, strlen(magic)) != 0)
			rc = check_foreign(o, line, e);
		else if (n >= MAX_LINE)
			rc = err_set(e, "the line is longer than %d bytes", MAX_LINE);
		else if (line[strlen(magic)] && !isspace((unsigned char)line[strlen(magic)]))
			rc = err_set(e, "a space is missing behind %s", magic);
		else
			rc = apply_line(o, line + strlen(magic), e);
		if (rc < 0)
			return err_wrap(e, "%s:%u", name, number);
	}
	if (opts_finish(o, e) < 0)
		return err_wrap(e, "%s", name);
	return 0;
}
