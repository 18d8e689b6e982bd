/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/launch.h"
#include "cli/opts.h"
#include "engine/local/local.h"
#include "engine/local/taskenv.h"
#include "proc/user.h"

struct salloc {
	struct opts o;
	struct engine *en;
	struct job job;
};

/* In a container the user's own shell may not be there. The text is ours; no value of the user's becomes part of it. */
static char *const container_shell[] = {
	"/bin/sh", "-c",
	"[ -n \"$SHELL\" ] && [ -x \"$SHELL\" ] && exec \"$SHELL\"; [ -x /bin/bash ] && exec /bin/bash; exec /bin/sh",
	NULL
};

static char *host_shell(void)
{
	const char *shell = getenv("SHELL");
	cleanup(user) struct user u = { 0 };

	if (shell && *shell == '/')
		return xstrdup(shell);
	return xstrdup(user_by_uid(geteuid(), &u, NULL) == 0 && *u.shell ? u.shell : "/bin/sh");
}

/* The command, or the shell, inside the container: the job's interactive step. */
static int run_inside(struct salloc *s, struct exit_status *status, struct err *e)
{
	bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	struct engine_step step = {
		.argv = s->o.argc ? s->o.argv : container_shell,
		.env = environ,
		.name = "interactive",
		.work_dir = s->job.work_dir,
		.container = s->job.container,
		.container_id = s->job.container_id,
		.submit_line = s->job.submit_line,
		.ntasks = 1,
		.cpus_per_task = 1,
		.id = STEP_INTERACTIVE,
		.pty = terminal,
	};

	return s->en->ops->run_step(s->en, &s->job, &step, status, e);
}

static int run_outside(struct salloc *s, struct exit_status *status, struct err *e)
{
	cleanup(strv) char **env = strv_copy(environ);
	cleanup(free) char *shell = host_shell();
	char *const shell_argv[] = { shell, NULL };
	int sig = s->o.kill_command ? s->o.kill_command : s->o.argc ? SIGTERM : SIGHUP;
	bool revoked = false;
	int r;

	taskenv_allocation(&env, &s->job);
	env_unset(&env, "SLURM_CONTAINER");
	r = local_run_command(s->en, s->o.argc ? s->o.argv : shell_argv, env, sig, status, &revoked, e);
	if (revoked)
		log_info("Job allocation %" PRIu32 " has been revoked.", s->job.id);
	return r;
}

static int run(struct salloc *s, struct exit_status *status, struct err *e)
{
	struct exit_status failed = { .code = 1 };
	struct err why = ERR_INIT;
	int r;

	if (s->o.bell)
		(void)!write(STDERR_FILENO, "\a", 1);
	log_info("Granted job allocation %" PRIu32, s->job.id);
	if (s->o.chdir && chdir(s->o.chdir) < 0)
		r = err_sys(e, errno, "enter folder %s", s->o.chdir);
	else
		r = s->job.container ? run_inside(s, status, e) : run_outside(s, status, e);
	log_info("Relinquishing job allocation %" PRIu32, s->job.id);
	if (s->en->ops->release(s->en, &s->job, r < 0 ? &failed : status, &why) < 0)
		log_error("%s", why.msg);
	return r;
}

static int allocate(struct salloc *s, int argc, char **argv, struct err *e)
{
	struct engine_wait wait = { .quiet = s->o.quiet > 0,
				    .immediate = s->o.immediate > 0 ? (uint32_t)s->o.immediate : 0 };

	if (launch_job(&s->o, JOB_SALLOC, argc, argv, s->o.argc ? s->o.argv[0] : "interactive", &s->job, e) < 0)
		return -1;
	if (s->o.test_only)
		return 0;
	if (engine_open_local(&s->en, e) < 0)
		return -1;
	return s->en->ops->allocate(s->en, &s->job, &wait, e) == 0 ? 0 : err_wrap(e, "Job submit/allocate failed");
}

int cmd_salloc(int argc, char **argv)
{
	struct salloc s = { .en = NULL };
	struct exit_status status = { .code = 0 };
	struct err e = ERR_INIT;
	int r = opts_parse(OPTS_SALLOC, argc, argv, environ, &s.o, &e);

	job_init(&s.job);
	if (r == 0 && !s.o.done) {
		if (s.o.quiet)
			log_set_stderr(LOG_LEVEL_ERROR);
		r = allocate(&s, argc, argv, &e);
		if (r == 0 && s.o.test_only)
			status.code = launch_test_only("salloc", &s.job);
		else if (r == 0)
			r = run(&s, &status, &e);
	}
	if (r < 0)
		log_error("%s", e.msg);
	engine_close(s.en);
	job_free(&s.job);
	opts_free(&s.o);
	return r < 0 ? launch_failed() : status.code;
}
