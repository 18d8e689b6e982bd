/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CLI_SACCT_FIELDS_H
#define BERTH_CLI_SACCT_FIELDS_H

#include <stdio.h>

#include "base/err.h"
#include "cli/list.h"

/* sacct's columns: --format=jobid,state%20 and the forms of -p and -P. */

struct sacct_field {
	const char *name;
	int width;	/* negative: flush left */
	bool jobs_only; /* empty for steps */
	list_value *value;
};

struct sacct_columns {
	struct sacct_column {
		const struct sacct_field *field;
		const char *title;
		int width;
	} * columns;
	size_t n;
	const char *delimiter; /* NULL: columns of fixed width */
	bool trailing;	       /* a delimiter at the end too */
};

int sacct_columns_add(struct sacct_columns *c, const char *names, struct err *e);
void sacct_columns_free(struct sacct_columns *c);
void sacct_columns_titles(struct strbuf *b, const struct sacct_columns *c);
void sacct_columns_row(struct strbuf *b, const struct sacct_columns *c, const struct list_row *row);
/* --helpformat */
void sacct_fields_print(FILE *out);

#endif
