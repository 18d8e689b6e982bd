/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/pattern_scan.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"

enum { MAX_DEPTH = 32 };

/* Names that only a shell knows, or that mean something else to one. */
static const char *const shell_words[] = {
	"!",	    ".",       ":",	"alias", "bg",	     "break",	 "builtin", "case",  "cd",	"command",
	"continue", "declare", "do",	"done",	 "elif",     "else",	 "esac",    "eval",  "exec",	"exit",
	"export",   "fc",      "fg",	"fi",	 "for",	     "function", "getopts", "hash",  "if",	"in",
	"jobs",	    "let",     "local", "read",	 "readonly", "return",	 "select",  "set",   "shift",	"source",
	"then",	    "time",    "times", "trap",	 "type",     "typeset",	 "ulimit",  "umask", "unalias", "unset",
	"until",    "wait",    "while", "{",	 "}",	     "[[",	 "[",
};
/* Those after which a command begins anew. */
static const char *const prefix_words[] = { "!", "do", "elif", "else", "if", "then", "until", "while", "{", "}" };

static bool one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; name && i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

#define ONE_OF(name, list) one_of(name, list, sizeof(list) / sizeof(*(list)))

int scan_fail_at(struct scan *sc, size_t at)
{
	sc->r->offset = at;
	return -1;
}

char scan_peek(const struct scan *sc, size_t ahead)
{
	for (size_t i = 0; i < ahead; i++)
		if (!sc->s[sc->pos + i])
			return '\0';
	return sc->s[sc->pos + ahead];
}

void scan_emit(struct scan *sc, size_t n)
{
	strbuf_add(&sc->r->program, sc->s + sc->pos, n);
	sc->pos += n;
}

int scan_enter(struct scan *sc)
{
	if (++sc->depth > MAX_DEPTH)
		return FAIL(sc, sc->pos, "more than %d constructs are nested here", MAX_DEPTH);
	return 0;
}

void scan_result_free(struct scan_result *r)
{
	words_free(&r->words);
	strbuf_free(&r->program);
}

static bool ends_word(char c)
{
	return !c || strchr(" \t\n;&|()<>", c);
}

static bool is_name(const char *s, size_t n)
{
	if (!n || isdigit((unsigned char)*s))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_')
			return false;
	return true;
}

/* One byte outside of quotes that is nothing but itself, or that a shell expands. */
static int parse_plain(struct scan *sc, struct builder *b)
{
	char c = scan_peek(sc, 0);

	if (c == '~' && scan_peek(sc, 1) == '%' && scan_peek(sc, 2) != '%')
		return FAIL(sc, sc->pos, "~ is not expanded before a value; ask getent passwd for the home folder");
	if (strchr("*?[~{}", c))
		sc->r->shell = b->w.unknown = true;
	if (c == '=' && !b->w.assignment && !b->w.quoted && b->w.n == 0 && b->text.data &&
	    is_name(b->text.data, b->text.len))
		b->w.assignment = true;
	scan_literal(sc, b);
	return 0;
}

static int parse_word(struct scan *sc, struct builder *b)
{
	unsigned before = sc->n_values;
	size_t first = 0;
	char value = 0;
	int rc = 0;

	b->w.offset = sc->pos;
	sc->any = true;
	while (rc == 0 && !ends_word(scan_peek(sc, 0))) {
		switch (scan_peek(sc, 0)) {
		case '\\':
			rc = scan_backslash(sc, b);
			break;
		case '\'':
			rc = scan_single(sc, b);
			break;
		case '"':
			rc = scan_double(sc, b);
			break;
		case '$':
			rc = scan_dollar(sc, b, BARE);
			break;
		case '`':
			rc = scan_backtick(sc, b);
			break;
		case '%':
			rc = scan_replacement(sc, b, BARE);
			break;
		default:
			rc = parse_plain(sc, b);
		}
		if (!value && sc->n_values != before) {
			value = sc->value;
			first = sc->value_at;
		}
	}
	builder_end_piece(b);
	b->w.value = value;
	b->w.value_at = first;
	return rc;
}

