/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CLI_LIST_OPTIONS_H
#define BERTH_CLI_LIST_OPTIONS_H

#include <stdbool.h>

#include "base/err.h"
#include "cli/optparse.h"

/* The options of squeue, sacct and scancel. */

struct list_option {
	struct opt_def def;
	int id;		 /* 0: accepted and without effect */
	const char *env; /* the variable that stands for it, or NULL */
};

struct list_command {
	const char *name, *operands;
	const struct list_option *options;
	size_t n;
	bool refuses; /* some of the options */
};

extern const struct list_command squeue_command, sacct_command, scancel_command;

/* VALUE is borrowed from the command line or the environment and lives as long as the process. */
typedef int list_apply_fn(void *arg, int id, const char *value, struct err *e);
typedef int list_operand_fn(void *arg, const char *word, struct err *e);

/* The environment first, then the command line; options may stand behind operands. */
int list_command_parse(const struct list_command *c, int argc, char **argv, list_apply_fn *apply,
		       list_operand_fn *operand, void *arg, struct err *e);
/* --help, --version, or the usage in short. */
void list_command_info(const struct list_command *c, bool help, bool version);
void list_command_dump(const struct list_command *c, FILE *out);

#endif
