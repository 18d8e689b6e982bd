/* SPDX-License-Identifier: Apache-2.0 */
#include "config/lexer.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

/* One reading, whatever files it goes through. */
struct reading {
	conf_pair_fn *fn;
	void *arg;
	char ***warnings;
	unsigned files;
};

/* The files that are open around the present one, to see a file that includes itself. */
struct file_chain {
	const struct file_chain *up;
	unsigned depth;
	dev_t dev;
	ino_t ino;
};

struct lexer {
	struct reading *r;
	const struct file_chain *chain; /* NULL: text in memory */
	const char *file;
	const char *s;
	size_t len, pos;
	unsigned line;
	size_t line_start;
	struct err *e;
};

/* A value under construction. */
struct value {
	struct strbuf text;
	struct conf_mark *marks;
	size_t n_marks;
	size_t next; /* position in the file of the byte that would go on without a mark */
};

static int read_lexer(struct lexer *x);

static unsigned column_of(const struct lexer *x, size_t pos)
{
	return (unsigned)(pos - x->line_start) + 1;
}

/* Puts "file:line:column: " before what err_set said of the byte at POS, in the present line. */
static int fail_at(struct lexer *x, size_t pos)
{
	return err_wrap(x->e, "%s:%u:%u", x->file, x->line, column_of(x, pos));
}

#define FAIL(x, pos, ...) (err_set((x)->e, __VA_ARGS__), fail_at(x, pos))

static void warn_at(struct lexer *x, size_t pos, const char *text)
{
	strv_push_own(x->r->warnings, xasprintf("%s:%u:%u: %s", x->file, x->line, column_of(x, pos), text));
}

static int peek(const struct lexer *x, size_t ahead)
{
	return x->pos + ahead < x->len ? (unsigned char)x->s[x->pos + ahead] : -1;
}

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static void next_line(struct lexer *x)
{
	x->pos++;
	x->line++;
	x->line_start = x->pos;
}

/* How many bytes a backslash here, the blanks behind it and the end of the line are; 0 where it is no continuation. */
static size_t continuation(const struct lexer *x)
{
	size_t n = 1;

	if (peek(x, 0) != '\\')
		return 0;
	while (is_blank(peek(x, n)))
		n++;
	if (peek(x, n) == '\n')
		return n + 1;
	return peek(x, n) < 0 ? n : 0;
}

static void take_continuation(struct lexer *x, size_t n)
{
	bool line_ends = x->s[x->pos + n - 1] == '\n';

	x->pos += n - line_ends;
	if (line_ends)
		next_line(x);
}

static void skip_blanks(struct lexer *x)
{
	size_t n;

	for (;;) {
		if (is_blank(peek(x, 0)))
			x->pos++;
		else if ((n = continuation(x)) > 0)
			take_continuation(x, n);
		else
			return;
	}
}

static void skip_comment(struct lexer *x)
{
	while (peek(x, 0) >= 0 && peek(x, 0) != '\n')
		x->pos++;
}

/* Adds the byte at POS, the present line's. */
static void value_add(struct lexer *x, struct value *v, size_t pos)
{
	if (v->n_marks == 0 || pos != v->next) {
		v->marks = xrealloc(v->marks, v->n_marks + 1, sizeof(*v->marks));
		v->marks[v->n_marks++] =
			(struct conf_mark){ .offset = v->text.len, .line = x->line, .column = column_of(x, pos) };
	}
	v->next = pos + 1;
	strbuf_addc(&v->text, x->s[pos]);
}

/* Slurm's reader takes every backslash away that is not doubled, and so do we: a file means the same to both. */
static void value_escape(struct lexer *x, struct value *v, bool quoted)
{
	int c = peek(x, 1);

	if (c == '"' && quoted) {
		warn_at(x, x->pos, "the quote after \\ is part of the value; Slurm's reader ends the value there");
	} else if (c != '#' && c != '\\') {
		warn_at(x, x->pos, "this backslash is dropped, as Slurm's reader does; write \\\\ for a backslash");
		x->pos++;
		return;
	}
	value_add(x, v, x->pos + 1);
	x->pos += 2;
}

