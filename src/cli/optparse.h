/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CLI_OPTPARSE_H
#define BERTH_CLI_OPTPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

/*
 * Command lines as getopt_long takes them with "+": long options may be abbreviated, an optional value is attached, the
 * first word that is no option ends the options. What getopt prints and keeps in globals is returned here.
 */

enum opt_arg {
	OPT_ARG_NO,
	OPT_ARG_REQUIRED,
	OPT_ARG_OPTIONAL,
};

enum opt_class {
	OPT_SUPPORTED,
	OPT_RECORDED, /* accepted, without effect on one machine */
	OPT_REFUSED,  /* known, would change the result, and we have nothing for it */
};

struct opt_def {
	const char *name; /* long; NULL: letter only */
	char letter;	  /* '\0': none */
	enum opt_arg arg;
	const char *arg_name; /* for people; NULL where arg is OPT_ARG_NO */
	const char *help;     /* refused: why */
	enum opt_class class;
};

struct optparse {
	int argc;
	char *const *argv;
	const struct opt_def *const *defs;
	size_t n;
	int next;	     /* begin with 1; at the end the first word that is no option */
	const char *cluster; /* the letters left of a "-abc"; begin with NULL */
	bool no_more;	     /* "--" was seen */
};

/* 1 with the option and its value (NULL: none), 0 at the end, -1 with an error. */
int optparse_next(struct optparse *p, const struct opt_def **def, const char **value, struct err *e);

/* The same for commands whose options may stand behind their operands: 2 with an operand in *value. */
int optparse_next_any(struct optparse *p, const struct opt_def **def, const char **value, struct err *e);

/* One option by its long name (abbreviated or not) of LEN bytes. NULL with an error. */
const struct opt_def *optparse_find(const struct opt_def *const *defs, size_t n, const char *name, size_t len,
				    struct err *e);

/* "-n, --ntasks=NUMBER   text" for each option of CLASS, wrapped for 80 columns. */
void optparse_help(FILE *out, const struct opt_def *const *defs, size_t n, enum opt_class class);
/* COMMAND, long name, letter, argument, class, text, and ENV, separated by tabs. */
void optparse_dump(FILE *out, const char *command, const struct opt_def *def, const char *env);

#endif
