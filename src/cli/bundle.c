/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/optparse.h"
#include "image/check.h"
#include "image/create.h"
#include "oci/json.h"
#include "proc/exit.h"

static const char usage[] = "Usage: berth bundle create DIR --from SRC [OPTION]...\n"
			    "       berth bundle check DIR [--json]\n"
			    "\n"
			    "create makes an OCI bundle that crun and runc run without privileges. SRC is\n"
			    "  FOLDER                a root file system, copied\n"
			    "  FILE or -             a tar archive of one (gzip, bzip2, xz, zstd); - is stdin\n"
			    "  docker://REFERENCE    an image in a registry\n"
			    "  oci:LAYOUT[:TAG]      an image in an OCI image layout\n"
			    "  docker-archive:FILE   what 'docker save' wrote\n"
			    "  debian:SUITE          a new Debian, through mmdebstrap\n"
			    "\n";

static const char usage_check[] = "\ncheck says what is wrong with a bundle; its exit status is 0 where nothing\n"
				  "keeps it from running.\n\n";

/* The options of both; the order is that of the table. */
enum bundle_opt {
	OPT_FROM,
	OPT_IN_PLACE,
	OPT_READ_ONLY,
	OPT_USERNS,
	OPT_MAX_SIZE,
	OPT_MAX_FILES,
	OPT_ARCH,
	OPT_TLS_VERIFY,
	OPT_AUTHFILE,
	OPT_CREDS,
	OPT_VARIANT,
	OPT_INCLUDE,
	OPT_MIRROR,
	OPT_CREATE_HELP,
	N_CREATE,
	OPT_JSON = 0,
	OPT_CHECK_HELP,
	N_CHECK,
};

static const struct opt_def create_table[N_CREATE] = {
	[OPT_FROM] = { "from", '\0', OPT_ARG_REQUIRED, "SRC", "what to make it from", OPT_SUPPORTED },
	[OPT_IN_PLACE] = { "in-place", '\0', OPT_ARG_NO, NULL, "use a folder where it is", OPT_SUPPORTED },
	[OPT_READ_ONLY] = { "read-only", '\0', OPT_ARG_NO, NULL, "the container may not change its root file system",
			    OPT_SUPPORTED },
	[OPT_USERNS] = { "userns", '\0', OPT_ARG_REQUIRED, "MODE", "who you are inside: root (default) or keep-id",
			 OPT_SUPPORTED },
	[OPT_MAX_SIZE] = { "max-size", '\0', OPT_ARG_REQUIRED, "BYTES",
			   "stop at more than this; K, M, G, T are understood (256G)", OPT_SUPPORTED },
	[OPT_MAX_FILES] = { "max-files", '\0', OPT_ARG_REQUIRED, "N", "stop at more entries than this (10000000)",
			    OPT_SUPPORTED },
	[OPT_ARCH] = { "arch", '\0', OPT_ARG_REQUIRED, "ARCH", "the image for another architecture", OPT_SUPPORTED },
	[OPT_TLS_VERIFY] = { "tls-verify", '\0', OPT_ARG_REQUIRED, "BOOL",
			     "false takes a registry without a valid certificate", OPT_SUPPORTED },
	[OPT_AUTHFILE] = { "authfile", '\0', OPT_ARG_REQUIRED, "FILE", "where the registry's credentials are",
			   OPT_SUPPORTED },
	[OPT_CREDS] = { "creds", '\0', OPT_ARG_REQUIRED, "USER[:PASSWORD]", "the registry's credentials",
			OPT_SUPPORTED },
	[OPT_VARIANT] = { "variant", '\0', OPT_ARG_REQUIRED, "NAME", "of Debian: apt (default), minbase, standard, ...",
			  OPT_SUPPORTED },
	[OPT_INCLUDE] = { "include", '\0', OPT_ARG_REQUIRED, "PACKAGES", "more of Debian, separated by commas",
			  OPT_SUPPORTED },
	[OPT_MIRROR] = { "mirror", '\0', OPT_ARG_REQUIRED, "URL", "of Debian", OPT_SUPPORTED },
	[OPT_CREATE_HELP] = { "help", 'h', OPT_ARG_NO, NULL, "this text", OPT_SUPPORTED },
};

