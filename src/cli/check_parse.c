/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <linux/magic.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/check.h"

enum cgroup_kind cgroup_kind_of(long root, long unified)
{
	if (root == CGROUP2_SUPER_MAGIC)
		return CGROUP_V2;
	if (unified == CGROUP2_SUPER_MAGIC)
		return CGROUP_HYBRID;
	return root == TMPFS_MAGIC || root == CGROUP_SUPER_MAGIC ? CGROUP_V1 : CGROUP_NONE;
}

uint64_t subid_count(const char *text, const char *name, uint32_t uid)
{
	cleanup(strv) char **lines = str_split(text, "\n");
	cleanup(free) char *number = xasprintf("%u", uid);
	uint64_t total = 0;

	for (char **l = lines; *l; l++) {
		cleanup(strv) char **f = str_split(*l, ":");
		uint32_t count;

		if (strv_len(f) == 3 && (strcmp(f[0], name) == 0 || strcmp(f[0], number) == 0) &&
		    parse_u32(f[2], 0, UINT32_MAX, &count, NULL) == 0)
			total += count;
	}
	return total;
}

bool systemd_flag(const char *text, const char *key, bool deflt)
{
	static const char *const yes[] = { "yes", "true", "on", "1" };
	cleanup(strv) char **lines = str_split(text, "\n");
	size_t n = strlen(key);
	bool value = deflt;

	for (char **l = lines; *l; l++) {
		char *line = str_trim(*l), *at;

		if (strncmp(line, key, n) != 0)
			continue;
		at = line + n + strspn(line + n, " \t");
		if (*at != '=')
			continue;
		at = str_trim(at + 1);
		value = *at ? false : deflt;
		for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
			value = value || strcasecmp(at, yes[i]) == 0;
	}
	return value;
}

const char *runtime_advice(const char *words)
{
	static const struct {
		const char *part, *advice;
	} known[] = {
		{ "hybrid", "with cgroups of version 2 alone it works: boot with systemd.unified_cgroup_hierarchy=1 on "
			    "the kernel's command line" },
		{ "cgroup", "see the line on cgroups; with crun, --cgroup-manager=disabled leaves them alone" },
		{ "/run/user", "that folder exists only in a login session: `loginctl enable-linger` keeps it, or let "
			       "--root name a folder below %m" },
		{ "newuidmap", "see the line on subordinate ids; install the package uidmap" },
		{ "newgidmap", "see the line on subordinate ids; install the package uidmap" },
		{ "uid_map", "see the line on subordinate ids" },
		{ "mount `proc`", "berth runs in a container itself, which hides parts of /proc: start that with "
				  "--security-opt unmask=ALL (podman) or systempaths=unconfined (docker)" },
		{ "mounting \"proc\"", "berth runs in a container itself, which hides parts of /proc: start that with "
				       "--security-opt unmask=ALL (podman) or systempaths=unconfined (docker)" },
		{ "seccomp", "berth runs below a system call filter: start what is around it without one "
			     "(--security-opt seccomp=unconfined)" },
		{ "no program", "install it, or give its path in oci.conf" },
		{ "No space left on device",
		  "a limit on namespaces is used up or 0: look at the sysctls user.max_*_namespaces" },
		{ "Permission denied", "look at the owner and the mode of what is named" },
		{ "Operation not permitted", "see the lines on user namespaces and security modules" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strstr(words, known[i].part))
			return known[i].advice;
	return NULL;
}

char *runtime_message(const char *line)
{
	const char *at = str_starts(line, "time=\"") ? strstr(line, " msg=\"") : NULL;
	struct strbuf b = STRBUF_INIT;

	if (!at)
		return xstrdup(line);
	for (at += strlen(" msg=\""); *at && *at != '"'; at++) {
		if (*at == '\\' && at[1])
			at++;
		strbuf_addc(&b, *at);
	}
	return strbuf_take(&b);
}

char *runtime_words(const char *text)
{
	static const char ours[] = "berth-task: ";
	cleanup(strv) char **lines = str_split(text, "\n");
	const char *last = NULL, *own = NULL;

	for (char **l = lines; *l; l++) {
		const char *line = str_trim(*l);

		if (str_starts(line, ours))
			own = line + strlen(ours);
		else if (*line)
			last = line;
	}
	if (!last && own)
		last = str_starts(own, "error: ") ? own + strlen("error: ") : own;
	return runtime_message(last ? last : "it said nothing");
}

char *conf_quoted(const char *value)
{
	struct strbuf b = STRBUF_INIT;

	strbuf_addc(&b, '"');
	for (; *value; value++) {
		if (strchr("\"\\#", *value))
			strbuf_addc(&b, '\\');
		strbuf_addc(&b, *value);
	}
	strbuf_addc(&b, '"');
	return strbuf_take(&b);
}