static void add_word(struct words *w, struct builder *b)
{
	w->v = xrealloc(w->v, w->n + 1, sizeof(*w->v));
	w->v[w->n++] = b->w;
	*b = (struct builder){ 0 };
}

static size_t command_start(const struct words *w)
{
	size_t i = 0;

	while (i < w->n && w->v[i].assignment)
		i++;
	return i;
}

/* A simple command is complete. */
static int end_command(struct scan *sc, struct words *w)
{
	size_t first = command_start(w);
	const char *name = first < w->n ? word_name(&w->v[first]) : NULL;

	if (first > 0)
		sc->r->shell = sc->compound = true;
	if (first < w->n && !name)
		sc->compound = true; /* may turn out to be one of these */
	if (name && ONE_OF(word_start(&w->v[first]), shell_words))
		sc->r->shell = sc->compound = true;
	if (name && (strcmp(name, "shift") == 0 ||
		     (strcmp(name, "set") == 0 && first + 1 < w->n &&
		      (*word_start(&w->v[first + 1]) != '-' || str_starts(word_start(&w->v[first + 1]), "--")))))
		sc->moves_args = w->v[first].offset + 1;
	for (size_t i = 0; i < first; i++)
		for (size_t k = 0; k < w->v[i].n; k++)
			if (w->v[i].pieces[k].letter == '@')
				return FAIL(sc, w->v[i].offset,
					    "%%@ is several words and cannot be the value of a variable");
	for (size_t i = 0; i < w->n; i++)
		if (word_name(&w->v[i]) && strcmp(word_name(&w->v[i]), "sudo") == 0)
			sc->r->sudo = true;
	if (pattern_check_command(w, &sc->r->offset, sc->e) < 0)
		return -1;
	if (sc->depth > 0 || sc->r->words.n > 0)
		words_free(w);
	else
		sc->r->words = *w;
	*w = (struct words){ 0 };
	return 0;
}

static int parse_redirection(struct scan *sc)
{
	struct builder b = { 0 };
	size_t at = sc->pos;
	int rc = 0;

	sc->r->shell = true;
	if (scan_peek(sc, 0) == '<' && scan_peek(sc, 1) == '<')
		return FAIL(sc, at, "here-documents are not supported in a pattern");
	if (scan_peek(sc, 1) == '(')
		return FAIL(sc, at, "%c( is not of the POSIX shell", scan_peek(sc, 0));
	scan_emit(sc, 1);
	while (scan_peek(sc, 0) && strchr("<>&|", scan_peek(sc, 0)))
		scan_emit(sc, 1);
	while (scan_peek(sc, 0) == ' ' || scan_peek(sc, 0) == '\t')
		scan_emit(sc, 1);
	if (ends_word(scan_peek(sc, 0)))
		return FAIL(sc, at, "a redirection to nowhere");
	rc = parse_word(sc, &b);
	for (size_t i = 0; rc == 0 && i < b.w.n; i++)
		if (b.w.pieces[i].letter == '@')
			rc = FAIL(sc, b.w.offset, "%%@ is several words and cannot name a file");
	strbuf_free(&b.text);
	word_free(&b.w);
	return rc;
}

static int parse_subshell(struct scan *sc, const struct words *before)
{
	const char *refuse = sc->refuse;
	size_t at = sc->pos;

	sc->r->shell = sc->compound = true;
	if (scan_peek(sc, 1) == '(')
		sc->refuse = "((...))";
	if (before->n > 0)
		sc->moves_args = at + 1;
	if (scan_enter(sc) < 0)
		return -1;
	scan_emit(sc, 1);
	if (scan_list(sc, ')') < 0)
		return -1;
	if (!scan_peek(sc, 0))
		return FAIL(sc, at, "( without its closing )");
	scan_emit(sc, 1);
	sc->depth--;
	sc->refuse = refuse;
	return 0;
}

