/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/pattern_impl.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

/*
 * The scanner knows as much of POSIX.1-2017, XCU 2 (Shell Command Language) as it takes to say for each byte how a
 * shell would quote it: what it copies into the program is the site's text, unchanged but for the replacements. Where
 * shells disagree about the quoting, the construct is refused.
 */

enum { MAX_DEPTH = 32 };

struct scan {
	const char *s;
	size_t pos;
	enum pattern_kind kind;
	struct scan_result *r;
	unsigned depth;	       /* of nested constructs */
	unsigned substitution; /* of $( ) around here */
	const char *refuse;    /* where a value that is no number cannot be protected: the place's name */
	const char *refuse_all;
	char value; /* the last replacement that is no number, and its offset */
	size_t value_at;
	unsigned n_values;
	bool any;	   /* there is a word */
	bool compound;	   /* more than one simple command */
	size_t moves_args; /* offset + 1 of what changes "$@" */
	struct err *e;
};

/* The word that is being read, and the text of its last piece. */
struct builder {
	struct word w;
	struct strbuf text;
};

enum quoting { BARE, DOUBLE, SINGLE };

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

static int parse_list(struct scan *sc, char end);
static int parse_dollar(struct scan *sc, struct builder *b, enum quoting q);
static int parse_double(struct scan *sc, struct builder *b);
static int parse_single(struct scan *sc, struct builder *b);

static int fail_at(struct scan *sc, size_t at)
{
	sc->r->offset = at;
	return -1;
}

#define FAIL(sc, at, ...) (err_set((sc)->e, __VA_ARGS__), fail_at(sc, at))

static char peek(const struct scan *sc, size_t ahead)
{
	for (size_t i = 0; i < ahead; i++)
		if (!sc->s[sc->pos + i])
			return '\0';
	return sc->s[sc->pos + ahead];
}

static void emit(struct scan *sc, size_t n)
{
	strbuf_add(&sc->r->program, sc->s + sc->pos, n);
	sc->pos += n;
}

static int enter(struct scan *sc)
{
	if (++sc->depth > MAX_DEPTH)
		return FAIL(sc, sc->pos, "more than %d constructs are nested here", MAX_DEPTH);
	return 0;
}

static void end_piece(struct builder *b)
{
	if (!b->text.len)
		return;
	b->w.pieces = xrealloc(b->w.pieces, b->w.n + 1, sizeof(*b->w.pieces));
	b->w.pieces[b->w.n++] = (struct piece){ .text = strbuf_take(&b->text) };
}

static void add_value(struct builder *b, char letter)
{
	end_piece(b);
	b->w.pieces = xrealloc(b->w.pieces, b->w.n + 1, sizeof(*b->w.pieces));
	b->w.pieces[b->w.n++] = (struct piece){ .letter = letter };
}

static void word_free(struct word *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->pieces[i].text);
	free(w->pieces);
}

void words_free(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		word_free(&w->v[i]);
	free(w->v);
	*w = (struct words){ 0 };
}

void scan_result_free(struct scan_result *r)
{
	words_free(&r->words);
	strbuf_free(&r->program);
}

static void literal(struct scan *sc, struct builder *b)
{
	strbuf_addc(&b->text, sc->s[sc->pos]);
	emit(sc, 1);
}

/* The variable's name is the letter's: pattern.c assigns it. "$@" are the parameters that are left after that. */
static void emit_value(struct scan *sc, char letter, enum quoting q)
{
	static const char *const open[] = { "\"", "", "'\"" };
	static const char *const close[] = { "\"", "", "\"'" };

	strbuf_adds(&sc->r->program, open[q]);
	if (letter == '@')
		strbuf_adds(&sc->r->program, "$@");
	else
		strbuf_addf(&sc->r->program, "${berth_%c}", letter);
	strbuf_adds(&sc->r->program, close[q]);
}

static int parse_replacement(struct scan *sc, struct builder *b, enum quoting q)
{
	size_t at = sc->pos;
	char letter;

	if (peek(sc, 1) == '%') {
		sc->pos++;
		literal(sc, b);
		return 0;
	}
	letter = pattern_letter(sc->s + at, sc->kind, sc->e);
	if (!letter)
		return fail_at(sc, at);
	if (sc->refuse_all)
		return FAIL(sc, at, "%%%c cannot be protected inside %s; use $(...) instead", letter, sc->refuse_all);
	if (!strchr(PATTERN_NUMBERS, letter)) {
		if (sc->refuse)
			return FAIL(sc, at, "%%%c cannot be protected inside %s; assign it to a variable first", letter,
				    sc->refuse);
		sc->value = letter;
		sc->value_at = at;
		sc->n_values++;
	}
	sc->r->used[(unsigned char)letter] = true;
	sc->pos += 2;
	emit_value(sc, letter, q);
	add_value(b, letter);
	return 0;
}

