/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "config/install.h"
#include "init/protocol.h"
#include "oci/json.h"
#include "oci/mounts.h"
#include "oci/runtime.h"
#include "task/entries.h"
#include "task/environment.h"
#include "task/slurm_mounts.h"
#include "task/task.h"

#define SCRIPT_NAME "script"
#define MAX_SCRIPT ((size_t)64 << 20)

struct pattern_values task_values(const struct task *t)
{
	const struct request *r = &t->request;

	return (struct pattern_values){
		.argv = t->argv,
		.bundle = t->bundle_path,
		.env_file = t->conf->create_env_file == OCI_ENV_FILE_NONE ? NULL : t->folder.env_file,
		.job = r->job,
		.step = r->step,
		.task = r->task,
		.spool = r->spool,
		.node = r->node,
		.rootfs = t->rootfs_path,
		.user = t->user.name,
		.uid = t->user.uid,
		.work_dir = r->work_dir,
	};
}

static int find_user(struct task *t, struct err *e)
{
	uid_t uid = geteuid();

	if (t->request.passwd) {
		if (user_parse(t->request.passwd, &t->user, e) < 0)
			return err_wrap(e, "request: passwd=");
		if (t->user.uid != uid)
			return err_set(e, "request: passwd= is of uid %u, this process of uid %u", t->user.uid, uid);
		return 0;
	}
	return user_by_uid(uid, &t->user, e);
}

/* Where berth-init finds us: a socket in a folder of its own, which only this user can enter from outside. */
static int listen_for_init(struct task *t, struct err *e)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	cleanup(close) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* The folder's path may be longer than an address can hold. */
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/" INIT_SOCKET, t->folder.fd);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 1) < 0)
		return err_sys(e, errno, "make a socket in %s", t->folder.path);
	/* Inside, process 1 may be another uid than the user's own; outside, the folder is closed to others. */
	if (fchmodat(t->folder.fd, INIT_SOCKET, 0666, 0) < 0)
		return err_sys(e, errno, "chmod %s/" INIT_SOCKET, t->folder.path);
	t->listen_fd = take_fd(&fd);
	return 0;
}

/* Where our own files lie inside. */
static const char *own_folder(struct mount_plan *plan)
{
	return mount_plan_private(plan, "/dev") ? "/dev/.berth" : "/.berth";
}

static int mount_init(struct task *t, struct mount_plan *plan, char ***args, struct err *e)
{
	const char *inside = own_folder(plan);
	cleanup(free) char *program = install_libexec("berth-init");
	cleanup(free) char *program_inside = path_join(inside, INIT_PROGRAM);
	cleanup(free) char *socket_inside = path_join(inside, INIT_SOCKET);
	cleanup(free) char *host_socket = path_join(t->folder.path, INIT_SOCKET);

	if (!program || access(program, X_OK) < 0)
		return err_sys(e, errno, "%s", program ? program : "berth-init");
	if (listen_for_init(t, e) < 0)
		return -1;
	mount_plan_bind(plan, program, program_inside, true);
	mount_plan_bind(plan, host_socket, socket_inside, false);
	strv_push(args, program_inside);
	return 0;
}

/*
 * A batch script lies on the host, where the container does not see it: it gets a copy in the task's folder. Argument 0
 * becomes INSIDE.
 */
static int copy_script(struct task *t, const char *inside, struct err *e)
{
	cleanup(free) char *text = NULL;
	size_t len;

	if (!t->argv || !*t->argv)
		return err_set(e, "request: script= without arg=");
	if (path_read_file(AT_FDCWD, t->request.script, MAX_SCRIPT, &text, &len, NULL, e) < 0 ||
	    path_write_new(t->folder.fd, SCRIPT_NAME, text, len, 0755, e) < 0)
		return err_wrap(e, "batch script");
	free(t->argv[0]);
	t->argv[0] = xstrdup(inside);
	return 0;
}

/* Bound by itself: process 1 may be a uid that cannot enter the spool folder. */
static int mount_script(struct task *t, struct mount_plan *plan, struct err *e)
{
	cleanup(free) char *inside = path_join(own_folder(plan), SCRIPT_NAME);
	cleanup(free) char *host = path_join(t->folder.path, SCRIPT_NAME);

	if (!t->request.script)
		return 0;
	if (copy_script(t, inside, e) < 0)
		return -1;
	mount_plan_bind(plan, host, inside, true);
	return 0;
}

