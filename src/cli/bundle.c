/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/bundle_options.h"
#include "cli/commands.h"
#include "config/install.h"

/* A program of its own: it alone needs a library for archives, and that one linked dynamically. */
int cmd_bundle(int argc, char **argv)
{
	cleanup(free) char *program = install_libexec("berth-bundle");

	(void)argc;
	if (!program) {
		log_error("this program's own place is unknown; is /proc mounted?");
		return 1;
	}
	execv(program, argv);
	log_error("%s: %s; it is a part of berth's installation", program, strerror(errno));
	return 1;
}

void cmd_bundle_dump(FILE *out)
{
	for (size_t i = 0; i < N_BUNDLE_CREATE; i++)
		optparse_dump(out, "bundle create", &bundle_create_options[i], "");
	for (size_t i = 0; i < N_BUNDLE_CHECK; i++)
		optparse_dump(out, "bundle check", &bundle_check_options[i], "");
}
