/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
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
#include "image/check.h"
#include "image/create.h"
#include "oci/json.h"
#include "proc/exit.h"

static const char usage[] = "Usage: berth bundle create DIR --from SRC [OPTION...]\n"
			    "       berth bundle check DIR [--json]\n"
			    "\n"
			    "create makes an OCI bundle that crun and runc run without privileges. SRC is\n"
			    "  FOLDER                a root file system, copied\n"
			    "  FILE or -             a tar archive of one (gzip, bzip2, xz, zstd); - is stdin\n"
			    "  docker://REFERENCE    an image in a registry\n"
			    "  oci:LAYOUT[:TAG]      an image in an OCI image layout\n"
			    "  docker-archive:FILE   what `docker save` wrote\n"
			    "  debian:SUITE          a new Debian, through mmdebstrap\n"
			    "\n"
			    "      --in-place           use FOLDER where it is\n"
			    "      --read-only          the container may not change its root file system\n"
			    "      --userns=MODE        who you are inside: root (default) or keep-id\n"
			    "      --max-size=BYTES     stop at more than this, K, M, G, T understood (256G)\n"
			    "      --max-files=N        stop at more entries than this (10000000)\n"
			    "      --arch=ARCH          the image for another architecture\n"
			    "      --tls-verify=BOOL    false: a registry without a valid certificate\n"
			    "      --authfile=FILE      where the registry's credentials are\n"
			    "      --creds=USER:PASS    the registry's credentials\n"
			    "      --variant=NAME       of Debian: apt (default), minbase, standard, ...\n"
			    "      --include=PACKAGES   more of Debian, separated by commas\n"
			    "      --mirror=URL         of Debian\n"
			    "\n"
			    "check says what is wrong with a bundle; its exit status is 0 when it can run.\n"
			    "      --json               for programs\n"
			    "  -h, --help\n";

enum {
	OPT_FROM = 256,
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
};

static const struct option create_options[] = {
	{ "from", required_argument, NULL, OPT_FROM },
	{ "in-place", no_argument, NULL, OPT_IN_PLACE },
	{ "read-only", no_argument, NULL, OPT_READ_ONLY },
	{ "userns", required_argument, NULL, OPT_USERNS },
	{ "max-size", required_argument, NULL, OPT_MAX_SIZE },
	{ "max-files", required_argument, NULL, OPT_MAX_FILES },
	{ "arch", required_argument, NULL, OPT_ARCH },
	{ "tls-verify", required_argument, NULL, OPT_TLS_VERIFY },
	{ "authfile", required_argument, NULL, OPT_AUTHFILE },
	{ "creds", required_argument, NULL, OPT_CREDS },
	{ "variant", required_argument, NULL, OPT_VARIANT },
	{ "include", required_argument, NULL, OPT_INCLUDE },
	{ "mirror", required_argument, NULL, OPT_MIRROR },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static int fail(const struct err *e)
{
	fprintf(stderr, "berth bundle: %s\n", e->msg);
	return 1;
}

static int bad_usage(void)
{
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

static int set_option(struct create_options *o, int opt, const char *value, struct err *e)
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
	struct err e = ERR_INIT;
	int opt, caught, r;

	while ((opt = getopt_long(argc, argv, "h", create_options, NULL)) != -1) {
		if (opt == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (opt == '?')
			return bad_usage();
		if (set_option(&o, opt, optarg, &e) < 0)
			return fail(&e);
	}
	if (argc - optind != 1 || !o.from) {
		fprintf(stderr, "berth bundle create: expected DIR and --from=SRC\n");
		return bad_usage();
	}
	o.dir = argv[optind];
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
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
						 { "help", no_argument, NULL, 'h' },
						 { 0 } };
	cleanup(check_result) struct check_result r = CHECK_RESULT_INIT;
	bool json = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (opt == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (opt == '?')
			return bad_usage();
		json = true;
	}
	if (argc - optind != 1) {
		fprintf(stderr, "berth bundle check: expected one DIR\n");
		return bad_usage();
	}
	check_bundle(argv[optind], &r);
	if (json)
		print_json(&r, argv[optind]);
	for (size_t i = 0; !json && i < r.n; i++)
		printf("%s: %s%s%s\n", r.problems[i].error ? "error" : "warning", r.problems[i].pointer,
		       *r.problems[i].pointer ? ": " : "", r.problems[i].text);
	return r.errors ? 1 : 0;
}

int cmd_bundle(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "create") == 0)
		return create(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "check") == 0)
		return check(argc - 1, argv + 1);
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc > 1)
		fprintf(stderr, "berth bundle: '%s' is neither create nor check\n", argv[1]);
	else
		fprintf(stderr, "berth bundle: expected create or check\n");
	return bad_usage();
}
