/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_OCI_RUNTIME_H
#define BERTH_OCI_RUNTIME_H

#include "config/oci_conf.h"
#include "proc/spawn.h"

/* The argument vector of an operation, for strv_free; NULL where the configuration has none for it. */
char **runtime_argv(const struct oci_conf *c, enum oci_op op, const struct pattern_values *v);

/*
 * For Create with a terminal: puts --console-socket=SOCKET (OCI command line, as crun and runc have it) behind the
 * verb. -1 where the verb cannot be told.
 */
int runtime_add_console_socket(char ***argv, const char *socket, struct err *e);

/*
 * Starts it with ENV, our own stdio, and a death of its own when we die; with NEW_SESSION away from our terminal, whose
 * signals we then pass on alone. The program is looked up in RUNTIME_PATH. Errors name the operation and the program.
 */
int runtime_start(enum oci_op op, char *const *argv, char *const *env, bool new_session, struct child *out,
		  struct err *e);

/* What Query says (OCI runtime specification, "State"). */
enum runtime_status {
	RUNTIME_UNKNOWN, /* no answer, or one that cannot be read */
	RUNTIME_CREATING,
	RUNTIME_CREATED,
	RUNTIME_RUNNING,
	RUNTIME_PAUSED,
	RUNTIME_STOPPED,
};

struct runtime_state {
	enum runtime_status status;
	pid_t pid;     /* of process 1; 0 where it is not said */
	int exit_code; /* of a stopped container; -1 where it is not said, as most runtimes do not */
};

/* Runs Query; blocks for at most TIMEOUT_MS. */
struct runtime_state runtime_query(char *const *argv, char *const *env, int timeout_ms);

#endif
