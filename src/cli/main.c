/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/commands.h"
#include "cli/list_options.h"
#include "cli/opts.h"
#include "engine/local/supervisor.h"
#include "engine/local/watcher.h"
#include "proc/exit.h"

/* One program, all commands: by the name that it was called by, or by its first argument. */

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	bool slurm; /* Slurm's name: also a link to this program */
	const char *help;
} commands[] = {
	{ "srun", cmd_srun, true, "run a command as a job, or as a step of one" },
	{ "sbatch", cmd_sbatch, true, "queue a script as a job" },
	{ "salloc", cmd_salloc, true, "take a job's place and run a shell or a command in it" },
	{ "squeue", cmd_squeue, true, "show jobs that wait and run" },
	{ "scancel", cmd_scancel, true, "end jobs and steps, or send them a signal" },
	{ "sacct", cmd_sacct, true, "show jobs and steps that ran" },
	{ "bundle", cmd_bundle, false, "make OCI bundles, and say what is wrong with one" },
	{ "check", cmd_check, false, "say whether containers run here, and what to do where not" },
	{ NULL, NULL, false, NULL },
};

static const struct command *find(const char *name)
{
	for (const struct command *c = commands; c->name; c++) {
		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

static int run(const struct command *c, int argc, char **argv)
{
	log_open(c->name);
	return c->run(argc, argv);
}

static void help(FILE *out)
{
	fputs("Usage: berth COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n", out);
	for (const struct command *c = commands; c->name; c++)
		fprintf(out, "  %-10s  %s\n", c->name, c->help);
	fputs("\n  berth COMMAND --help   the options of a command\n"
	      "  berth --version        the version\n",
	      out);
}

static int berth(int argc, char **argv)
{
	const struct command *c;

	log_open("berth");
	if (argc < 2) {
		help(stderr);
		return 1;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		help(stdout);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		printf("berth %s\n", BERTH_VERSION);
		return 0;
	}
	if (strcmp(argv[1], "--dump-options") == 0) {
		opts_dump(stdout);
		list_command_dump(&squeue_command, stdout);
		list_command_dump(&scancel_command, stdout);
		list_command_dump(&sacct_command, stdout);
		cmd_bundle_dump(stdout);
		cmd_check_dump(stdout);
		return 0;
	}
	if (strcmp(argv[1], SUPERVISOR_VERB) == 0)
		return supervisor_main(argc, argv);
	if (strcmp(argv[1], WATCHER_VERB) == 0)
		return watcher_main(argc, argv);
	c = find(argv[1]);
	if (!c) {
		log_error("'%.64s' is no command; 'berth --help' lists them", argv[1]);
		return 1;
	}
	return run(c, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	const struct command *c = argc > 0 ? find(path_base(argv[0])) : NULL;

	fd_open_standard();
	exit_statuses_are_kept();
	return c && c->slurm ? run(c, argc, argv) : berth(argc, argv);
}
