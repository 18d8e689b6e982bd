/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_OCI_PATTERN_SCAN_H
#define BERTH_OCI_PATTERN_SCAN_H

#include "oci/pattern_impl.h"

/*
 * The scanner knows as much of POSIX.1-2017, XCU 2 (Shell Command Language) as it takes to say for each byte how a
 * shell would quote it: what it copies into the program is the site's text, unchanged but for the replacements. Where
 * shells disagree about the quoting, the construct is refused. The parts are commands (pattern_scan.c), quotes and
 * expansions (pattern_quote.c), and words (pattern_word.c).
 */

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

int scan_fail_at(struct scan *sc, size_t at);
/* Says what is wrong with the byte at AT, and is -1. */
#define FAIL(sc, at, ...) (err_set((sc)->e, __VA_ARGS__), scan_fail_at(sc, at))
/* One more construct around what comes next; `sc->depth--` leaves it. */
int scan_enter(struct scan *sc);
/* The byte at the present position or behind it, '\0' from the end on. */
char scan_peek(const struct scan *sc, size_t ahead);
/* Copies N bytes into the program. */
void scan_emit(struct scan *sc, size_t n);

void builder_end_piece(struct builder *b);
void builder_add_value(struct builder *b, char letter);
void word_free(struct word *w);

/* Commands up to END, which is left for the caller, or to the end of the text. */
int scan_list(struct scan *sc, char end);

/* Each reads what begins at the present position, which the caller has looked at, into the word. */
void scan_literal(struct scan *sc, struct builder *b);
int scan_replacement(struct scan *sc, struct builder *b, enum quoting q);
int scan_backslash(struct scan *sc, struct builder *b);
int scan_single(struct scan *sc, struct builder *b);
int scan_double(struct scan *sc, struct builder *b);
int scan_backtick(struct scan *sc, struct builder *b);
int scan_dollar(struct scan *sc, struct builder *b, enum quoting q);

#endif
