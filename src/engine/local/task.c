/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/task.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "config/install.h"
#include "engine/local/cpus.h"
#include "engine/local/taskenv.h"
#include "task/request.h"

#define PID_VARIABLE "SLURM_TASK_PID="
#define NO_CONTAINER 125 /* berth-task's status for a container that could not be set up */

static const char *const kept[] = {
	"HOME", "PATH", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "TZ", "LANG"
};

/* Relative ones are our folder's, not that of the process which gets them. */
static const char *const paths[] = { "BERTH_STATE_DIR", "BERTH_SPOOL_DIR", "BERTH_OCI_CONF" };

char **task_clean_env(const char *mark)
{
	char **env = strv_copy(NULL);

	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		const char *value = getenv(kept[i]);

		if (value)
			env_set(&env, kept[i], value);
	}
	for (char *const *v = environ; *v; v++)
		if (str_starts(*v, "BERTH_") && !str_starts(*v, "BERTH_MARK="))
			env_put(&env, *v);
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		const char *value = env_get(env, paths[i]);
		cleanup(free) char *absolute = value && *value && *value != '/' ? path_absolute(value) : NULL;

		if (absolute)
			env_set(&env, paths[i], absolute);
	}
	if (mark)
		env_put(&env, mark);
	return env;
}

/* The step's CPUs, or the task's share; false where nothing of it can be used here. */
static bool choose_cpus(const struct launch *l, uint32_t task, cpu_set_t *out)
{
	cpu_set_t set, usable;

	if (!l->step->cpu_list || cpus_parse(l->step->cpu_list, &set, NULL) < 0)
		return false;
	if (l->spec->no_bind)
		*out = set;
	else
		cpus_share(&set, task, l->spec->ntasks, out);
	cpus_usable(&usable);
	CPU_AND(&usable, &usable, out);
	return CPU_COUNT(&usable) > 0;
}

/* The host's program for WORD as the task would find it. */
static char *find_program(const struct launch *l, char *const *env, const char *word, int *code)
{
	const char *search = env_get(env, "PATH");
	cleanup(free) char *path = strchr(word, '/') ? path_join(l->spec->work_dir, word) : NULL;
	char *found = path ? (access(path, X_OK) == 0 ? take_ptr(&path) : NULL)
			   : spawn_find(word, search ? search : "/usr/local/bin:/usr/bin:/bin");

	*code = found ? 0 : path && access(path, F_OK) == 0 ? EACCES : ENOENT;
	return found;
}

static int start_plain(const struct launch *l, uint32_t task, struct spawn *s, char **env, struct child *out, int *code,
		       struct err *e)
{
	const char *word = l->spec->argv[0];
	cleanup(free) char *path = find_program(l, env, word, code);
	struct err why = ERR_INIT;

	(void)task;
	if (!path)
		return err_sys(e, *code, "execve(): %s", word);
	s->path = path;
	s->argv = l->spec->argv;
	s->envp = env;
	s->cwd = l->spec->work_dir;
	/* Should we be killed; its descendants are found by their mark. */
	s->parent_death = SIGKILL;
	if (spawn_start(s, out, &why) == 0)
		return 0;
	if (str_starts(why.msg, "enter folder")) {
		/* As Slurm does it. */
		log_error("couldn't chdir to `%s': %s: going to /tmp instead", s->cwd, strerror(why.code));
		s->cwd = "/tmp";
		if (spawn_start(s, out, &why) == 0)
			return 0;
	}
	*code = why.code ? why.code : 1;
	if (str_starts(why.msg, "execute"))
		return err_sys(e, why.code, "execve(): %s", word);
	return err_set(e, "%s", why.msg);
}

static char *request_text(const struct launch *l, uint32_t task, bool tty, char **env, size_t *len)
{
	struct request r = {
		.bundle = (char *)l->spec->container,
		.container_id = (char *)l->spec->container_id,
		.argv = (char **)l->spec->argv,
		.env = env,
		.explicit_env = (char **)l->spec->explicit_env,
		.work_dir = (char *)l->spec->work_dir,
		.job = l->job->id,
		.step = l->step->id,
		.task = task,
		.node = l->job->node,
		.spool = l->step->spool,
		.script = (char *)l->spec->script,
		.embedded = true,
		.pty = tty,
		.mark = l->job->mark,
		.parent = getpid(),
	};

	return request_format(&r, len);
}

static int start_container(const struct launch *l, uint32_t task, struct spawn *s, bool tty, char **env, char *pid_text,
			   struct child *out, struct err *e)
{
	cleanup(free) char *program = install_libexec("berth-task"), *text = NULL;
	cleanup(strv) char **clean = task_clean_env(l->job->mark);
	char *const argv[] = { "berth-task", "--request-fd", "3", NULL };
	cleanup(close) int to = -1, from = -1;
	struct spawn_fd fd = { .to = 3 };
	size_t len;
	int p[2];

	if (!program)
		return err_set(e, "berth-task cannot be found: /proc is not mounted");
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(e, errno, "make a pipe");
	fd.from = from = p[0];
	to = p[1];
	s->path = program;
	s->argv = argv;
	s->envp = clean;
	s->cwd = "/";
	s->fds = &fd;
	s->n_fds = 1;
	s->pid_text = NULL;
	if (spawn_start(s, out, e) < 0)
		return -1;
	close(take_fd(&from));
	/* Only now is the pid known that the task is told. */
	snprintf(pid_text, 12, "%d", out->pid);
	text = request_text(l, task, tty, env, &len);
	/* One that dies before it has read everything says so by its exit status. */
	fd_write_all(to, text, len, NULL);
	return 0;
}

int task_start(const struct launch *l, uint32_t task, const int fds[3], bool tty, struct child *out, int *code,
	       struct err *e)
{
	cleanup(strv) char **env = strv_copy(l->env);
	struct spawn s = SPAWN_INIT;
	char *pid_text;
	cpu_set_t cpus;
	size_t n;

	taskenv_task(&env, task, l->spec->ntasks);
	env_unset(&env, "SLURM_TASK_PID");
	strv_push(&env, PID_VARIABLE "00000000000");
	n = strv_len(env);
	pid_text = env[n - 1] + strlen(PID_VARIABLE);
	memcpy(s.stdio, fds, sizeof(s.stdio));
	s.new_session = true;
	s.controlling_tty = tty;
	s.pid_text = pid_text;
	if (choose_cpus(l, task, &cpus))
		s.cpus = &cpus;
	if (!l->spec->container)
		return start_plain(l, task, &s, env, out, code, e);
	*code = NO_CONTAINER;
	return start_container(l, task, &s, tty, env, pid_text, out, e);
}
