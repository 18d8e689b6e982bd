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
#include "oci/runtime.h"
#include "proc/procfs.h"
#include "proc/spawn.h"
#include "task/environment.h"
#include "task/undo.h"

/* How long removing may take with the help of unshare(1). */
#define REMOVE_MS 60000

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

/*
 * A container with several mapped ids leaves files of the user's subordinate ids in the stand-ins, which only somebody
 * who has the same ids mapped may remove.
 */
static int remove_as_mapped(const char *path)
{
	char *argv[] = { (char[]){ "unshare" },
			 (char[]){ "--user" },
			 (char[]){ "--map-root-user" },
			 (char[]){ "--map-auto" },
			 (char[]){ "--" },
			 (char[]){ "rm" },
			 (char[]){ "-rf" },
			 (char[]){ "--one-file-system" },
			 (char[]){ "--" },
			 (char *)(size_t)path,
			 NULL };
	char *envp[] = { (char[]){ "PATH=" RUNTIME_PATH }, NULL };
	cleanup(free) char *program = spawn_find("unshare", RUNTIME_PATH);
	cleanup(free) char *out = NULL, *errors = NULL;
	struct spawn s = SPAWN_INIT;
	struct exit_status st;

	if (!program)
		return -1;
	s.path = program;
	s.argv = argv;
	s.envp = envp;
	if (spawn_capture(&s, 1 << 20, REMOVE_MS, &out, &errors, &st, NULL) < 0)
		return -1;
	return st.code == 0 ? 0 : -1;
}

static void remove_tree(const char *path)
{
	struct err e = ERR_INIT;

	if (path_remove_tree(AT_FDCWD, path, &e) < 0 && remove_as_mapped(path) < 0)
		log_error("%s", e.msg);
}

static void remove_bundle_elsewhere(const struct task_folder *f)
{
	cleanup(free) char *parent = xstrndup(f->bundle, (size_t)(path_base(f->bundle) - f->bundle));

	remove_tree(f->bundle);
	/* ContainerPath may name a folder of this job alone; one that is in use is not empty. */
	rmdir(parent);
}

void task_folder_remove(struct task_folder *f)
{
	if (f->bundle && f->path && !str_starts(f->bundle, f->path))
		remove_bundle_elsewhere(f);
	if (f->path)
		remove_tree(f->path);
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
