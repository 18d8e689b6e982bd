/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CONFIG_IMPORT_H
#define BERTH_CONFIG_IMPORT_H

#include <stdio.h>

#include "base/err.h"

/*
 * Reads the oci.conf that a site uses with Slurm, and writes to OUT, a line each, what would be different with berth:
 * "file:line:column: change: ..." for what behaves otherwise, "advice: ..." for what could be better, and a summary.
 * 0, or -1 where the file cannot be used here as it is; the error says why, and what could be said is written.
 */
int oci_import_report(const char *path, FILE *out, struct err *e);

#endif
