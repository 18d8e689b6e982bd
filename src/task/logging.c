/* SPDX-License-Identifier: Apache-2.0 */
#include "task/logging.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"

static int open_file(const struct task *t, struct err *e)
{
	const struct request *r = &t->request;
	const char *state = env_get(r->env, "XDG_STATE_HOME");
	const char *home = env_get(r->env, "HOME");
	cleanup(free) char *dir = NULL;
	cleanup(free) char *name = xasprintf("berth-task.%u.%u.%u.log", r->job, r->step, r->task);
	cleanup(close) int dir_fd = -1;
	int fd;

	if (state && *state == '/')
		dir = path_join(state, "berth/log");
	else if (home && *home == '/')
		dir = path_join(home, ".local/state/berth/log");
	else
		return err_set(e, "neither XDG_STATE_HOME nor HOME says where");
	dir_fd = path_private_dir(dir, e);
	if (dir_fd < 0)
		return -1;
	fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? err_sys(e, errno, "%s/%s", dir, name) : fd;
}

void logging_set_up(const struct task *t)
{
	const struct oci_conf *c = t->conf;
	struct err e = ERR_INIT;

	if (c->text[OCI_KEY_STDIO_DEBUG])
		log_set_stderr(c->stdio_debug);
	if (c->file_debug != LOG_LEVEL_QUIET) {
		int fd = open_file(t, &e);

		if (fd < 0)
			log_error("FileDebug: %s", e.msg);
		else
			log_set_file(fd, c->file_debug);
	}
	if (c->syslog_debug != LOG_LEVEL_QUIET)
		log_set_syslog(c->syslog_debug);
	for (char **flag = c->debug_flags; flag && *flag; flag++)
		log_debug("DebugFlags=%s has no meaning here", *flag);
	log_debug("job %u step %u task %u: bundle %s, configuration %s", t->request.job, t->request.step,
		  t->request.task, t->request.bundle, c->source);
}