/* Outside of quotes. */
static int parse_backslash(struct scan *sc, struct builder *b)
{
	char c = peek(sc, 1);

	if (!c)
		return FAIL(sc, sc->pos, "a backslash at the end quotes nothing");
	if (c == '%' && peek(sc, 2) != '%')
		return FAIL(sc, sc->pos,
			    "a backslash before a replacement; values need no quoting (write \\\\ for a backslash)");
	emit(sc, 1);
	if (c == '%')
		sc->pos++;
	if (c == '\n') {
		emit(sc, 1);
		return 0;
	}
	b->w.quoted = true;
	literal(sc, b);
	return 0;
}

/* Inside double quotes, where it quotes $ ` " \ and the end of a line only. */
static int parse_backslash_in_double(struct scan *sc, struct builder *b)
{
	char c = peek(sc, 1);

	if (c && strchr("$`\"\\", c)) {
		emit(sc, 1);
		literal(sc, b);
	} else if (c == '\n') {
		emit(sc, 2);
	} else {
		/* Doubled, so that it cannot quote the "$" of a variable that comes next. */
		strbuf_addc(&sc->r->program, '\\');
		literal(sc, b);
	}
	return 0;
}

static int parse_backtick(struct scan *sc, struct builder *b)
{
	const char *before = sc->refuse_all;
	size_t at = sc->pos;

	sc->r->shell = b->w.unknown = true;
	emit(sc, 1);
	sc->refuse_all = "`...`";
	while (peek(sc, 0) && peek(sc, 0) != '`') {
		if (peek(sc, 0) == '%') {
			struct builder inner = { 0 };
			int rc = parse_replacement(sc, &inner, BARE);

			strbuf_free(&inner.text);
			if (rc < 0)
				return -1;
			continue;
		}
		emit(sc, peek(sc, 0) == '\\' && peek(sc, 1) && peek(sc, 1) != '%' ? 2 : 1);
	}
	if (!peek(sc, 0))
		return FAIL(sc, at, "` without its closing `");
	emit(sc, 1);
	sc->refuse_all = before;
	return 0;
}

static int parse_single(struct scan *sc, struct builder *b)
{
	size_t at = sc->pos;

	b->w.quoted = true;
	emit(sc, 1);
	while (peek(sc, 0) && peek(sc, 0) != '\'') {
		if (peek(sc, 0) != '%')
			literal(sc, b);
		else if (parse_replacement(sc, b, SINGLE) < 0)
			return -1;
	}
	if (!peek(sc, 0))
		return FAIL(sc, at, "' without its closing '");
	emit(sc, 1);
	return 0;
}

static int parse_double(struct scan *sc, struct builder *b)
{
	size_t at = sc->pos;
	int rc = enter(sc);

	b->w.quoted = true;
	emit(sc, 1);
	while (rc == 0 && peek(sc, 0) && peek(sc, 0) != '"') {
		switch (peek(sc, 0)) {
		case '\\':
			rc = parse_backslash_in_double(sc, b);
			break;
		case '$':
			rc = parse_dollar(sc, b, DOUBLE);
			break;
		case '`':
			rc = parse_backtick(sc, b);
			break;
		case '%':
			rc = parse_replacement(sc, b, DOUBLE);
			break;
		default:
			literal(sc, b);
		}
	}
	if (rc == 0 && !peek(sc, 0))
		return FAIL(sc, at, "\" without its closing \"");
	if (rc == 0)
		emit(sc, 1);
	sc->depth--;
	return rc;
}

/* $( ): a command of its own, whatever is around it. */
static int parse_substitution(struct scan *sc)
{
	const char *refuse = sc->refuse;
	size_t at = sc->pos;

	emit(sc, 2);
	sc->refuse = NULL;
	sc->substitution++;
	if (parse_list(sc, ')') < 0)
		return -1;
	if (!peek(sc, 0))
		return FAIL(sc, at, "$( without its closing )");
	emit(sc, 1);
	sc->substitution--;
	sc->refuse = refuse;
	return 0;
}

