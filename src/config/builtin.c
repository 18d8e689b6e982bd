/* SPDX-License-Identifier: Apache-2.0 */
#include "config/builtin.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/mem.h"
#include "base/str.h"
#include "config/install.h"
#include "config/oci_conf.h"

/*
 * State lies in the step's spool folder, which is private and ends with the step. Neither runtime is to look for
 * cgroups to manage: a rootless user has none, and the processes are to stay where the step's are.
 */
char *builtin_conf_text(const char *name, const char *path)
{
	static const struct {
		const char *verb, *before, *after;
	} ops[] = {
		{ "Run", "run --bundle %b", "" },
		{ "Query", "state", "" },
		{ "Kill", "kill", " KILL" },
		{ "Delete", "delete --force", "" },
	};
	const char *global = strcmp(name, "crun") == 0 ? "--cgroup-manager=disabled" : "--rootless=true";
	struct strbuf b = STRBUF_INIT;

	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		strbuf_addf(&b, "RunTime%s=\"%s %s --root=%%m/.runtime %s %%n.%%U.%%j.%%s.%%t%s\"\n", ops[i].verb, path,
			    global, ops[i].before, ops[i].after);
	return strbuf_take(&b);
}

static int none_works(const struct runtime_choice *c, struct err *e)
{
	struct strbuf b = STRBUF_INIT;

	for (int i = 0; i < RUNTIME_COUNT; i++)
		if (c->tried[i].why)
			strbuf_addf(&b, "%s%s: %s", b.len ? "; " : "", c->tried[i].path, c->tried[i].why);
	if (b.len) {
		err_set(e, "no OCI runtime works on this host: %s", b.data);
		err_hint(e, "`berth check` says what to do");
	} else {
		err_set(e, "no OCI runtime found in %s; install crun or runc", RUNTIME_PATH);
	}
	strbuf_free(&b);
	return -1;
}

static int load_builtin(char *const *env, struct oci_conf **out, struct err *e)
{
	const struct runtime_places places = { .env = env };
	cleanup(free) char *text = NULL;
	struct runtime_choice c;
	int rc = runtime_choose(&places, &c, e);

	if (rc == 0 && c.chosen < 0) {
		rc = none_works(&c, e);
	} else if (rc == 0) {
		text = builtin_conf_text(c.tried[c.chosen].name, c.tried[c.chosen].path);
		rc = oci_conf_parse("built-in", text, strlen(text), out, e);
	}
	runtime_choice_free(&c);
	return rc;
}

/* A file that is there and cannot be read is an error, not a reason to look further. */
static int load_existing(const char *path, struct oci_conf **out, bool *found, struct err *e)
{
	*found = path && access(path, F_OK) == 0;
	if (path && !*found && errno != ENOENT && errno != ENOTDIR) {
		*found = true;
		return err_sys(e, errno, "open %s", path);
	}
	return *found ? oci_conf_load(path, out, e) : 0;
}

static char *user_file(char *const *env)
{
	const char *base = env_get(env, "XDG_CONFIG_HOME"), *home = env_get(env, "HOME");

	if (base && *base == '/')
		return xasprintf("%s/berth/oci.conf", base);
	return home && *home == '/' ? xasprintf("%s/.config/berth/oci.conf", home) : NULL;
}

int oci_conf_find(enum conf_search search, const char *explicit_file, char *const *env, struct oci_conf **out,
		  struct err *e)
{
	bool embedded = search == CONF_SEARCH_EMBEDDED;
	const char *named = explicit_file;
	cleanup(free) char *site = install_sysconf("oci.conf");
	cleanup(free) char *own = embedded ? user_file(env) : NULL;
	bool found = false;
	int rc;

	if (!named && embedded)
		named = env_get(env, "BERTH_OCI_CONF");
	if (named && (*named || explicit_file))
		return oci_conf_load(named, out, e);
	rc = load_existing(own, out, &found, e);
	if (found)
		return rc;
	rc = load_existing(site, out, &found, e);
	if (found)
		return rc;
	if (embedded)
		return load_builtin(env, out, e);
	return err_set(
		e, "no configuration: %s does not exist; copy one of those in share/berth/examples, see oci.conf(5)",
		site ? site : "oci.conf");
}