static int spool_inside(const struct task *t, char **inside, struct err *e)
{
	struct pattern_values v = task_values(t);

	*inside = t->conf->mount_spool_dir ? pattern_path(t->conf->mount_spool_dir, &v) : xstrdup(t->request.spool);
	if (**inside != '/')
		return err_set(e, "MountSpoolDir: '%s' is not an absolute path", *inside);
	return 0;
}

static int mount_spool(struct task *t, struct mount_plan *plan, struct err *e)
{
	cleanup(free) char *inside = NULL;

	if (spool_inside(t, &inside, e) < 0)
		return -1;
	if (!t->conf->mount_spool_dir && !mount_plan_can(plan, inside)) {
		free(inside);
		inside = path_join(own_folder(plan), "spool");
		log_info("the image has no place for %s: the spool folder is mounted at %s", t->request.spool, inside);
	}
	mount_plan_bind(plan, t->request.spool, inside, false);
	return 0;
}

/* The folder to start in: the job's own where it can be seen inside, else the image's. */
static char *mount_job_dir(struct task *t, struct mount_plan *plan)
{
	const char *dir = t->request.work_dir;
	struct stat st;

	if (!t->conf->job_dir_mount) {
		log_info("JobDirMount=false: starting in the image's folder %s", t->bundle.cwd);
		return xstrdup(t->bundle.cwd);
	}
	if (mount_plan_has(plan, dir))
		return xstrdup(dir);
	if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode) || !mount_plan_can(plan, dir)) {
		log_info("the job's folder %s cannot be mounted: starting in the image's folder %s", dir,
			 t->bundle.cwd);
		return xstrdup(t->bundle.cwd);
	}
	mount_plan_bind(plan, dir, dir, false);
	return xstrdup(dir);
}

static void set_console_size(struct json_object *config)
{
	struct winsize w;
	struct json_object *size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &w) < 0 || !w.ws_row || !w.ws_col)
		return;
	size = json_object_new_object();
	json_object_object_add(size, "height", json_object_new_int(w.ws_row));
	json_object_object_add(size, "width", json_object_new_int(w.ws_col));
	json_set(config, "/process/consoleSize", size, NULL);
}

static int set_process(struct task *t, char *const *args, const char *cwd, struct err *e)
{
	struct json_object *config = t->bundle.config;
	cleanup(strv) char **env = environment_for_container(t, t->bundle.env);

	if (!env_get(env, "PATH"))
		env_set(&env, "PATH", RUNTIME_PATH);
	if (environment_write_file(t, env, e) < 0)
		return -1;
	if (t->request.pty)
		set_console_size(config);
	if (json_set(config, "/process/args", json_from_strings(args), e) < 0 ||
	    json_set(config, "/process/env", json_from_strings(env), e) < 0 ||
	    json_set_bool(config, "/process/terminal", t->request.pty, e) < 0)
		return -1;
	return json_set_string(config, "/process/cwd", cwd, e);
}

static int edit_bundle(struct task *t, struct err *e)
{
	cleanup(free) char *skeleton = path_join(t->folder.path, "root");
	cleanup(mount_plan) struct mount_plan *plan = NULL;
	cleanup(strv) char **args = NULL;
	cleanup(free) char *cwd = NULL;

	bundle_drop_hooks(&t->bundle, t->conf->disable_hooks);
	if (bundle_add_dev(&t->bundle, e) < 0)
		return -1;
	plan = mount_plan_new(&t->bundle, skeleton);
	if (bundle_own_ids(&t->bundle, geteuid(), getegid(), e) < 0 || mount_init(t, plan, &args, e) < 0 ||
	    mount_script(t, plan, e) < 0)
		return -1;
	/* Before the spool folder, which may lie in it. */
	cwd = mount_job_dir(t, plan);
	if (mount_spool(t, plan, e) < 0)
		return -1;
	if (t->conf->user_entries && entries_mount(t, plan, e) < 0)
		return -1;
	if (t->conf->mount_slurm)
		slurm_mounts_add(t, plan);
	for (char **word = t->argv; *word; word++)
		strv_push(&args, *word);
	if (set_process(t, args, cwd, e) < 0)
		return -1;
	return mount_plan_apply(plan, e);
}

