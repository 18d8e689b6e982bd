/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/bundle_options.h"
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

/* A command line whose one word that is no option may stand anywhere. */
struct parse {
	struct optparse p;
	const struct opt_def *defs[N_BUNDLE_CREATE];
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
	parse_begin(&a, 0, NULL, bundle_create_options, N_BUNDLE_CREATE);
	optparse_help(stdout, a.defs, N_BUNDLE_CREATE, OPT_SUPPORTED);
	fputs(usage_check, stdout);
	parse_begin(&a, 0, NULL, bundle_check_options, N_BUNDLE_CHECK);
	optparse_help(stdout, a.defs, N_BUNDLE_CHECK, OPT_SUPPORTED);
	return 0;
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

	parse_begin(&a, argc, argv, bundle_create_options, N_BUNDLE_CREATE);
	while ((r = parse_next(&a, &def, &value, &e)) > 0) {
		if (def - bundle_create_options == OPT_CREATE_HELP)
			return help();
		if (set_option(&o, (enum bundle_opt)(def - bundle_create_options), value, &e) < 0)
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

	parse_begin(&a, argc, argv, bundle_check_options, N_BUNDLE_CHECK);
	while ((more = parse_next(&a, &def, &value, &e)) > 0) {
		if (def - bundle_check_options == OPT_CHECK_HELP)
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

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;

	fd_open_standard();
	log_open("bundle");
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
