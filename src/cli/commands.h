/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CLI_COMMANDS_H
#define BERTH_CLI_COMMANDS_H

#include <stdio.h>

/*
 * The commands of berth. argv[0] is the command's name; the result is the exit status of the process. Each prints its
 * own errors.
 */
int cmd_srun(int argc, char **argv);
int cmd_sbatch(int argc, char **argv);
int cmd_salloc(int argc, char **argv);
int cmd_squeue(int argc, char **argv);
int cmd_scancel(int argc, char **argv);
int cmd_sacct(int argc, char **argv);
int cmd_bundle(int argc, char **argv);
int cmd_check(int argc, char **argv);

/* Their options, as opts_dump (cli/opts.h) has them. */
void cmd_bundle_dump(FILE *out);
void cmd_check_dump(FILE *out);

#endif