static int read_quoted(struct lexer *x, struct value *v)
{
	const unsigned line = x->line, column = column_of(x, x->pos);
	const size_t start = x->pos;
	size_t n;

	x->pos++;
	for (;;) {
		int c = peek(x, 0);

		if (c < 0 || c == '\n') {
			size_t shown = strcspn(x->s + start, "\n");

			err_set(x->e, "missing closing quote: '%.*s%s'; end the value with \"",
				shown > 60 ? 60 : (int)shown, x->s + start, shown > 60 ? "..." : "");
			return err_wrap(x->e, "%s:%u:%u", x->file, line, column);
		}
		if (c == 0)
			return FAIL(x, x->pos, "a NUL byte; the file must be text");
		if (c == '"')
			break;
		if (c == '#')
			warn_at(x, x->pos,
				"# inside quotes is kept; Slurm's reader would begin a comment here, "
				"write \\# for both");
		n = continuation(x);
		if (n > 0)
			take_continuation(x, n);
		else if (c == '\\')
			value_escape(x, v, true);
		else
			value_add(x, v, x->pos++);
	}
	x->pos++;
	if (peek(x, 0) >= 0 && !is_blank(peek(x, 0)) && peek(x, 0) != '\n' && peek(x, 0) != '#' && !continuation(x))
		return FAIL(x, x->pos, "'%c' right after a closing quote; a space or the end of the line is expected",
			    isprint(peek(x, 0)) ? peek(x, 0) : '?');
	return 0;
}

static int read_bare(struct lexer *x, struct value *v)
{
	size_t start = x->pos, n;

	for (;;) {
		int c = peek(x, 0);

		if (c < 0 || c == '\n' || is_blank(c) || c == '#')
			break;
		if (c == 0)
			return FAIL(x, x->pos, "a NUL byte; the file must be text");
		n = continuation(x);
		if (n > 0)
			take_continuation(x, n);
		else if (c == '\\')
			value_escape(x, v, false);
		else
			value_add(x, v, x->pos++);
	}
	if (v->n_marks == 0)
		return FAIL(x, start < x->line_start ? x->line_start : start,
			    "a value is expected; write \"\" for an empty one");
	return 0;
}

static int read_value(struct lexer *x, struct value *v)
{
	/* An empty value has a position, too. */
	if (peek(x, 0) == '"') {
		v->marks = xcalloc(1, sizeof(*v->marks));
		v->marks[v->n_marks++] = (struct conf_mark){ .line = x->line, .column = column_of(x, x->pos) + 1 };
		v->next = x->pos + 1;
		return read_quoted(x, v);
	}
	return read_bare(x, v);
}

static void value_free(struct value *v)
{
	strbuf_free(&v->text);
	free(v->marks);
}

/* Whoever can write the file decides what its readers run. */
static int read_trusted(const char *path, char **text, size_t *len, struct stat *st, struct err *e)
{
	if (path_read_file(AT_FDCWD, path, CONF_MAX_SIZE, text, len, st, e) < 0)
		return -1;
	if (S_ISREG(st->st_mode) && st->st_mode & S_IWOTH) {
		err_set(e, "%s:1:1: anyone may write to this file", path);
		return err_hint(e, "run chmod o-w on it");
	}
	return 0;
}

static int read_include(struct lexer *x, size_t at)
{
	const unsigned line = x->line, column = column_of(x, at);
	cleanup(free) char *path = NULL, *text = NULL;
	struct lexer inner = { .r = x->r, .line = 1, .e = x->e };
	struct file_chain chain = { .up = x->chain };
	struct value v = { 0 };
	struct stat st;
	const char *slash;

	if (!x->chain) {
		err_set(x->e, "Include is not possible here: there is no file around it");
		return err_wrap(x->e, "%s:%u:%u", x->file, line, column);
	}
	if (read_value(x, &v) < 0) {
		value_free(&v);
		return -1;
	}
	path = strbuf_take(&v.text);
	value_free(&v);
	slash = strrchr(x->file, '/');
	if (*path != '/' && slash) {
		char *full = xasprintf("%.*s/%s", (int)(slash - x->file), x->file, path);

		free(path);
		path = full;
	}
	chain.depth = x->chain->depth + 1;
	if (chain.depth >= CONF_MAX_DEPTH || ++x->r->files >= CONF_MAX_FILES) {
		err_set(x->e, "Include %s: more than %d files within each other, or %d in all", path, CONF_MAX_DEPTH,
			CONF_MAX_FILES);
		return err_wrap(x->e, "%s:%u:%u", x->file, line, column);
	}
	if (read_trusted(path, &text, &inner.len, &st, x->e) < 0) {
		err_wrap(x->e, "Include");
		return err_wrap(x->e, "%s:%u:%u", x->file, line, column);
	}
	for (const struct file_chain *c = x->chain; c; c = c->up) {
		if (c->dev == st.st_dev && c->ino == st.st_ino && S_ISREG(st.st_mode)) {
			err_set(x->e, "Include %s: the file includes itself", path);
			return err_wrap(x->e, "%s:%u:%u", x->file, line, column);
		}
	}
	chain.dev = st.st_dev;
	chain.ino = st.st_ino;
	inner.chain = &chain;
	inner.file = path;
	inner.s = text;
	return read_lexer(&inner);
}

