/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CLI_OPTS_TABLE_H
#define BERTH_CLI_OPTS_TABLE_H

#include <stddef.h>

#include "cli/optparse.h"
#include "cli/opts.h"

struct opt_row;

/* VALUE is NULL where none was given. */
typedef int opt_setter(struct opts *o, const struct opt_row *row, const char *value, struct err *e);

struct opt_row {
	struct opt_def def;
	unsigned cmds; /* OR of enum opts_cmd */
	enum opts_id id;
	opt_setter *set; /* NULL: recorded or refused as it is */
	size_t offset;	 /* in struct opts, for the setters of one value */
	/* Refused with any other value than these, separated by '|'; recorded: values that are accepted, NULL: all. */
	const char *neutral;
	/*
	 * Environment variables, the stronger later: "@X" is SLURM_X, SBATCH_X or SALLOC_X by the command; the command
	 * of any other name is in its prefix, SLURM_ and SLURMD_ being srun's; '*' at the end: of all commands.
	 */
	const char *env;
};

extern const struct opt_row opts_table[];
extern const size_t opts_table_len;

/* The table's rows of one command. */
struct opts_rows {
	const struct opt_def *defs[OPTS_MAX_ROWS];
	size_t n;
};
void opts_rows_of(enum opts_cmd cmd, struct opts_rows *out);

opt_setter opt_set_string, opt_set_flag, opt_set_count, opt_set_mem, opt_set_duration, opt_set_yes_no, opt_set_more,
	opt_set_nothing, opt_set_array, opt_set_begin, opt_set_bell, opt_set_chdir, opt_set_container, opt_set_cpu_bind,
	opt_set_dependency, opt_set_exclude, opt_set_exclusive, opt_set_export, opt_set_gid, opt_set_immediate,
	opt_set_jobid, opt_set_kill_command, opt_set_mpi, opt_set_nodelist, opt_set_nodes, opt_set_open_mode,
	opt_set_pty, opt_set_requeue, opt_set_signal, opt_set_uid, opt_set_user_env, opt_set_wait, opt_set_info;

#endif
