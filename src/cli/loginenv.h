/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CLI_LOGINENV_H
#define BERTH_CLI_LOGINENV_H

#include "base/err.h"

/*
 * The environment (strv) that a login of this user would have: their shell, started as a login shell, is asked for it.
 * Blocks for at most TIMEOUT_MS.
 */
int login_env(int timeout_ms, char ***out, struct err *e);

#endif
