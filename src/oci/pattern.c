/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/pattern.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/pattern_impl.h"

struct pattern {
	char *text;
	enum pattern_kind kind;
	struct words words; /* of a command without a shell, and of a path */
	char *program;	    /* a shell's, or NULL */
	bool used[128];
	bool sudo;
};

char pattern_letter(const char *text, enum pattern_kind kind, struct err *e)
{
	char c = text[1];

	if (!c) {
		err_set(e, "a single %% at the end; write %%%% for a percent sign");
		return 0;
	}
	if (!strchr(PATTERN_LETTERS, c)) {
		bool printable = (unsigned char)c > ' ' && (unsigned char)c < 127;

		err_set(e,
			"unknown replacement '%.*s'; known are %%%% %%@ %%b %%e %%j %%m %%n %%p %%r %%s %%t %%u %%U "
			"%%Z",
			printable ? 2 : 1, text);
		return 0;
	}
	if (c == 'p' && kind != PATTERN_COMMAND_WITH_PID) {
		err_set(e, "%%p is known in RunTimeKill and RunTimeDelete only");
		return 0;
	}
	if (c == '@' && kind == PATTERN_PATH) {
		err_set(e, "%%@ is several words and cannot be part of a path");
		return 0;
	}
	return c;
}

static void add_piece(struct word *w, char letter, char *text)
{
	w->pieces = xrealloc(w->pieces, w->n + 1, sizeof(*w->pieces));
	w->pieces[w->n++] = (struct piece){ .letter = letter, .text = text };
}

/* A path is no command: nothing but the replacements means anything in it. */
static int compile_path(struct pattern *p, size_t *offset, struct err *e)
{
	struct strbuf text = STRBUF_INIT;
	const char *s = p->text;
	int rc = 0;

	p->words.v = xcalloc(1, sizeof(*p->words.v));
	p->words.n = 1;
	*offset = 0;
	if (*s != '/' && (*s != '%' || !s[1] || !strchr("bemrZ", s[1])))
		return err_set(e, "'%.64s' is not an absolute path", s);
	for (; *s && rc == 0; s++) {
		if (*s == '%' && s[1] != '%') {
			char letter = pattern_letter(s, p->kind, e);

			*offset = (size_t)(s - p->text);
			if (!letter) {
				rc = -1;
				break;
			}
			if (text.len)
				add_piece(&p->words.v[0], 0, strbuf_take(&text));
			add_piece(&p->words.v[0], letter, NULL);
			p->used[(unsigned char)letter] = true;
			s++;
			continue;
		}
		s += *s == '%';
		strbuf_addc(&text, *s);
	}
	if (text.len)
		add_piece(&p->words.v[0], 0, strbuf_take(&text));
	strbuf_free(&text);
	return rc;
}

/*
 * The values are saved in variables that no environment can have exported, and shifted away, so that what is left is
 * "$@". A single command takes the shell's place: signals and the exit status are then its own.
 */
static char *shell_program(const struct scan_result *r)
{
	struct strbuf b = STRBUF_INIT;
	unsigned n = 0;

	for (const char *c = PATTERN_LETTERS; *c; c++)
		if (*c != '@' && r->used[(unsigned char)*c])
			strbuf_addf(&b, "%s berth_%c", n++ ? "" : "unset", *c);
	if (n)
		strbuf_addc(&b, ';');
	n = 0;
	for (const char *c = PATTERN_LETTERS; *c; c++)
		if (*c != '@' && r->used[(unsigned char)*c])
			strbuf_addf(&b, " berth_%c=${%u}", *c, ++n);
	if (n)
		strbuf_addf(&b, "; shift %u; ", n);
	if (r->exec)
		strbuf_adds(&b, "exec ");
	strbuf_add(&b, r->program.data, r->program.len);
	return strbuf_take(&b);
}

static int compile_command(struct pattern *p, size_t *offset, struct err *e)
{
	struct scan_result r = { 0 };

	if (pattern_scan(p->text, p->kind, &r, e) < 0) {
		*offset = r.offset;
		scan_result_free(&r);
		return -1;
	}
	memcpy(p->used, r.used, sizeof(p->used));
	p->sudo = r.sudo;
	if (r.shell) {
		p->program = shell_program(&r);
	} else {
		p->words = r.words;
		r.words = (struct words){ 0 };
	}
	scan_result_free(&r);
	return 0;
}

