/* SPDX-License-Identifier: Apache-2.0 */
#include "task/environment.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/runtime.h"

/* Variables that say where programs and libraries are found: the host's answer is wrong inside an image. */
static bool is_image_own(const char *entry)
{
	return env_entry_is(entry, "PATH") || str_starts(entry, "LD_");
}

static bool is_explicit(const struct request *r, const char *entry)
{
	cleanup(free) char *name = xstrndup(entry, env_name_len(entry));

	return strv_has(r->explicit_env, name);
}

/* What the processes of this job, and of this very task, can be found by. */
static void add_marks(const struct task *t, const char *name, char ***env)
{
	if (t->request.mark)
		env_put(env, t->request.mark);
	if (t->folder.path)
		env_set(env, name, path_base(t->folder.path));
}

char **environment_for_container(const struct task *t, char *const *image)
{
	char **env = strv_copy(image);

	for (char **v = t->request.env; v && *v; v++) {
		if (oci_conf_env_excluded(t->conf, *v))
			continue;
		if (is_image_own(*v) && !is_explicit(&t->request, *v))
			continue;
		env_put(&env, *v);
	}
	add_marks(t, TASK_MARK, &env);
	return env;
}

/* A function exported from bash would take a command's place in a pattern that bash runs as /bin/sh. */
static bool is_function(const char *entry)
{
	return str_starts(entry, "BASH_FUNC_");
}

char **environment_for_runtime(const struct task *t)
{
	char **env = NULL;

	for (char **v = t->request.env; v && *v; v++)
		if (!is_image_own(*v) && !is_function(*v) && !oci_conf_runtime_env_excluded(t->conf, *v))
			strv_push(&env, *v);
	env_set(&env, "PATH", RUNTIME_PATH);
	add_marks(t, TASK_MARK_RUNTIME, &env);
	return env;
}

int environment_write_file(const struct task *t, char *const *env, struct err *e)
{
	bool lines = t->conf->create_env_file == OCI_ENV_FILE_NEWLINE;
	cleanup(strbuf) struct strbuf b = STRBUF_INIT;

	if (t->conf->create_env_file == OCI_ENV_FILE_NONE)
		return 0;
	for (; env && *env; env++) {
		if (lines && strchr(*env, '\n')) {
			log_info("%.*s is left out of the environment file: its value holds a newline",
				 (int)env_name_len(*env), *env);
			continue;
		}
		strbuf_adds(&b, *env);
		strbuf_addc(&b, lines ? '\n' : '\0');
	}
	return path_write_new(t->folder.fd, ENVIRONMENT_FILE, b.data ? b.data : "", b.len, 0600, e);
}