static const struct opt_def check_table[N_CHECK] = {
	[OPT_JSON] = { "json", '\0', OPT_ARG_NO, NULL, "for programs", OPT_SUPPORTED },
	[OPT_CHECK_HELP] = { "help", 'h', OPT_ARG_NO, NULL, "this text", OPT_SUPPORTED },
};

/* A command line whose one word that is no option may stand anywhere. */
struct parse {
	struct optparse p;
	const struct opt_def *defs[N_CREATE];
	const char *dir;
};

static void parse_begin(struct parse *a, int argc, char **argv, const struct opt_def *table, size_t n)
{
	for (size_t i = 0; i < n; i++)
		a->defs[i] = &table[i];
	a->p = (struct optparse){ .argc = argc, .argv = argv, .defs = a->defs, .n = n, .next = 1 };
	a->dir = NULL;
}

/* 1 with an option, 0 at the end, -1. */
static int parse_next(struct parse *a, const struct opt_def **def, const char **value, struct err *e)
{
	int r;

	while ((r = optparse_next(&a->p, def, value, e)) == 0 && a->p.next < a->p.argc) {
		if (a->dir)
			return err_set(e, "'%s': one DIR was expected", a->p.argv[a->p.next]);
		a->dir = a->p.argv[a->p.next++];
	}
	return r;
}

static int help(void)
{
	struct parse a;

	fputs(usage, stdout);
	parse_begin(&a, 0, NULL, create_table, N_CREATE);
	optparse_help(stdout, a.defs, N_CREATE, OPT_SUPPORTED);
	fputs(usage_check, stdout);
	parse_begin(&a, 0, NULL, check_table, N_CHECK);
	optparse_help(stdout, a.defs, N_CHECK, OPT_SUPPORTED);
	return 0;
}

void cmd_bundle_dump(FILE *out)
{
	for (size_t i = 0; i < N_CREATE; i++)
		optparse_dump(out, "bundle create", &create_table[i], "");
	for (size_t i = 0; i < N_CHECK; i++)
		optparse_dump(out, "bundle check", &check_table[i], "");
}

static int fail(const struct err *e)
{
	fprintf(stderr, "berth bundle: %s\n", e->msg);
	return 1;
}

static int bad_usage(const struct err *e)
{
	fail(e);
	fprintf(stderr, "Try 'berth bundle --help'.\n");
	return 2;
}

/* A number with K, M, G or T for powers of 1024. */
static int parse_size(const char *text, uint64_t *out, struct err *e)
{
	static const char units[] = "KMGT";
	size_t len = strlen(text);
	const char *unit = len > 1 ? strchr(units, text[len - 1] & ~0x20) : NULL;
	unsigned shift = unit && *unit ? 10 * (unsigned)(unit - units + 1) : 0;
	cleanup(free) char *digits = strndup(text, shift ? len - 1 : len);

	if (!digits || parse_u64(digits, 1, UINT64_MAX >> shift, out, e) < 0)
		return -1;
	*out <<= shift;
	return 0;
}

static int set_option(struct create_options *o, enum bundle_opt opt, const char *value, struct err *e)
{
	switch (opt) {
	case OPT_FROM:
		o->from = value;
		return 0;
	case OPT_IN_PLACE:
		o->in_place = true;
		return 0;
	case OPT_READ_ONLY:
		o->read_only = true;
		return 0;
	case OPT_USERNS:
		if (strcmp(value, "root") != 0 && strcmp(value, "keep-id") != 0)
			return err_set(e, "--userns: '%s' is neither root nor keep-id", value);
		o->userns = *value == 'k' ? CONFIG_USERNS_KEEP_ID : CONFIG_USERNS_ROOT;
		return 0;
	case OPT_MAX_SIZE:
		return parse_size(value, &o->limits.size, e) < 0 ? err_wrap(e, "--max-size") : 0;
	case OPT_MAX_FILES:
		return parse_u64(value, 1, UINT64_MAX - 1, &o->limits.entries, e) < 0 ? err_wrap(e, "--max-files") : 0;
	case OPT_TLS_VERIFY:
		if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
			return err_set(e, "--tls-verify: '%s' is neither true nor false", value);
		o->tls_verify = value;
		return 0;
	default:
		break;
	}
	*(opt == OPT_ARCH	? &o->arch
	  : opt == OPT_AUTHFILE ? &o->authfile
	  : opt == OPT_CREDS	? &o->creds
	  : opt == OPT_VARIANT	? &o->variant
	  : opt == OPT_INCLUDE	? &o->include
				: &o->mirror) = value;
	return 0;
}