/* $(( )): a shell may evaluate what a variable in it holds, so that only numbers are let in. */
static int parse_arithmetic(struct scan *sc)
{
	const char *refuse = sc->refuse;
	struct builder inner = { 0 };
	size_t at = sc->pos;
	unsigned open = 0;
	int rc = 0;

	emit(sc, 3);
	sc->refuse = "$((...))";
	while (rc == 0 && peek(sc, 0) && !(open == 0 && peek(sc, 0) == ')')) {
		char c = peek(sc, 0);

		if (c == '\'' || c == '"' || c == '\\')
			rc = FAIL(sc, sc->pos, "quotes inside $((...)) mean different things to different shells");
		else if (c == '$')
			rc = parse_dollar(sc, &inner, DOUBLE);
		else if (c == '`')
			rc = parse_backtick(sc, &inner);
		else if (c == '%')
			rc = parse_replacement(sc, &inner, DOUBLE);
		else {
			open += c == '(';
			open -= c == ')';
			emit(sc, 1);
		}
	}
	if (rc == 0 && (peek(sc, 0) != ')' || peek(sc, 1) != ')'))
		rc = FAIL(sc, at, "$(( without its closing ))");
	if (rc == 0)
		emit(sc, 2);
	sc->refuse = refuse;
	end_piece(&inner);
	word_free(&inner.w);
	return rc;
}

/* The word of ${NAME OP WORD}, up to the brace. */
static int parse_parameter_word(struct scan *sc, struct builder *b, enum quoting q, bool plain)
{
	const char *refuse = sc->refuse;
	int rc = 0;

	if (!plain)
		sc->refuse = "the pattern of ${...}";
	while (rc == 0 && peek(sc, 0) && peek(sc, 0) != '}') {
		char c = peek(sc, 0);

		if (c == '\\' && q == DOUBLE && peek(sc, 1) != '}')
			rc = parse_backslash_in_double(sc, b);
		else if (c == '\\')
			rc = parse_backslash(sc, b);
		else if (c == '"' || c == '\'') {
			if (q == DOUBLE)
				rc = FAIL(sc, sc->pos,
					  "quotes inside \"${...}\" mean different things to different shells");
			else
				rc = c == '"' ? parse_double(sc, b) : parse_single(sc, b);
		} else if (c == '$')
			rc = parse_dollar(sc, b, q);
		else if (c == '`')
			rc = parse_backtick(sc, b);
		else if (c == '%')
			rc = parse_replacement(sc, b, q);
		else
			literal(sc, b);
	}
	sc->refuse = refuse;
	return rc;
}

static int parse_parameter(struct scan *sc, struct builder *b, enum quoting q)
{
	size_t at = sc->pos, op;
	int rc = enter(sc);

	emit(sc, 2);
	while (isalnum((unsigned char)peek(sc, 0)) || peek(sc, 0) == '_')
		emit(sc, 1);
	if (sc->pos == at + 2 && peek(sc, 0) && strchr("@*#?-$!", peek(sc, 0)))
		emit(sc, 1);
	while (isalnum((unsigned char)peek(sc, 0)) || peek(sc, 0) == '_')
		emit(sc, 1);
	op = sc->pos + (peek(sc, 0) == ':');
	if (rc == 0)
		rc = parse_parameter_word(sc, b, q, sc->s[op] && strchr("-=?+", sc->s[op]));
	if (rc == 0 && !peek(sc, 0))
		return FAIL(sc, at, "${ without its closing }");
	if (rc == 0)
		emit(sc, 1);
	sc->depth--;
	return rc;
}

