/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bundle_options.h"

#include <stddef.h>

const struct opt_def bundle_create_options[N_BUNDLE_CREATE] = {
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

const struct opt_def bundle_check_options[N_BUNDLE_CHECK] = {
	[OPT_JSON] = { "json", '\0', OPT_ARG_NO, NULL, "for programs", OPT_SUPPORTED },
	[OPT_CHECK_HELP] = { "help", 'h', OPT_ARG_NO, NULL, "this text", OPT_SUPPORTED },
};
