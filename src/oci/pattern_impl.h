/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_OCI_PATTERN_IMPL_H
#define BERTH_OCI_PATTERN_IMPL_H

#include "base/str.h"
#include "oci/pattern.h"

/* What pattern.c, pattern_scan.c and pattern_check.c share. */

/* Every replacement but %%; those of NUMBERS are digits whatever the job. */
#define PATTERN_LETTERS "@bejmnprstuUZ"
#define PATTERN_NUMBERS "jpstU"

/* A stretch of a word: literal text, or the value of a replacement. */
struct piece {
	char letter; /* 0: text */
	char *text;
};

/* A word of a simple command, quotes removed. */
struct word {
	struct piece *pieces;
	size_t n;
	size_t offset;	 /* of its first byte in the pattern */
	bool unknown;	 /* the shell puts something in: its text is not all there */
	bool quoted;	 /* some of it is quoted, so that it stays a word when empty */
	bool assignment; /* begins with NAME= */
	char value;	 /* the first replacement in it that is no number, nested ones included; 0: none */
	size_t value_at; /* and its offset */
};

struct words {
	struct word *v;
	size_t n;
};

/* What scanning a command finds. */
struct scan_result {
	struct words words;    /* of the one command, where no shell is needed */
	struct strbuf program; /* the pattern with its replacements turned into variables, for a shell */
	bool shell;	       /* it needs one */
	bool exec;	       /* one simple command, which may take the shell's place */
	bool sudo;	       /* a word is sudo */
	bool used[128];	       /* by letter */
	size_t offset;	       /* of what is wrong */
};

/* Scans TEXT as a POSIX shell would. On failure r->offset is set; r is for scan_result_free either way. */
int pattern_scan(const char *text, enum pattern_kind kind, struct scan_result *r, struct err *e);
void scan_result_free(struct scan_result *r);
void words_free(struct words *w);

/*
 * Refuses a simple command that gives a value to something that would parse it: the program text of sh -c, eval, ssh
 * and so on. *offset is of the value.
 */
int pattern_check_command(const struct words *w, size_t *offset, struct err *e);
/* The base name of the word where its text is known, else NULL. Inside the word. */
const char *word_name(const struct word *w);
/* The word's text before its first replacement. Never NULL. */
const char *word_start(const struct word *w);

/* The letter after '%' at TEXT, checked against KIND; 0 with an error where there is none. */
char pattern_letter(const char *text, enum pattern_kind kind, struct err *e);

#endif