static int bad_character(struct lexer *x)
{
	int c = peek(x, 0);

	if (c == 0)
		return FAIL(x, x->pos, "a NUL byte; the file must be text");
	if (c < ' ' || c > '~')
		return FAIL(x, x->pos, "a byte 0x%02x; outside of values and comments only ASCII is accepted",
			    (unsigned)c);
	return FAIL(x, x->pos, "'%c' where Key=Value, Include FILE or a # comment is expected", c);
}

static int read_pair(struct lexer *x, bool first)
{
	struct conf_pair pair = { .file = x->file, .line = x->line, .column = column_of(x, x->pos) };
	cleanup(free) char *key = NULL;
	struct value v = { 0 };
	size_t at = x->pos;
	int rc;

	while (isalnum(peek(x, 0)) || peek(x, 0) == '_' || peek(x, 0) == '.')
		x->pos++;
	if (x->pos == at)
		return bad_character(x);
	key = xstrndup(x->s + at, x->pos - at);
	skip_blanks(x);
	if (peek(x, 0) != '=') {
		if (first && strcasecmp(key, "Include") == 0)
			return read_include(x, at);
		err_set(x->e, "'%.40s' is not followed by '='; Key=Value is expected%s", key,
			first ? "" : ", and a value with spaces must be quoted");
		return err_wrap(x->e, "%s:%u:%u", x->file, pair.line, pair.column);
	}
	x->pos++;
	skip_blanks(x);
	rc = read_value(x, &v);
	if (rc == 0) {
		pair.key = key;
		pair.value = v.text.data ? v.text.data : "";
		pair.marks = v.marks;
		pair.n_marks = v.n_marks;
		rc = x->r->fn(x->r->arg, &pair, x->e);
	}
	value_free(&v);
	return rc;
}

static int read_lexer(struct lexer *x)
{
	bool first = true;
	int rc = 0;

	while (rc == 0) {
		skip_blanks(x);
		if (peek(x, 0) < 0)
			return 0;
		if (peek(x, 0) == '\n') {
			next_line(x);
			first = true;
		} else if (peek(x, 0) == '#') {
			skip_comment(x);
		} else {
			rc = read_pair(x, first);
			first = false;
		}
	}
	return rc;
}

int conf_read_file(const char *path, conf_pair_fn *fn, void *arg, char ***warnings, struct err *e)
{
	struct reading r = { .fn = fn, .arg = arg, .warnings = warnings };
	struct file_chain chain = { 0 };
	struct lexer x = { .r = &r, .chain = &chain, .file = path, .line = 1, .e = e };
	cleanup(free) char *text = NULL;
	struct stat st;

	if (read_trusted(path, &text, &x.len, &st, e) < 0)
		return -1;
	chain.dev = st.st_dev;
	chain.ino = st.st_ino;
	x.s = text;
	return read_lexer(&x);
}

int conf_read_text(const char *name, const char *text, size_t len, conf_pair_fn *fn, void *arg, char ***warnings,
		   struct err *e)
{
	struct reading r = { .fn = fn, .arg = arg, .warnings = warnings };
	/* A copy that ends with a NUL byte, as a file's text does. */
	cleanup(free) char *copy = xcalloc(len + 1, 1);
	struct lexer x = { .r = &r, .file = name, .s = copy, .len = len, .line = 1, .e = e };

	if (len > CONF_MAX_SIZE)
		return err_set(e, "%s:1:1: more than %d bytes", name, CONF_MAX_SIZE);
	if (len)
		memcpy(copy, text, len);
	return read_lexer(&x);
}

void conf_pair_position(const struct conf_pair *pair, size_t offset, unsigned *line, unsigned *column)
{
	const struct conf_mark *m = pair->marks;

	for (size_t i = 1; i < pair->n_marks && pair->marks[i].offset <= offset; i++)
		m = &pair->marks[i];
	*line = m->line;
	*column = m->column + (unsigned)(offset - m->offset);
}