static int generate_bundle(struct task *t, struct err *e)
{
	cleanup(close) int fd = -1;

	if (bundle_load(t->request.bundle, &t->bundle, e) < 0)
		return -1;
	t->bundle_path = xstrdup(t->folder.bundle);
	t->rootfs_path = xstrdup(t->bundle.rootfs);
	t->argv = strv_copy(t->request.argv && *t->request.argv ? t->request.argv : t->bundle.args);
	if (!*t->argv)
		return err_set(e, "no command was given, and %s/config.json has none in /process/args",
			       t->request.bundle);
	if (edit_bundle(t, e) < 0)
		return err_wrap(e, "bundle %s", t->request.bundle);
	fd = open(t->folder.bundle, O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "open %s", t->folder.bundle);
	if (bundle_write(&t->bundle, fd, e) < 0)
		return -1;
	bundle_free(&t->bundle);
	return 0;
}

/* Without config.json the runtime makes of the "bundle" what it understands; the environment is all we can say. */
static int use_as_it_is(struct task *t, struct err *e)
{
	cleanup(strv) char **env = environment_for_container(t, NULL);

	t->bundle_path = xstrdup(t->request.bundle);
	t->rootfs_path = xstrdup(t->request.bundle);
	t->argv = strv_copy(t->request.argv);
	if (t->request.script) {
		cleanup(free) char *spool = NULL;
		cleanup(free) char *script = NULL;

		/* The site's pattern binds the spool folder, or the runtime shows the host's folders as they are. */
		if (spool_inside(t, &spool, e) < 0)
			return -1;
		script = xasprintf("%s/%s/" SCRIPT_NAME, spool, path_base(t->folder.path));
		if (copy_script(t, script, e) < 0)
			return -1;
	}
	return environment_write_file(t, env, e);
}

static int record_undo(const struct task *t, struct err *e)
{
	struct pattern_values v = task_values(t);
	cleanup(strv) char **kill_argv = NULL;
	cleanup(strv) char **delete_argv = NULL;

	/* Operations that name a pid have nothing to name once we are gone. */
	if (t->conf->op[OCI_OP_KILL] && !pattern_uses(t->conf->op[OCI_OP_KILL], 'p'))
		kill_argv = pattern_argv(t->conf->op[OCI_OP_KILL], &v);
	if (t->conf->op[OCI_OP_DELETE] && !pattern_uses(t->conf->op[OCI_OP_DELETE], 'p'))
		delete_argv = pattern_argv(t->conf->op[OCI_OP_DELETE], &v);
	return task_folder_record(&t->folder, kill_argv, delete_argv, t->runtime_env, e);
}

static int make_folder(struct task *t, struct err *e)
{
	struct pattern_values v = task_values(t);
	cleanup(free) char *parent = t->conf->container_path ? pattern_path(t->conf->container_path, &v) : NULL;

	return task_folder_make(t->request.spool, t->request.task, parent, &t->folder, e);
}

int task_prepare(struct task *t, struct err *e)
{
	if (find_user(t, e) < 0 || make_folder(t, e) < 0)
		goto failed;
	t->runtime_env = environment_for_runtime(t);
	if ((t->conf->ignore_file_config_json ? use_as_it_is(t, e) : generate_bundle(t, e)) < 0 ||
	    record_undo(t, e) < 0)
		goto failed;
	return 0;
failed:
	task_folder_remove(&t->folder);
	task_folder_free(&t->folder);
	return -1;
}

void task_finish(struct task *t)
{
	if (t->conf && !t->conf->disable_cleanup)
		task_folder_remove(&t->folder);
	task_folder_free(&t->folder);
	if (t->listen_fd >= 0)
		close(t->listen_fd);
	bundle_free(&t->bundle);
	user_free(&t->user);
	free(t->bundle_path);
	free(t->rootfs_path);
	strv_free(t->argv);
	strv_free(t->runtime_env);
	oci_conf_free(t->conf);
	request_free(&t->request);
}