static int create(int argc, char **argv)
{
	struct create_options o = CREATE_OPTIONS_INIT;
	cleanup(strv) char **notes = NULL;
	const struct opt_def *def;
	struct err e = ERR_INIT;
	const char *value;
	struct parse a;
	int caught, r;

	parse_begin(&a, argc, argv, create_table, N_CREATE);
	while ((r = parse_next(&a, &def, &value, &e)) > 0) {
		if (def - create_table == OPT_CREATE_HELP)
			return help();
		if (set_option(&o, (enum bundle_opt)(def - create_table), value, &e) < 0)
			return fail(&e);
	}
	if (r == 0 && (!a.dir || !o.from))
		r = err_set(&e, "create: expected DIR and --from=SRC");
	if (r < 0)
		return bad_usage(&e);
	o.dir = a.dir;
	r = create_bundle(&o, &notes, &caught, &e);
	for (char **n = notes; n && *n; n++)
		fprintf(stderr, "berth bundle: note: %s\n", *n);
	if (caught) {
		fail(&e);
		exit_like(&(struct exit_status){ .code = 128 + caught, .signal = caught });
	}
	return r < 0 ? fail(&e) : 0;
}

static void print_json(const struct check_result *r, const char *dir)
{
	cleanup(json) struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();

	json_object_object_add(o, "bundle", json_object_new_string(dir));
	json_object_object_add(o, "ok", json_object_new_boolean(!r->errors));
	for (size_t i = 0; i < r->n; i++) {
		struct json_object *p = json_object_new_object();

		json_object_object_add(p, "severity",
				       json_object_new_string(r->problems[i].error ? "error" : "warning"));
		json_object_object_add(p, "pointer", json_object_new_string(r->problems[i].pointer));
		json_object_object_add(p, "message", json_object_new_string(r->problems[i].text));
		json_object_array_add(list, p);
	}
	json_object_object_add(o, "problems", list);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
}

static int check(int argc, char **argv)
{
	cleanup(check_result) struct check_result r = CHECK_RESULT_INIT;
	const struct opt_def *def;
	struct err e = ERR_INIT;
	const char *value;
	bool json = false;
	struct parse a;
	int more;

	parse_begin(&a, argc, argv, check_table, N_CHECK);
	while ((more = parse_next(&a, &def, &value, &e)) > 0) {
		if (def - check_table == OPT_CHECK_HELP)
			return help();
		json = true;
	}
	if (more == 0 && !a.dir)
		more = err_set(&e, "check: expected DIR");
	if (more < 0)
		return bad_usage(&e);
	check_bundle(a.dir, &r);
	if (json)
		print_json(&r, a.dir);
	for (size_t i = 0; !json && i < r.n; i++)
		printf("%s: %s%s%s\n", r.problems[i].error ? "error" : "warning", r.problems[i].pointer,
		       *r.problems[i].pointer ? ": " : "", r.problems[i].text);
	return r.errors ? 1 : 0;
}

int cmd_bundle(int argc, char **argv)
{
	struct err e = ERR_INIT;

	if (argc > 1 && strcmp(argv[1], "create") == 0)
		return create(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "check") == 0)
		return check(argc - 1, argv + 1);
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return help();
	if (argc > 1)
		err_set(&e, "'%.64s' is neither create nor check", argv[1]);
	else
		err_set(&e, "expected create or check");
	return bad_usage(&e);
}
