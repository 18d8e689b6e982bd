/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_ENV_H
#define BERTH_BASE_ENV_H

#include <stdbool.h>
#include <stddef.h>

/* Environment arrays are strv arrays of "NAME=value" (base/str.h). */

/* The value inside ENV, or NULL. */
const char *env_get(char *const *env, const char *name);
/* Replaces or appends. */
void env_set(char ***env, const char *name, const char *value);
void env_setf(char ***env, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Replaces or appends a whole "NAME=value"; text without '=' is ignored, as the kernel's callers do. */
void env_put(char ***env, const char *entry);
void env_unset(char ***env, const char *name);
/* Removes every entry that WANTED says true for. */
void env_remove_if(char ***env, bool (*wanted)(const char *entry, void *arg), void *arg);
/* Length of the name in "NAME=value"; 0 where there is no name or no '='. */
size_t env_name_len(const char *entry);
/* True where ENTRY is "NAME=..." for this NAME. */
bool env_entry_is(const char *entry, const char *name);

#endif
