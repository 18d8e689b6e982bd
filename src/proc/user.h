/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_PROC_USER_H
#define BERTH_PROC_USER_H

#include <sys/types.h>

#include "base/err.h"

/*
 * The user database, from a static program: /etc/passwd and /etc/group are read here; whoever is not in them (LDAP,
 * SSSD) is asked for through getent(1), which knows the host's name services.
 */
struct user {
	uid_t uid;
	gid_t gid;
	char *name, *home, *shell;
	char *line; /* as passwd(5), without a newline */
};

/* -1 where the database does not know UID (err.code 0) or could not be asked. */
int user_by_uid(uid_t uid, struct user *out, struct err *e);
int user_by_name(const char *name, struct user *out, struct err *e);
/* From a line of passwd(5). */
int user_parse(const char *line, struct user *out, struct err *e);
void user_free(struct user *u);
void cleanup_user(struct user *u);

/* The group(5) lines of these ids, as a strv array; what the database does not know is left out. */
char **user_group_lines(const gid_t *gids, size_t n);
/* The same for this process's groups. */
char **user_own_group_lines(void);

#endif
