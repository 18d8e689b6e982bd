/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "base/cleanup.h"
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/optparse.h"
#include "config/import.h"

static const char usage[] = "Usage: berth check [OPTION...]\n"
			    "Goes through everything that a container as a job needs on this host, runs one in each\n"
			    "configured way, and says what to do where something is broken.\n\n";
static const char usage_end[] = "\nThe exit status is 0 when containers run here, warnings or not, and else 1.\n";

enum check_opt { OPT_CONFIG, OPT_IMPORT, OPT_JSON, OPT_HELP, N_OPTS };

static const struct opt_def table[N_OPTS] = {
	[OPT_CONFIG] = { "config", '\0', OPT_ARG_REQUIRED, "FILE", "this oci.conf, not the one that jobs would use",
			 OPT_SUPPORTED },
	[OPT_IMPORT] = { "import", '\0', OPT_ARG_REQUIRED, "FILE",
			 "only say what would change for a site whose oci.conf for Slurm this is", OPT_SUPPORTED },
	[OPT_JSON] = { "json", '\0', OPT_ARG_NO, NULL, "for programs", OPT_SUPPORTED },
	[OPT_HELP] = { "help", 'h', OPT_ARG_NO, NULL, "this text", OPT_SUPPORTED },
};
static const struct opt_def *const defs[N_OPTS] = { &table[0], &table[1], &table[2], &table[3] };

void cmd_check_dump(FILE *out)
{
	for (size_t i = 0; i < N_OPTS; i++)
		optparse_dump(out, "check", &table[i], "");
}

static void (*const checks[])(struct check_run *run) = {
	host_user,    host_kernel, host_namespaces, host_security, host_limits,	  host_subids,
	host_cgroups, host_login,  host_folders,    host_config,   host_programs, host_containers,
};

static int dump_keys(void)
{
	for (int key = 0; key < OCI_KEY_COUNT; key++)
		puts(oci_key_name((enum oci_key)key));
	return 0;
}

static void print_json(const struct check_run *run)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "checks", findings_json(run));
	json_object_object_add(o, "config", check_config_json(run));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static int run_checks(struct check_run *run)
{
	bool fails;

	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		checks[i](run);
		findings_print(run, stdout);
	}
	if (run->json)
		print_json(run);
	else
		check_print_config(run, stdout);
	fails = findings_fail(run);
	if (!run->json)
		puts(fails ? "\nSomething is broken: see the lines that begin with `fail`." : "\nContainers run here.");
	findings_free(run);
	user_free(&run->user);
	oci_conf_free(run->conf);
	free(run->unusable);
	free(run->spool);
	return fails ? 1 : 0;
}

/* A process that asked for a pid namespace can make no thread, which a sanitizer wants to do at exit. */
static _Noreturn void probe(void)
{
	int status = check_probe_namespaces();

	fflush(stdout);
	_exit(status);
}

static int import(const char *file)
{
	struct err e = ERR_INIT;

	if (oci_import_report(file, stdout, &e) == 0)
		return 0;
	fflush(stdout);
	fprintf(stderr, "berth check: %s\n", e.msg);
	return 1;
}

static int bad_usage(const struct err *e)
{
	fprintf(stderr, "berth check: %s\nTry 'berth check --help'.\n", e->msg);
	return 2;
}

static int help(void)
{
	fputs(usage, stdout);
	optparse_help(stdout, defs, N_OPTS, OPT_SUPPORTED);
	fputs(usage_end, stdout);
	return 0;
}

int cmd_check(int argc, char **argv)
{
	struct optparse p = { .argc = argc, .argv = argv, .defs = defs, .n = N_OPTS, .next = 1 };
	struct check_run run = { 0 };
	const struct opt_def *def;
	const char *value, *import_file = NULL;
	struct err e = ERR_INIT;
	int r;

	/* For us and our tests. */
	if (argc == 2 && strcmp(argv[1], "--probe-namespaces") == 0)
		probe();
	if (argc == 2 && strcmp(argv[1], "--dump-keys") == 0)
		return dump_keys();
	while ((r = optparse_next(&p, &def, &value, &e)) > 0) {
		switch ((enum check_opt)(def - table)) {
		case OPT_CONFIG:
			run.config_file = value;
			break;
		case OPT_IMPORT:
			import_file = value;
			break;
		case OPT_JSON:
			run.json = true;
			break;
		case OPT_HELP:
			return help();
		case N_OPTS:
			break;
		}
	}
	if (r == 0 && p.next < argc)
		r = err_set(&e, "unexpected argument '%s'", argv[p.next]);
	if (r < 0)
		return bad_usage(&e);
	return import_file ? import(import_file) : run_checks(&run);
}
