/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CLI_SQUEUE_COLUMNS_H
#define BERTH_CLI_SQUEUE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "cli/list.h"

/* squeue's columns: -o "%.18i %.9P", -O "JobID:10,Name". */

struct squeue_field {
	char letter;		/* of -o; '\0': none */
	const char *name;	/* of -O; NULL: none */
	const char *title;	/* of a job's column */
	const char *step_title; /* NULL: the same */
	list_value *value;
};

struct squeue_column {
	const struct squeue_field *field;
	size_t width; /* 0: as wide as the text */
	bool right;
	char *suffix;
};

struct squeue_columns {
	char *prefix;
	struct squeue_column *columns;
	size_t n;
};

/* STEPS: the rows are steps. The result is for squeue_columns_free, also after an error. */
int squeue_columns_letters(const char *format, bool steps, struct squeue_columns *out, struct err *e);
int squeue_columns_names(const char *format, bool steps, struct squeue_columns *out, struct err *e);
void squeue_columns_free(struct squeue_columns *c);

/* The letters and names, for --help. */
void squeue_columns_help(FILE *out);

/* One line, with its newline; ROW NULL: the titles. */
void squeue_columns_line(struct strbuf *b, const struct squeue_columns *c, bool steps, const struct list_row *row);

/* Negative, 0 or positive as ROWs A and B are sorted by -S's KEY ("P,t,-p"). */
int squeue_compare(const char *keys, const struct list_row *a, const struct list_row *b);
/* False with an error where KEYS names an unknown column. */
int squeue_check_keys(const char *keys, struct err *e);

#endif
