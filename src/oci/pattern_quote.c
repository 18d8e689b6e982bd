/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/pattern_scan.h"

#include <ctype.h>
#include <string.h>

void scan_literal(struct scan *sc, struct builder *b)
{
	strbuf_addc(&b->text, sc->s[sc->pos]);
	scan_emit(sc, 1);
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

int scan_replacement(struct scan *sc, struct builder *b, enum quoting q)
{
	size_t at = sc->pos;
	char letter;

	if (scan_peek(sc, 1) == '%') {
		sc->pos++;
		scan_literal(sc, b);
		return 0;
	}
	letter = pattern_letter(sc->s + at, sc->kind, sc->e);
	if (!letter)
		return scan_fail_at(sc, at);
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
	builder_add_value(b, letter);
	return 0;
}

/* Outside of quotes. */
int scan_backslash(struct scan *sc, struct builder *b)
{
	char c = scan_peek(sc, 1);

	if (!c)
		return FAIL(sc, sc->pos, "a backslash at the end quotes nothing");
	if (c == '%' && scan_peek(sc, 2) != '%')
		return FAIL(sc, sc->pos,
			    "a backslash before a replacement; values need no quoting (write \\\\ for a backslash)");
	scan_emit(sc, 1);
	if (c == '%')
		sc->pos++;
	if (c == '\n') {
		scan_emit(sc, 1);
		return 0;
	}
	b->w.quoted = true;
	scan_literal(sc, b);
	return 0;
}

/* Inside double quotes, where it quotes $ ` " \ and the end of a line only. */
static int parse_backslash_in_double(struct scan *sc, struct builder *b)
{
	char c = scan_peek(sc, 1);

	if (c && strchr("$`\"\\", c)) {
		scan_emit(sc, 1);
		scan_literal(sc, b);
	} else if (c == '\n') {
		scan_emit(sc, 2);
	} else {
		/* Doubled, so that it cannot quote the "$" of a variable that comes next. */
		strbuf_addc(&sc->r->program, '\\');
		scan_literal(sc, b);
	}
	return 0;
}

int scan_backtick(struct scan *sc, struct builder *b)
{
	const char *before = sc->refuse_all;
	size_t at = sc->pos;

	sc->r->shell = b->w.unknown = true;
	scan_emit(sc, 1);
	sc->refuse_all = "`...`";
	while (scan_peek(sc, 0) && scan_peek(sc, 0) != '`') {
		if (scan_peek(sc, 0) == '%') {
			struct builder inner = { 0 };
			int rc = scan_replacement(sc, &inner, BARE);

			strbuf_free(&inner.text);
			if (rc < 0)
				return -1;
			continue;
		}
		scan_emit(sc, scan_peek(sc, 0) == '\\' && scan_peek(sc, 1) && scan_peek(sc, 1) != '%' ? 2 : 1);
	}
	if (!scan_peek(sc, 0))
		return FAIL(sc, at, "` without its closing `");
	scan_emit(sc, 1);
	sc->refuse_all = before;
	return 0;
}

int scan_single(struct scan *sc, struct builder *b)
{
	size_t at = sc->pos;

	b->w.quoted = true;
	scan_emit(sc, 1);
	while (scan_peek(sc, 0) && scan_peek(sc, 0) != '\'') {
		if (scan_peek(sc, 0) != '%')
			scan_literal(sc, b);
		else if (scan_replacement(sc, b, SINGLE) < 0)
			return -1;
	}
	if (!scan_peek(sc, 0))
		return FAIL(sc, at, "' without its closing '");
	scan_emit(sc, 1);
	return 0;
}

int scan_double(struct scan *sc, struct builder *b)
{
	size_t at = sc->pos;
	int rc = scan_enter(sc);

	b->w.quoted = true;
	scan_emit(sc, 1);
	while (rc == 0 && scan_peek(sc, 0) && scan_peek(sc, 0) != '"') {
		switch (scan_peek(sc, 0)) {
		case '\\':
			rc = parse_backslash_in_double(sc, b);
			break;
		case '$':
			rc = scan_dollar(sc, b, DOUBLE);
			break;
		case '`':
			rc = scan_backtick(sc, b);
			break;
		case '%':
			rc = scan_replacement(sc, b, DOUBLE);
			break;
		default:
			scan_literal(sc, b);
		}
	}
	if (rc == 0 && !scan_peek(sc, 0))
		return FAIL(sc, at, "\" without its closing \"");
	if (rc == 0)
		scan_emit(sc, 1);
	sc->depth--;
	return rc;
}

/* $( ): a command of its own, whatever is around it. */
static int parse_substitution(struct scan *sc)
{
	const char *refuse = sc->refuse;
	size_t at = sc->pos;

	scan_emit(sc, 2);
	sc->refuse = NULL;
	sc->substitution++;
	if (scan_list(sc, ')') < 0)
		return -1;
	if (!scan_peek(sc, 0))
		return FAIL(sc, at, "$( without its closing )");
	scan_emit(sc, 1);
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

	scan_emit(sc, 3);
	sc->refuse = "$((...))";
	while (rc == 0 && scan_peek(sc, 0) && !(open == 0 && scan_peek(sc, 0) == ')')) {
		char c = scan_peek(sc, 0);

		if (c == '\'' || c == '"' || c == '\\')
			rc = FAIL(sc, sc->pos, "quotes inside $((...)) mean different things to different shells");
		else if (c == '$')
			rc = scan_dollar(sc, &inner, DOUBLE);
		else if (c == '`')
			rc = scan_backtick(sc, &inner);
		else if (c == '%')
			rc = scan_replacement(sc, &inner, DOUBLE);
		else {
			open += c == '(';
			open -= c == ')';
			scan_emit(sc, 1);
		}
	}
	if (rc == 0 && (scan_peek(sc, 0) != ')' || scan_peek(sc, 1) != ')'))
		rc = FAIL(sc, at, "$(( without its closing ))");
	if (rc == 0)
		scan_emit(sc, 2);
	sc->refuse = refuse;
	builder_end_piece(&inner);
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
	while (rc == 0 && scan_peek(sc, 0) && scan_peek(sc, 0) != '}') {
		char c = scan_peek(sc, 0);

		if (c == '\\' && q == DOUBLE && scan_peek(sc, 1) != '}')
			rc = parse_backslash_in_double(sc, b);
		else if (c == '\\')
			rc = scan_backslash(sc, b);
		else if (c == '"' || c == '\'') {
			if (q == DOUBLE)
				rc = FAIL(sc, sc->pos,
					  "quotes inside \"${...}\" mean different things to different shells");
			else
				rc = c == '"' ? scan_double(sc, b) : scan_single(sc, b);
		} else if (c == '$')
			rc = scan_dollar(sc, b, q);
		else if (c == '`')
			rc = scan_backtick(sc, b);
		else if (c == '%')
			rc = scan_replacement(sc, b, q);
		else
			scan_literal(sc, b);
	}
	sc->refuse = refuse;
	return rc;
}

static int parse_parameter(struct scan *sc, struct builder *b, enum quoting q)
{
	size_t at = sc->pos, op;
	int rc = scan_enter(sc);

	scan_emit(sc, 2);
	while (isalnum((unsigned char)scan_peek(sc, 0)) || scan_peek(sc, 0) == '_')
		scan_emit(sc, 1);
	if (sc->pos == at + 2 && scan_peek(sc, 0) && strchr("@*#?-$!", scan_peek(sc, 0)))
		scan_emit(sc, 1);
	while (isalnum((unsigned char)scan_peek(sc, 0)) || scan_peek(sc, 0) == '_')
		scan_emit(sc, 1);
	op = sc->pos + (scan_peek(sc, 0) == ':');
	if (rc == 0)
		rc = parse_parameter_word(sc, b, q, sc->s[op] && strchr("-=?+", sc->s[op]));
	if (rc == 0 && !scan_peek(sc, 0))
		return FAIL(sc, at, "${ without its closing }");
	if (rc == 0)
		scan_emit(sc, 1);
	sc->depth--;
	return rc;
}

int scan_dollar(struct scan *sc, struct builder *b, enum quoting q)
{
	char c = scan_peek(sc, 1);
	int rc;

	if (c == '%' || !c) {
		/* Not the beginning of anything, whatever the value begins with. */
		strbuf_addc(&sc->r->program, '\\');
		b->w.quoted = true;
		scan_literal(sc, b);
		return 0;
	}
	if (c == '[' || (c == '\'' && q == BARE))
		return FAIL(sc, sc->pos, "$%c is not of the POSIX shell; write %s", c,
			    c == '[' ? "$((...))" : "'...' with $(printf '...') for special characters");
	sc->r->shell = b->w.unknown = true;
	if (c != '(' && c != '{') {
		/* A special parameter's character belongs to the $: "$$" then cannot begin another one. */
		scan_emit(sc, strchr("@*#?-$!", c) || isdigit((unsigned char)c) ? 2 : 1);
		return 0;
	}
	if (scan_enter(sc) < 0)
		return -1;
	if (c == '{')
		rc = parse_parameter(sc, b, q);
	else
		rc = scan_peek(sc, 2) == '(' ? parse_arithmetic(sc) : parse_substitution(sc);
	sc->depth--;
	return rc;
}
