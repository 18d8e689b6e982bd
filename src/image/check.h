/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_IMAGE_CHECK_H
#define BERTH_IMAGE_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What is wrong with a bundle: where it breaks the OCI runtime specification (config.md, config-linux.md), and what
 * would keep rootless crun and runc on this host, as this user, from running it.
 */
struct check_problem {
	bool error;    /* it will not run; else a warning */
	char *pointer; /* into config.json; "" is the whole of it, or the bundle itself */
	char *text;
};

struct check_result {
	struct check_problem *problems;
	size_t n, errors;
};

#define CHECK_RESULT_INIT ((struct check_result){ 0 })

void check_bundle(const char *dir, struct check_result *out);
void cleanup_check_result(struct check_result *r);

#endif
