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

/* Below ContainerPath, and written down before it exists: it lies where nobody would look for it. */
static int make_bundle_elsewhere(struct task_folder *f, const char *container_path, struct err *e)
{
	const char *name = path_base(f->path);

	f->bundle = path_join(container_path, name);
	if (task_folder_record(f, NULL, NULL, NULL, e) < 0)
		return -1;
	/* Another task may be removing the empty parent just now. */
	for (int tries = 0;; tries++) {
		cleanup(close) int parent = path_private_dir(container_path, e);

		if (parent < 0)
			return err_wrap(e, "ContainerPath");
		if (mkdirat(parent, name, 0700) == 0)
			return 0;
		if (errno != ENOENT || tries == 100)
			return err_sys(e, errno, "ContainerPath: make folder %s", f->bundle);
	}
}

int task_folder_make(const char *spool, uint32_t task, const char *container_path, struct task_folder *out,
		     struct err *e)
{
	cleanup(free) char *prefix = xasprintf("task-%u.", task);
	cleanup(free) char *name = NULL;
	cleanup(close) int spool_fd = path_private_dir(spool, e);

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
	if (container_path)
		return make_bundle_elsewhere(out, container_path, e);
	out->bundle = path_join(out->path, "bundle");
	if (mkdir(out->bundle, 0700) < 0)
		return err_sys(e, errno, "make folder %s", out->bundle);
	return 0;
}

static void remove_bundle_elsewhere(const struct task_folder *f)
{
	cleanup(free) char *parent = xstrndup(f->bundle, (size_t)(path_base(f->bundle) - f->bundle));
	struct err e = ERR_INIT;

	if (path_remove_tree(AT_FDCWD, f->bundle, &e) < 0)
		log_error("%s", e.msg);
	/* ContainerPath may name a folder of this job alone; one that is in use is not empty. */
	rmdir(parent);
}

void task_folder_remove(struct task_folder *f)
{
	struct err e = ERR_INIT;

	if (f->bundle && f->path && !str_starts(f->bundle, f->path))
		remove_bundle_elsewhere(f);
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