int pattern_compile(const char *text, enum pattern_kind kind, struct pattern **out, size_t *offset, struct err *e)
{
	struct pattern *p = xcalloc(1, sizeof(*p));
	int rc;

	p->text = xstrdup(text);
	p->kind = kind;
	*offset = 0;
	rc = kind == PATTERN_PATH ? compile_path(p, offset, e) : compile_command(p, offset, e);
	if (rc < 0) {
		pattern_free(p);
		return -1;
	}
	*out = p;
	return 0;
}

void pattern_free(struct pattern *p)
{
	if (!p)
		return;
	words_free(&p->words);
	free(p->program);
	free(p->text);
	free(p);
}

const char *pattern_text(const struct pattern *p)
{
	return p->text;
}

bool pattern_needs_shell(const struct pattern *p)
{
	return p->program != NULL;
}

bool pattern_uses(const struct pattern *p, char c)
{
	return c > 0 && p->used[(unsigned char)c];
}

const char *pattern_program(const struct pattern *p)
{
	const struct word *w = p->words.n > 0 ? &p->words.v[0] : NULL;

	return !p->program && w && w->n == 1 && !w->pieces[0].letter ? w->pieces[0].text : NULL;
}

bool pattern_uses_sudo(const struct pattern *p)
{
	return p->sudo;
}

static void add_value(struct strbuf *b, char letter, const struct pattern_values *v)
{
	const char *s = NULL;

	switch (letter) {
	case 'b':
		s = v->bundle;
		break;
	case 'e':
		s = v->env_file;
		break;
	case 'j':
		strbuf_addf(b, "%u", v->job);
		return;
	case 'm':
		s = v->spool;
		break;
	case 'n':
		s = v->node;
		break;
	case 'p':
		strbuf_addf(b, "%d", (int)v->pid);
		return;
	case 'r':
		s = v->rootfs;
		break;
	case 's':
		strbuf_addf(b, "%u", v->step);
		return;
	case 't':
		strbuf_addf(b, "%u", v->task);
		return;
	case 'u':
		s = v->user;
		break;
	case 'U':
		strbuf_addf(b, "%u", v->uid);
		return;
	case 'Z':
		s = v->work_dir;
		break;
	}
	strbuf_adds(b, s ? s : "");
}

/* As "$@" in a shell: the first of the words joins what is before it, the last what is after it. */
static void add_word(char ***argv, const struct word *w, const struct pattern_values *v)
{
	cleanup(strbuf) struct strbuf b = STRBUF_INIT;
	bool keep = w->quoted && w->n == 0;

	for (size_t i = 0; i < w->n; i++) {
		const struct piece *p = &w->pieces[i];

		if (p->letter == '@') {
			for (size_t k = 0; v->argv && v->argv[k]; k++) {
				if (k > 0)
					strv_push_own(argv, strbuf_take(&b));
				strbuf_adds(&b, v->argv[k]);
				keep = true;
			}
		} else if (p->letter) {
			add_value(&b, p->letter, v);
			keep = true;
		} else {
			strbuf_adds(&b, p->text);
			keep = true;
		}
	}
	if (keep)
		strv_push_own(argv, strbuf_take(&b));
}

char **pattern_argv(const struct pattern *p, const struct pattern_values *v)
{
	char **argv = NULL;

	if (!p->program) {
		for (size_t i = 0; i < p->words.n; i++)
			add_word(&argv, &p->words.v[i], v);
		return argv ? argv : strv_copy(NULL);
	}
	strv_push(&argv, "/bin/sh");
	strv_push(&argv, "-c");
	strv_push(&argv, p->program);
	strv_push(&argv, "sh");
	for (const char *c = PATTERN_LETTERS; *c; c++) {
		struct strbuf b = STRBUF_INIT;

		if (*c == '@' || !p->used[(unsigned char)*c])
			continue;
		add_value(&b, *c, v);
		strv_push_own(&argv, strbuf_take(&b));
	}
	for (size_t i = 0; p->used['@'] && v->argv && v->argv[i]; i++)
		strv_push(&argv, v->argv[i]);
	return argv;
}

char *pattern_path(const struct pattern *p, const struct pattern_values *v)
{
	struct strbuf b = STRBUF_INIT;

	for (size_t i = 0; i < p->words.v[0].n; i++) {
		const struct piece *piece = &p->words.v[0].pieces[i];

		if (piece->letter)
			add_value(&b, piece->letter, v);
		else
			strbuf_adds(&b, piece->text);
	}
	return strbuf_take(&b);
}
