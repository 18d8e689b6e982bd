/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/loginenv.h"

#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/str.h"
#include "proc/spawn.h"
#include "proc/user.h"

enum { MAX_ENV = 4 << 20 };

/*
 * A profile may print what it likes, so the variables come behind a mark: one a line, their newlines as \001. The words
 * mean the same in every shell.
 */
#define MARK "berth login environment:"
static const char question[] = "echo '" MARK "'; env -0 | tr '\\000\\n' '\\n\\001'";

static char **parse(const char *text)
{
	cleanup(strv) char **lines = str_split(text, "\n");
	char **env = strv_copy(NULL);

	for (char **l = lines; l && *l; l++) {
		for (char *c = *l; *c; c++)
			*c = *c == '\001' ? '\n' : *c;
		if (env_name_len(*l) > 0)
			env_put(&env, *l);
	}
	/* of the shell that answered */
	env_unset(&env, "_");
	env_unset(&env, "SHLVL");
	env_unset(&env, "OLDPWD");
	return env;
}

static int ask(const struct user *u, char *const *env, int timeout_ms, char **answer, struct err *e)
{
	char *const argv[] = { u->shell, "-l", "-c", (char *)question, NULL };
	struct spawn s = SPAWN_INIT;
	struct exit_status status;

	s.path = u->shell;
	s.argv = argv;
	s.envp = env;
	s.cwd = u->home;
	s.new_session = true;
	if (spawn_capture(&s, MAX_ENV, timeout_ms, answer, NULL, &status, e) < 0)
		return err_wrap(e, "ask the login shell %s for its environment", u->shell);
	if (status.code != 0)
		return err_set(e, "the login shell %s ended with status %d", u->shell, status.code);
	return 0;
}

int login_env(int timeout_ms, char ***out, struct err *e)
{
	cleanup(user) struct user u = { 0 };
	cleanup(strv) char **env = strv_copy(NULL);
	cleanup(free) char *answer = NULL;
	const char *mark;

	if (user_by_uid(geteuid(), &u, e) < 0)
		return -1;
	env_set(&env, "HOME", u.home);
	env_set(&env, "USER", u.name);
	env_set(&env, "LOGNAME", u.name);
	env_set(&env, "SHELL", u.shell);
	env_set(&env, "PATH", "/usr/local/bin:/usr/bin:/bin");
	env_set(&env, "TERM", "dumb");
	if (ask(&u, env, timeout_ms, &answer, e) < 0)
		return -1;
	mark = strstr(answer, MARK "\n");
	if (!mark)
		return err_set(e, "the login shell %s does not tell its environment", u.shell);
	*out = parse(mark + sizeof(MARK));
	return 0;
}
