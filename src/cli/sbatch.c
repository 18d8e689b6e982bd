/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
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
#include "cli/commands.h"
#include "cli/launch.h"
#include "cli/loginenv.h"
#include "cli/optparse.h"
#include "cli/opts.h"
#include "config/install.h"
#include "engine/local/local.h"
#include "proc/spawn.h"
#include "proc/user.h"

enum { MAX_SCRIPT = 4 << 20, MAX_EXPORT = 16 << 20 };

struct sbatch {
	struct opts o;
	struct engine *en;
	struct job job;
	char *text; /* the script */
	size_t len;
	char **env;
};

static int read_script(struct sbatch *s, struct err *e)
{
	cleanup(free) char *path = NULL;

	if (s->o.wrap) {
		s->text = xasprintf("#!/bin/sh\n# This script was created by sbatch --wrap.\n\n%s\n", s->o.wrap);
		s->len = strlen(s->text);
		return 0;
	}
	if (s->o.argc == 0) {
		s->o.script_name = xstrdup("stdin");
		return fd_read_all(STDIN_FILENO, MAX_SCRIPT, &s->text, &s->len, e) < 0 ? err_wrap(e, "batch script")
										       : 0;
	}
	/* As sbatch looks for it: here first, then in PATH. */
	path = access(s->o.argv[0], F_OK) == 0 || strchr(s->o.argv[0], '/')
		       ? xstrdup(s->o.argv[0])
		       : spawn_find(s->o.argv[0], getenv("PATH") ? getenv("PATH") : "");
	s->o.script_name = xstrdup(s->o.argv[0]);
	if (path_read_file(AT_FDCWD, path ? path : s->o.argv[0], MAX_SCRIPT, &s->text, &s->len, NULL, e) < 0)
		return err_wrap(e, "Unable to open file");
	return 0;
}

static int check_script(const struct sbatch *s, struct err *e)
{
	if (!s->len)
		return err_set(e, "Batch script is empty!");
	if (memchr(s->text, '\0', s->len))
		return err_set(e, "The batch script contains a NUL character");
	if (strncmp(s->text, "#!", 2) != 0)
		return err_set(e, "This does not look like a batch script: its first line must begin with #! and the "
				  "path of an interpreter, such as #!/bin/sh");
	if (memmem(s->text, s->len, "\r\n", 2))
		return err_set(e, "Batch script contains DOS line breaks (\\r\\n) instead of expected UNIX line breaks "
				  "(\\n); dos2unix mends that");
	return 0;
}

static char *batch_path(void)
{
	static const char *const usual = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";
	cleanup(free) char *ours = install_libexec("bin");
	cleanup(strv) char **dirs = str_split(getenv("PATH"), ":");

	/* Whoever calls our srun by its plain name wants to do so in the job as well. */
	return ours && strv_has(dirs, ours) ? xasprintf("%s:%s", ours, usual) : xstrdup(usual);
}

/* What a login would give, as far as it can be known without one. */
static void add_login(char ***env)
{
	cleanup(user) struct user u = { 0 };
	cleanup(free) char *path = batch_path();

	if (user_by_uid(geteuid(), &u, NULL) == 0) {
		env_set(env, "USER", u.name);
		env_set(env, "LOGNAME", u.name);
		env_set(env, "HOME", u.home);
		env_set(env, "SHELL", u.shell);
	}
	if (!env_get(*env, "PATH"))
		env_set(env, "PATH", path);
}

static int add_export_file(struct sbatch *s, struct err *e)
{
	cleanup(free) char *text = NULL;
	cleanup(free) char *path = NULL;
	size_t len;

	if (!s->o.export_file)
		return 0;
	path = strspn(s->o.export_file, "0123456789") == strlen(s->o.export_file)
		       ? xasprintf("/proc/self/fd/%s", s->o.export_file)
		       : xstrdup(s->o.export_file);
	if (path_read_file(AT_FDCWD, path, MAX_EXPORT, &text, &len, NULL, e) < 0)
		return err_wrap(e, "--export-file");
	for (const char *at = text; at < text + len; at += strlen(at) + 1)
		env_put(&s->env, at);
	return 0;
}

/* --get-user-env: what a login gives, and on top what the submission names and SLURM_*. */
static int make_login_env(struct sbatch *s, struct err *e)
{
	struct spec_export listed = s->o.export;
	cleanup(strv) char **on_top = NULL;

	listed.mode = EXPORT_LIST;
	if (login_env(s->o.get_user_env * 1000, &s->env, e) < 0)
		return err_wrap(e, "--get-user-env");
	on_top = spec_export_apply(&listed, environ);
	for (char **v = on_top; *v; v++)
		env_put(&s->env, *v);
	return 0;
}

