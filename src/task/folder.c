/* SPDX-License-Identifier: Apache-2.0 */
#include "task/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "proc/procfs.h"
#include "task/environment.h"
#include "task/undo.h"

int task_folder_make(const char *spool, uint32_t task, const char *container_path, struct task_folder *out,
		     struct err *e)
{
	cleanup(free) char *prefix = xasprintf("task-%u.", task);
	cleanup(free) char *name = NULL;
	cleanup(close) int spool_fd = path_private_dir(spool, e);
	cleanup(close) int parent_fd = -1;
	cleanup(close) int bundle_fd = -1;

	*out = TASK_FOLDER_INIT;
	if (spool_fd < 0)
		return err_wrap(e, "spool folder");
	out->fd = path_unique_dir(spool_fd, prefix, &name, e);
	if (out->fd < 0)
		return err_wrap(e, "in %s", spool);
	out->path = path_join(spool, name);
	out->env_file = path_join(out->path, ENVIRONMENT_FILE);
	/* Held for as long as we live: who finds the folder unlocked knows that we are gone. */
	if (flock(out->fd, LOCK_EX | LOCK_NB) < 0)
		return err_sys(e, errno, "lock %s", out->path);
	if (!container_path) {
		out->bundle = path_join(out->path, "bundle");
		if (mkdir(out->bundle, 0700) < 0)
			return err_sys(e, errno, "make folder %s", out->bundle);
		return 0;
	}
	parent_fd = path_private_dir(container_path, e);
	if (parent_fd < 0)
		return err_wrap(e, "ContainerPath");
	bundle_fd = path_unique_dir(parent_fd, prefix, &name, e);
	if (bundle_fd < 0)
		return err_wrap(e, "ContainerPath %s", container_path);
	out->bundle = path_join(container_path, name);
	return 0;
}

void task_folder_remove(struct task_folder *f)
{
	struct err e = ERR_INIT;

	if (f->bundle && !(f->path && str_starts(f->bundle, f->path)) && path_remove_tree(AT_FDCWD, f->bundle, &e) < 0)
		log_error("%s", e.msg);
	if (f->path && path_remove_tree(AT_FDCWD, f->path, &e) < 0)
		log_error("%s", e.msg);
}

void task_folder_free(struct task_folder *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	free(f->env_file);
	free(f->bundle);
	*f = TASK_FOLDER_INIT;
}

int task_folder_record(const struct task_folder *f, char *const *kill_argv, char *const *delete_argv, char *const *env,
		       struct err *e)
{
	const struct undo u = { .bundle = f->bundle,
				.kill_argv = (char **)(size_t)kill_argv,
				.delete_argv = (char **)(size_t)delete_argv,
				.env = (char **)(size_t)env };

	return undo_write(f->fd, &u, e);
}

int task_folder_record_init(const struct task_folder *f, pid_t pid, struct err *e)
{
	cleanup(free) char *text = NULL;
	struct proc_id id;

	if (proc_identify(pid, &id) < 0)
		return err_sys(e, errno, "process %d", pid);
	text = xasprintf("%d %" PRIu64 " %s\n", id.pid, id.start, proc_boot_id());
	return path_write_atomic(f->fd, "init", text, strlen(text), false, e);
}