static int parse_dollar(struct scan *sc, struct builder *b, enum quoting q)
{
	char c = peek(sc, 1);
	int rc;

	if (c == '%' || !c) {
		/* Not the beginning of anything, whatever the value begins with. */
		strbuf_addc(&sc->r->program, '\\');
		b->w.quoted = true;
		literal(sc, b);
		return 0;
	}
	if (c == '[' || (c == '\'' && q == BARE))
		return FAIL(sc, sc->pos, "$%c is not of the POSIX shell; write %s", c,
			    c == '[' ? "$((...))" : "'...' with $(printf '...') for special characters");
	sc->r->shell = b->w.unknown = true;
	if (c != '(' && c != '{') {
		/* A special parameter's character belongs to the $: "$$" then cannot begin another one. */
		emit(sc, strchr("@*#?-$!", c) || isdigit((unsigned char)c) ? 2 : 1);
		return 0;
	}
	if (enter(sc) < 0)
		return -1;
	if (c == '{')
		rc = parse_parameter(sc, b, q);
	else
		rc = peek(sc, 2) == '(' ? parse_arithmetic(sc) : parse_substitution(sc);
	sc->depth--;
	return rc;
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
	char c = peek(sc, 0);

	if (c == '~' && peek(sc, 1) == '%' && peek(sc, 2) != '%')
		return FAIL(sc, sc->pos, "~ is not expanded before a value; ask getent passwd for the home folder");
	if (strchr("*?[~{}", c))
		sc->r->shell = b->w.unknown = true;
	if (c == '=' && !b->w.assignment && !b->w.quoted && b->w.n == 0 && b->text.data &&
	    is_name(b->text.data, b->text.len))
		b->w.assignment = true;
	literal(sc, b);
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
	while (rc == 0 && !ends_word(peek(sc, 0))) {
		switch (peek(sc, 0)) {
		case '\\':
			rc = parse_backslash(sc, b);
			break;
		case '\'':
			rc = parse_single(sc, b);
			break;
		case '"':
			rc = parse_double(sc, b);
			break;
		case '$':
			rc = parse_dollar(sc, b, BARE);
			break;
		case '`':
			rc = parse_backtick(sc, b);
			break;
		case '%':
			rc = parse_replacement(sc, b, BARE);
			break;
		default:
			rc = parse_plain(sc, b);
		}
		if (!value && sc->n_values != before) {
			value = sc->value;
			first = sc->value_at;
		}
	}
	end_piece(b);
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
	if (peek(sc, 0) == '<' && peek(sc, 1) == '<')
		return FAIL(sc, at, "here-documents are not supported in a pattern");
	if (peek(sc, 1) == '(')
		return FAIL(sc, at, "%c( is not of the POSIX shell", peek(sc, 0));
	emit(sc, 1);
	while (peek(sc, 0) && strchr("<>&|", peek(sc, 0)))
		emit(sc, 1);
	while (peek(sc, 0) == ' ' || peek(sc, 0) == '\t')
		emit(sc, 1);
	if (ends_word(peek(sc, 0)))
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
	if (peek(sc, 1) == '(')
		sc->refuse = "((...))";
	if (before->n > 0)
		sc->moves_args = at + 1;
	if (enter(sc) < 0)
		return -1;
	emit(sc, 1);
	if (parse_list(sc, ')') < 0)
		return -1;
	if (!peek(sc, 0))
		return FAIL(sc, at, "( without its closing )");
	emit(sc, 1);
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
		end_piece(&b);
		word_free(&b.w);
		return -1;
	}
	if ((peek(sc, 0) == '<' || peek(sc, 0) == '>') && b.w.n == 1 && b.w.pieces[0].text && !b.w.quoted &&
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
	while (peek(sc, 0) && peek(sc, 0) != '\n')
		emit(sc, 1);
}

/* Commands up to END, which is left for the caller, or to the end of the text. */
static int parse_commands(struct scan *sc, char end, struct words *w)
{
	unsigned cases = 0;
	int rc = 0;

	while (rc == 0 && peek(sc, 0)) {
		char c = peek(sc, 0);

		if (c == ')' && end == ')' && cases == 0)
			break;
		if (c == ' ' || c == '\t') {
			emit(sc, 1);
		} else if (c == '\\' && peek(sc, 1) == '\n') {
			emit(sc, 2); /* a # behind it begins a comment */
		} else if (strchr("\n;&|", c) || (c == ')' && cases)) {
			sc->r->shell = sc->compound = true;
			rc = end_command(sc, w);
			emit(sc, 1);
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

static int parse_list(struct scan *sc, char end)
{
	struct words w = { 0 };
	int rc = parse_commands(sc, end, &w);

	words_free(&w);
	return rc;
}

int pattern_scan(const char *text, enum pattern_kind kind, struct scan_result *r, struct err *e)
{
	struct scan sc = { .s = text, .kind = kind, .r = r, .e = e };

	if (parse_list(&sc, '\0') < 0)
		return -1;
	if (r->used['@'] && sc.moves_args)
		return FAIL(&sc, sc.moves_args - 1,
			    "%%@ would be lost: the shell's own arguments change here (shift, set or a function)");
	r->exec = !sc.compound;
	if (!sc.any || (!r->shell && r->words.n == 0))
		return FAIL(&sc, 0, "a command is expected");
	return 0;
}
