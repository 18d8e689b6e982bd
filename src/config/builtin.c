/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/mem.h"
#include "base/str.h"
#include "config/install.h"
#include "config/oci_conf.h"
#include "proc/spawn.h"

static const char runtime_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static int load_builtin(struct oci_conf **out, struct err *e)
{
	cleanup(free) char *program = spawn_find("runc", runtime_path);
	cleanup(free) char *text = NULL;

	if (!program)
		return err_set(e, "no OCI runtime found in %s; install crun or runc", runtime_path);
	text = xasprintf(
		"RunTimeRun=\"%s --rootless=true --root=%%m/.runtime run --bundle %%b %%n.%%u.%%j.%%s.%%t\"\n"
		"RunTimeQuery=\"%s --rootless=true --root=%%m/.runtime state %%n.%%u.%%j.%%s.%%t\"\n"
		"RunTimeKill=\"%s --rootless=true --root=%%m/.runtime kill --all %%n.%%u.%%j.%%s.%%t KILL\"\n"
		"RunTimeDelete=\"%s --rootless=true --root=%%m/.runtime delete --force %%n.%%u.%%j.%%s.%%t\"\n",
		program, program, program, program);
	return oci_conf_parse("built-in", text, strlen(text), out, e);
}

static int load_existing(const char *path, struct oci_conf **out, bool *found, struct err *e)
{
	*found = path && access(path, F_OK) == 0;
	if (!*found && path && errno != ENOENT && errno != ENOTDIR) {
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
	cleanup(free) char *own = NULL;
	bool found = false;
	int rc;

	if (!named && embedded)
		named = env_get(env, "BERTH_OCI_CONF");
	if (named && *named)
		return oci_conf_load(named, out, e);
	if (embedded) {
		own = user_file(env);
		rc = load_existing(own, out, &found, e);
		if (found)
			return rc;
	}
	rc = load_existing(site, out, &found, e);
	if (found)
		return rc;
	if (embedded)
		return load_builtin(out, e);
	return err_set(e, "no configuration: %s does not exist; write one, see oci.conf(5)", site ? site : "oci.conf");
}