static int make_env(struct sbatch *s, struct err *e)
{
	char host[65] = "";

	gethostname(host, sizeof(host) - 1);
	if (s->o.get_user_env && s->o.export.mode != EXPORT_NONE && s->o.export.mode != EXPORT_NIL) {
		if (make_login_env(s, e) < 0)
			return -1;
	} else {
		s->env = spec_export_apply(&s->o.export, environ);
	}
	if (s->o.export.mode == EXPORT_NONE)
		add_login(&s->env);
	if (add_export_file(s, e) < 0)
		return -1;
	/* What was said of this submission is no default for those inside. */
	env_unset(&s->env, "SLURM_STEP_ID");
	env_unset(&s->env, "SLURM_STEPID");
	env_unset(&s->env, "SLURM_CONTAINER");
	env_unset(&s->env, "BERTH_MARK");
	env_set(&s->env, "SLURM_SUBMIT_HOST", host);
	if (s->o.export_text)
		env_set(&s->env, "SLURM_EXPORT_ENV", s->o.export_text);
	return 0;
}

static int fill_job(struct sbatch *s, int argc, char **argv, struct err *e)
{
	const char *command = s->o.wrap ? "wrap" : s->o.argc ? s->o.argv[0] : "sbatch";
	struct opts *o = &s->o;

	if (launch_job(o, JOB_SBATCH, argc, argv, command, &s->job, e) < 0)
		return -1;
	if (!o->wrap && o->argc) {
		free(s->job.command);
		s->job.command = path_absolute(o->argv[0]);
	}
	s->job.std_in = o->input ? xstrdup(o->input) : NULL;
	s->job.std_out = o->output ? xstrdup(o->output) : NULL;
	s->job.std_err = o->error ? xstrdup(o->error) : NULL;
	return 0;
}

static int wait_for(struct sbatch *s, struct err *e)
{
	uint32_t first = s->job.id, n = s->job.array_job ? s->job.array_count : 1;
	int code = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct job ended;
		int its;

		if (local_wait(s->en, first + i, &ended, e) < 0)
			return -1;
		its = ended.exit_signal		     ? 128 + (int)ended.exit_signal
		      : ended.exit_code		     ? (int)ended.exit_code
		      : ended.state == JOB_COMPLETED ? 0
						     : 1;
		code = its > code ? its : code;
		job_free(&ended);
	}
	return code;
}

static int submit(struct sbatch *s, struct err *e)
{
	char *const *args = s->o.wrap || !s->o.argc ? NULL : s->o.argv + 1;

	if (s->en->ops->submit(s->en, &s->job, s->text, s->len, args, s->env, s->o.array.ids, s->o.array.n, e) < 0)
		return err_wrap(e, "Batch job submission failed");
	if (s->o.parsable)
		printf("%" PRIu32 "\n", s->job.id);
	else if (!s->o.quiet)
		printf("Submitted batch job %" PRIu32 "\n", s->job.id);
	fflush(stdout);
	return s->o.wait_job ? wait_for(s, e) : 0;
}

/* The exit status, or -1. */
static int run(struct sbatch *s, int argc, char **argv, struct err *e)
{
	if (read_script(s, e) < 0 || check_script(s, e) < 0)
		return -1;
	if (!s->o.wrap && directives_apply(&s->o, s->o.script_name, s->text, s->len, e) < 0)
		return -1;
	if (make_env(s, e) < 0 || fill_job(s, argc, argv, e) < 0)
		return -1;
	if (s->o.test_only)
		return launch_test_only("sbatch", &s->job);
	return engine_open_local(&s->en, e) < 0 ? -1 : submit(s, e);
}

int cmd_sbatch(int argc, char **argv)
{
	struct sbatch s = { .en = NULL };
	struct err e = ERR_INIT;
	int r = opts_parse(OPTS_SBATCH, argc, argv, environ, &s.o, &e);

	job_init(&s.job);
	if (r == 0 && !s.o.done)
		r = run(&s, argc, argv, &e);
	if (r < 0)
		log_error("%s", e.msg);
	engine_close(s.en);
	job_free(&s.job);
	opts_free(&s.o);
	strv_free(s.env);
	free(s.text);
	return r < 0 ? launch_failed() : r;
}
