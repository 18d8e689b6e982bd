/* SPDX-License-Identifier: Apache-2.0 */
#include "base/env.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

size_t env_name_len(const char *entry)
{
	const char *eq = strchr(entry, '=');

	return eq ? (size_t)(eq - entry) : 0;
}

bool env_entry_is(const char *entry, const char *name)
{
	size_t n = strlen(name);

	return strncmp(entry, name, n) == 0 && entry[n] == '=';
}

static char **find(char *const *env, const char *entry, size_t name_len)
{
	for (; env && *env; env++)
		if (strncmp(*env, entry, name_len) == 0 && (*env)[name_len] == '=')
			return (char **)env;
	return NULL;
}

const char *env_get(char *const *env, const char *name)
{
	char **at = find(env, name, strlen(name));

	return at ? *at + strlen(name) + 1 : NULL;
}

static void put_own(char ***env, char *entry)
{
	size_t n = env_name_len(entry);
	char **at = n ? find(*env, entry, n) : NULL;

	if (!n) {
		free(entry);
		return;
	}
	if (at) {
		free(*at);
		*at = entry;
	} else {
		strv_push_own(env, entry);
	}
}

void env_put(char ***env, const char *entry)
{
	put_own(env, xstrdup(entry));
}

void env_set(char ***env, const char *name, const char *value)
{
	put_own(env, xasprintf("%s=%s", name, value));
}

void env_setf(char ***env, const char *name, const char *fmt, ...)
{
	char *value = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&value, fmt, ap) < 0)
		die_no_memory();
	va_end(ap);
	env_set(env, name, value);
	free(value);
}

/* Entries move down in place: the array's length decides its capacity, so it is copied when that shrinks. */
void env_remove_if(char ***env, bool (*wanted)(const char *entry, void *arg), void *arg)
{
	char **kept = NULL;

	if (!*env)
		return;
	for (char **at = *env; *at; at++) {
		if (wanted(*at, arg))
			free(*at);
		else
			strv_push_own(&kept, *at);
	}
	free(*env);
	*env = kept ? kept : xcalloc(1, sizeof(*kept));
}

static bool is_named(const char *entry, void *name)
{
	return env_entry_is(entry, name);
}

void env_unset(char ***env, const char *name)
{
	if (env_get(*env, name))
		env_remove_if(env, is_named, (void *)(size_t)name);
}
