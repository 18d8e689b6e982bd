/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CONFIG_LEXER_H
#define BERTH_CONFIG_LEXER_H

#include <stddef.h>

#include "base/err.h"

/* The form that Slurm's configuration files share: oci.conf(5), FILE FORMAT. */

enum {
	CONF_MAX_SIZE = 1 << 20, /* bytes of one file */
	CONF_MAX_FILES = 64,	 /* that one file includes, directly or not */
	CONF_MAX_DEPTH = 8,
};

/* From this offset of a value on its bytes stand one after the other in the file, from this line and column (from 1).
 */
struct conf_mark {
	size_t offset;
	unsigned line, column;
};

/* One Key=Value; all of it is borrowed. */
struct conf_pair {
	const char *file;
	const char *key; /* as written */
	unsigned line, column;
	const char *value; /* quotes and escapes removed */
	const struct conf_mark *marks;
	size_t n_marks;
};

/* An error that it returns ends the reading, and is returned as it is. */
typedef int conf_pair_fn(void *arg, const struct conf_pair *pair, struct err *e);

/*
 * Reads PATH and what it includes, or TEXT (Include is then refused), and calls FN for each pair in order. What is
 * wrong with the form is an error that begins with "file:line:column: "; what another reader of such files takes
 * differently is added to *warnings in the same form.
 */
int conf_read_file(const char *path, conf_pair_fn *fn, void *arg, char ***warnings, struct err *e);
int conf_read_text(const char *name, const char *text, size_t len, conf_pair_fn *fn, void *arg, char ***warnings,
		   struct err *e);

/* Where the byte at OFFSET of the value stands. */
void conf_pair_position(const struct conf_pair *pair, size_t offset, unsigned *line, unsigned *column);

#endif
