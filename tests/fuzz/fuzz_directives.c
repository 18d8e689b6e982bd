/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cli/opts.h"
#include "fuzz.h"

/* A batch script's #SBATCH lines. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[] = { "sbatch", "script", NULL }, *env[] = { NULL };
	struct err e = ERR_INIT;
	struct opts o;

	if (opts_parse(OPTS_SBATCH, 2, argv, env, &o, &e) < 0)
		abort();
	if (directives_apply(&o, "script", (const char *)data, size, &e) < 0) {
		if (strncmp(e.msg, "script:", 7) != 0)
			abort();
	} else if (o.ntasks == 0 || o.cpus_per_task == 0 || (o.container && !*o.container)) {
		abort();
	}
	opts_free(&o);
	return 0;
}
