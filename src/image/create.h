/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_IMAGE_CREATE_H
#define BERTH_IMAGE_CREATE_H

#include <stdbool.h>

#include "base/err.h"
#include "image/extract.h"
#include "image/source.h"
#include "image/config_json.h"

struct create_options {
	const char *dir;  /* the bundle to make */
	const char *from; /* as the user wrote it */
	struct extract_limits limits;
	enum config_userns userns;
	bool read_only;
	bool in_place; /* a folder is used where it is */
	/* skopeo's, NULL: not given */
	const char *tls_verify, *authfile, *creds, *arch;
	/* mmdebstrap's */
	const char *variant, *include, *mirror;
};

#define CREATE_OPTIONS_INIT                                                                                 \
	((struct create_options){ .limits = { .size = UINT64_C(256) << 30, .entries = UINT64_C(10000000) }, \
				  .variant = "apt" })

/*
 * Makes the bundle in a private folder beside DIR and puts it in place in one step; a failure or a signal takes
 * everything back, and what a killed run left is removed by the next one for the same DIR. *notes (a strv array) is
 * what the user should know. After a signal, *caught is its number and -1 is returned.
 */
int create_bundle(const struct create_options *o, char ***notes, int *caught, struct err *e);

#endif
