/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CLI_BUNDLE_OPTIONS_H
#define BERTH_CLI_BUNDLE_OPTIONS_H

#include "cli/optparse.h"

/* The options of `berth bundle create` and `berth bundle check`, which berth lists and berth-bundle takes. */
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
	N_BUNDLE_CREATE,
	OPT_JSON = 0,
	OPT_CHECK_HELP,
	N_BUNDLE_CHECK,
};

extern const struct opt_def bundle_create_options[N_BUNDLE_CREATE];
extern const struct opt_def bundle_check_options[N_BUNDLE_CHECK];

#endif
