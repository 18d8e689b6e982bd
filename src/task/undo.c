/* SPDX-License-Identifier: Apache-2.0 */
#include "task/undo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/runtime.h"
#include "proc/procfs.h"
#include "task/folder.h"

#define FILE_NAME "undo"
#define MAX_FILE (32 << 20)
#define OPERATION_MS 5000

static void add_records(struct strbuf *b, const char *key, char *const *values)
{
	for (; values && *values; values++) {
		strbuf_addf(b, "%s=%s", key, *values);
		strbuf_addc(b, '\0');
	}
}

int undo_write(int folder_fd, const struct undo *u, struct err *e)
{
	char *const bundle[] = { u->bundle, NULL };
	struct strbuf b = STRBUF_INIT;
	int r;

	add_records(&b, "bundle", bundle);
	add_records(&b, "kill", u->kill_argv);
	add_records(&b, "delete", u->delete_argv);
	add_records(&b, "env", u->env);
	r = path_write_atomic(folder_fd, FILE_NAME, b.data, b.len, false, e);
	strbuf_free(&b);
	return r;
}

int undo_read(int folder_fd, struct undo *out, struct err *e)
{
	cleanup(free) char *text = NULL;
	size_t len, pos = 0;
	struct err own = ERR_INIT;

	*out = (struct undo){ 0 };
	if (path_read_file(folder_fd, FILE_NAME, MAX_FILE, &text, &len, NULL, &own) < 0)
		return own.code == ENOENT ? 0 : err_set(e, "%s", own.msg);
	while (pos < len) {
		const char *record = text + pos;
		size_t n = env_name_len(record);
		const char *value = record + n + 1;

		pos += strlen(record) + 1;
		if (n == 6 && str_starts(record, "bundle") && !out->bundle)
			out->bundle = xstrdup(value);
		else if (n == 4 && str_starts(record, "kill"))
			strv_push(&out->kill_argv, value);
		else if (n == 6 && str_starts(record, "delete"))
			strv_push(&out->delete_argv, value);
		else if (n == 3 && str_starts(record, "env"))
			strv_push(&out->env, value);
	}
	return 0;
}

void undo_free(struct undo *u)
{
	free(u->bundle);
	strv_free(u->kill_argv);
	strv_free(u->delete_argv);
	strv_free(u->env);
	*u = (struct undo){ 0 };
}

void cleanup_undo(struct undo *u)
{
	undo_free(u);
}

static void run_operation(enum oci_op op, char *const *argv, char *const *env)
{
	cleanup(free) char *path = argv && argv[0] ? spawn_find(argv[0], RUNTIME_PATH) : NULL;
	cleanup(free) char *out = NULL, *errors = NULL;
	struct spawn s = SPAWN_INIT;
	struct exit_status st;
	struct err e = ERR_INIT;

	if (!argv)
		return;
	if (!path) {
		log_error("RunTime%s: no program '%s' in %s", oci_op_name(op), argv[0], RUNTIME_PATH);
		return;
	}
	s.path = path;
	s.argv = argv;
	s.envp = env;
	if (spawn_capture(&s, 1 << 20, OPERATION_MS, &out, &errors, &st, &e) < 0)
		log_verbose("RunTime%s: %s", oci_op_name(op), e.msg);
	else if (st.code != 0)
		log_verbose("RunTime%s: exit status %d: %s", oci_op_name(op), st.code, str_trim(errors));
}

void undo_run(char *const *kill_argv, char *const *delete_argv, char *const *env)
{
	char *const none[] = { NULL };

	run_operation(OCI_OP_KILL, kill_argv, env ? env : none);
	run_operation(OCI_OP_DELETE, delete_argv, env ? env : none);
}

/* Ends process 1 as written down, if it is still that very process. */
static void kill_init(int folder_fd)
{
	cleanup(free) char *text = NULL;
	cleanup(strv) char **f = NULL;
	cleanup(close) int pidfd = -1;
	struct proc_id id;
	uint32_t pid;

	if (path_read_file(folder_fd, "init", 256, &text, NULL, NULL, NULL) < 0)
		return;
	f = str_split(str_trim(text), " ");
	if (strv_len(f) < 2 || parse_u32(f[0], 1, INT32_MAX, &pid, NULL) < 0 ||
	    parse_u64(f[1], 0, UINT64_MAX, &id.start, NULL) < 0 || (f[2] && strcmp(f[2], proc_boot_id()) != 0))
		return;
	id.pid = (pid_t)pid;
	pidfd = proc_open(&id);
	if (pidfd >= 0 && syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) == 0) {
		struct pollfd p = { .fd = pidfd, .events = POLLIN };

		poll(&p, 1, OPERATION_MS);
	}
}

/* What left the container's process tree before anybody could see it go. */
static void kill_marked(const char *folder)
{
	static const char *const marks[] = { TASK_MARK_RUNTIME, TASK_MARK };

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		cleanup(free) char *entry = xasprintf("%s=%s", marks[i], path_base(folder));
		struct err e = ERR_INIT;

		if (reap_kill_marked(entry, &e) < 0)
			log_error("%s", e.msg);
	}
}

static int clean_up_one(int parent_fd, const char *parent, const char *name, struct err *e)
{
	cleanup(close) int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct task_folder f = TASK_FOLDER_INIT;
	cleanup(undo) struct undo u = { 0 };

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "open %s/%s", parent, name);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return 0; /* its berth-task lives */
	if (undo_read(fd, &u, e) < 0)
		return err_wrap(e, "%s/%s", parent, name);
	kill_init(fd);
	undo_run(u.kill_argv, u.delete_argv, u.env);
	kill_marked(name);
	f.path = path_join(parent, name);
	f.bundle = take_ptr(&u.bundle);
	task_folder_remove(&f);
	task_folder_free(&f);
	return 0;
}

int task_folder_clean_up(const char *spool, struct err *e)
{
	cleanup(free) char *path = path_absolute(spool);
	cleanup(closedir) DIR *d = NULL;
	struct dirent *entry;
	int r = 0;

	if (str_starts(path_base(path), "task-")) {
		cleanup(free) char *parent = xstrndup(path, (size_t)(path_base(path) - path));

		return clean_up_one(AT_FDCWD, parent, path, e);
	}
	d = opendir(path);
	if (!d)
		return errno == ENOENT ? 0 : err_sys(e, errno, "open %s", path);
	while ((entry = readdir(d)))
		if (str_starts(entry->d_name, "task-") && clean_up_one(dirfd(d), path, entry->d_name, e) < 0)
			r = -1;
	return r;
}
