/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CONFIG_BUILTIN_H
#define BERTH_CONFIG_BUILTIN_H

#include <stdbool.h>

#include "base/err.h"
#include "config/oci_conf.h"

/* The built-in configuration's choice of a runtime: the first of crun and runc that runs a container on this host. */

enum { RUNTIME_COUNT = 2 };

struct runtime_choice {
	struct runtime_verdict {
		const char *name;
		char *path; /* NULL: not found */
		char *why;  /* NULL: it works, or was not tried because one before it works; else its last words */
	} tried[RUNTIME_COUNT];
	int chosen; /* in tried, or -1 */
};

void runtime_choice_free(struct runtime_choice *c);

/* What to choose from and where to remember it. NULL stands for the usual. */
struct runtime_places {
	const char *path; /* RUNTIME_PATH */
	const char *init; /* libexec/berth/berth-init: a static program that exits with 0 when given --probe */
	char *const *env; /* for XDG_CACHE_HOME and HOME; NULL remembers nothing */
	bool forget;	  /* try anew whatever is remembered */
};

/*
 * Chooses, and runs a small container (tens of milliseconds, at most 10 s a runtime) unless what was found before on
 * this boot, with these programs, this user and this layout of cgroups is remembered. 0 even where none works.
 */
int runtime_choose(const struct runtime_places *places, struct runtime_choice *out, struct err *e);

/* Runs one container with the runtime. 0, or -1 with the runtime's last words. */
int runtime_probe(const char *name, const char *path, const char *init, struct err *e);

/* The built-in configuration's text for this runtime; the caller frees it. */
char *builtin_conf_text(const char *name, const char *path);

#endif