/* What follows a word: `case` makes a lone ) part of the command, and some words begin a command anew. */
static int after_word(struct scan *sc, struct words *w, unsigned *cases)
{
	const char *name = w->n == 1 && !w->v[0].quoted ? word_start(&w->v[0]) : NULL;

	if (!name || w->v[0].unknown != (*name == '{' || *name == '}'))
		return 0;
	if (strcmp(name, "case") == 0) {
		if (sc->substitution)
			return FAIL(sc, w->v[0].offset, "case inside $(...) is not supported; use if");
		++*cases;
	}
	if (strcmp(name, "esac") == 0 && *cases)
		--*cases;
	if (strcmp(name, "function") == 0)
		return FAIL(sc, w->v[0].offset, "function is not of the POSIX shell; write NAME() { ...; }");
	if (strcmp(name, "case") == 0 || strcmp(name, "esac") == 0)
		sc->r->shell = sc->compound = true;
	if (ONE_OF(name, prefix_words)) {
		sc->r->shell = sc->compound = true;
		words_free(w);
	}
	return 0;
}

static int parse_command_word(struct scan *sc, struct words *w, unsigned *cases)
{
	struct builder b = { 0 };

	if (parse_word(sc, &b) < 0) {
		builder_end_piece(&b);
		word_free(&b.w);
		return -1;
	}
	if ((scan_peek(sc, 0) == '<' || scan_peek(sc, 0) == '>') && b.w.n == 1 && b.w.pieces[0].text && !b.w.quoted &&
	    b.w.pieces[0].text[strspn(b.w.pieces[0].text, "0123456789")] == '\0') {
		word_free(&b.w); /* the descriptor of a redirection */
		return 0;
	}
	if (b.w.n == 0 && !b.w.quoted && !b.w.unknown) {
		word_free(&b.w); /* an end of line that was quoted, and nothing else */
		return 0;
	}
	add_word(w, &b);
	return after_word(sc, w, cases);
}

static void skip_comment(struct scan *sc)
{
	sc->r->shell = true;
	while (scan_peek(sc, 0) && scan_peek(sc, 0) != '\n')
		scan_emit(sc, 1);
}

/* Commands up to END, which is left for the caller, or to the end of the text. */
static int parse_commands(struct scan *sc, char end, struct words *w)
{
	unsigned cases = 0;
	int rc = 0;

	while (rc == 0 && scan_peek(sc, 0)) {
		char c = scan_peek(sc, 0);

		if (c == ')' && end == ')' && cases == 0)
			break;
		if (c == ' ' || c == '\t') {
			scan_emit(sc, 1);
		} else if (c == '\\' && scan_peek(sc, 1) == '\n') {
			scan_emit(sc, 2); /* a # behind it begins a comment */
		} else if (strchr("\n;&|", c) || (c == ')' && cases)) {
			sc->r->shell = sc->compound = true;
			rc = end_command(sc, w);
			scan_emit(sc, 1);
		} else if (c == ')') {
			rc = FAIL(sc, sc->pos, ") without an opening (");
		} else if (c == '(') {
			rc = parse_subshell(sc, w);
		} else if (c == '<' || c == '>') {
			rc = parse_redirection(sc);
		} else if (c == '#') {
			skip_comment(sc);
		} else {
			rc = parse_command_word(sc, w, &cases);
		}
	}
	if (rc == 0)
		rc = end_command(sc, w);
	return rc;
}

int scan_list(struct scan *sc, char end)
{
	struct words w = { 0 };
	int rc = parse_commands(sc, end, &w);

	words_free(&w);
	return rc;
}

int pattern_scan(const char *text, enum pattern_kind kind, struct scan_result *r, struct err *e)
{
	struct scan sc = { .s = text, .kind = kind, .r = r, .e = e };

	if (scan_list(&sc, '\0') < 0)
		return -1;
	if (r->used['@'] && sc.moves_args)
		return FAIL(&sc, sc.moves_args - 1,
			    "%%@ would be lost: the shell's own arguments change here (shift, set or a function)");
	r->exec = !sc.compound;
	if (!sc.any || (!r->shell && r->words.n == 0))
		return FAIL(&sc, 0, "a command is expected");
	return 0;
}
