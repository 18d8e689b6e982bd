/* SPDX-License-Identifier: Apache-2.0 */
#include "image/config_json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "image/image_user.h"
#include "oci/json.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What every container gets; /etc/resolv.conf and /etc/hosts follow, since the network is the host's. */
static const struct mount {
	const char *destination, *type, *source;
	const char *options; /* comma list */
} mounts[] = {
	{ "/proc", "proc", "proc", NULL },
	{ "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k" },
	{ "/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620" },
	{ "/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777" },
	{ "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev" },
	{ "/sys", "none", "/sys", "rbind,nosuid,noexec,nodev,ro" },
};

static const char *const host_files[] = { "/etc/resolv.conf", "/etc/hosts" };

static char *const capabilities[] = { "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE", NULL };
static char *const namespaces[] = { "pid", "ipc", "mount", "user", NULL };
static char *const masked[] = { "/proc/acpi",
				"/proc/asound",
				"/proc/kcore",
				"/proc/keys",
				"/proc/latency_stats",
				"/proc/timer_list",
				"/proc/timer_stats",
				"/proc/sched_debug",
				"/sys/firmware",
				"/proc/scsi",
				NULL };
static char *const read_only[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL };

static void add_mount(struct json_object *list, const struct mount *m)
{
	struct json_object *o = json_object_new_object();
	cleanup(strv) char **options = str_split(m->options, ",");

	json_object_object_add(o, "destination", json_object_new_string(m->destination));
	json_object_object_add(o, "type", json_object_new_string(m->type));
	json_object_object_add(o, "source", json_object_new_string(m->source));
	if (*options)
		json_object_object_add(o, "options", json_from_strings(options));
	json_object_array_add(list, o);
}

static struct json_object *all_mounts(void)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++)
		add_mount(list, &mounts[i]);
	for (size_t i = 0; i < sizeof(host_files) / sizeof(host_files[0]); i++) {
		/* The flags are those that the file's own mount may have locked. */
		struct mount m = { host_files[i], "bind", host_files[i], "rbind,ro,nosuid,nodev,noexec" };

		if (access(host_files[i], R_OK) == 0)
			add_mount(list, &m);
	}
	return list;
}

static struct json_object *one_id(uint32_t inside, uint32_t outside)
{
	struct json_object *list = json_object_new_array(), *o = json_object_new_object();

	json_object_object_add(o, "containerID", json_object_new_uint64(inside));
	json_object_object_add(o, "hostID", json_object_new_uint64(outside));
	json_object_object_add(o, "size", json_object_new_uint64(1));
	json_object_array_add(list, o);
	return list;
}

static struct json_object *linux_part(uint32_t uid, uint32_t gid)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();

	json_object_object_add(o, "uidMappings", one_id(uid, geteuid()));
	json_object_object_add(o, "gidMappings", one_id(gid, getegid()));
	for (char *const *n = namespaces; *n; n++) {
		struct json_object *ns = json_object_new_object();

		json_object_object_add(ns, "type", json_object_new_string(*n));
		json_object_array_add(list, ns);
	}
	json_object_object_add(o, "namespaces", list);
	json_object_object_add(o, "maskedPaths", json_from_strings(masked));
	json_object_object_add(o, "readonlyPaths", json_from_strings(read_only));
	return o;
}

static struct json_object *capability_sets(void)
{
	static const char *const sets[] = { "bounding", "effective", "permitted" };
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		json_object_object_add(o, sets[i], json_from_strings(capabilities));
	return o;
}

/* Entrypoint and Cmd together; a shell where the image has neither. */
static int image_args(struct json_object *image, char ***out, struct err *e)
{
	cleanup(strv) char **entry = NULL, **cmd = NULL;

	if (json_get_strings(image, "/config/Entrypoint", &entry, e) < 0 ||
	    json_get_strings(image, "/config/Cmd", &cmd, e) < 0)
		return -1;
	for (char **c = cmd; c && *c; c++)
		strv_push(&entry, *c);
	if (!strv_len(entry))
		strv_push(&entry, "sh");
	*out = take_ptr(&entry);
	return 0;
}

/*
 * One uid inside is all there is without more privileges. An image made for a user of its own runs as that one uid,
 * with that user's home folder, so that its programs find their files.
 */
static int image_identity(int rootfs_fd, struct json_object *image, char ***env, char ***notes, struct err *e)
{
	struct image_user user = { 0 };
	const char *name = "";
	struct err why = ERR_INIT;

	if (json_get_string(image, "/config/User", &name, e) < 0)
		return -1;
	if (!*name)
		return 0;
	if (image_user_find(rootfs_fd, name, &user, &why) < 0)
		strv_push(notes, why.msg);
	else if (user.uid)
		strv_push_own(notes,
			      xasprintf("the image's user is '%.64s'; its processes are yours, and its home folder "
					"is kept as HOME",
					name));
	if (user.home && user.uid && !env_get(*env, "HOME"))
		env_set(env, "HOME", user.home);
	free(user.home);
	return 0;
}

static void check_architecture(struct json_object *image, char ***notes)
{
	static const char *const names[][2] = { { "x86_64", "amd64" },
						{ "aarch64", "arm64" },
						{ "ppc64le", "ppc64le" },
						{ "riscv64", "riscv64" },
						{ "s390x", "s390x" } };
	const char *arch = NULL;
	struct utsname host;

	json_get_string(image, "/architecture", &arch, NULL);
	uname(&host);
	for (size_t i = 0; arch && *arch && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(host.machine, names[i][0]) == 0 && strcmp(arch, names[i][1]) != 0)
			strv_push_own(notes,
				      xasprintf("the image is for %.32s, and this machine is %s", arch, names[i][1]));
}

static int make_process(int rootfs_fd, struct json_object *image, const struct config_json_options *o,
			struct json_object *config, char ***notes, struct err *e)
{
	cleanup(strv) char **args = NULL, **env = NULL;
	cleanup(free) char *folder = NULL;
	bool keep = o->userns == CONFIG_USERNS_KEEP_ID;
	const char *cwd = "/";
	struct json_object *p = json_object_new_object();

	json_object_object_add(config, "process", p);
	if (image_args(image, &args, e) < 0 || json_get_strings(image, "/config/Env", &env, e) < 0 ||
	    json_get_string(image, "/config/WorkingDir", &cwd, e) < 0 ||
	    image_identity(rootfs_fd, image, &env, notes, e) < 0)
		return err_wrap(e, "the image's configuration");
	if (!env_get(env, "PATH"))
		env_set(&env, "PATH", DEFAULT_PATH);
	json_object_object_add(p, "terminal", json_object_new_boolean(false));
	json_set(config, "/process/user/uid", json_object_new_uint64(keep ? geteuid() : 0), NULL);
	json_set(config, "/process/user/gid", json_object_new_uint64(keep ? getegid() : 0), NULL);
	json_object_object_add(p, "args", json_from_strings(args));
	json_object_object_add(p, "env", json_from_strings(env));
	folder = path_join("/", cwd);
	json_object_object_add(p, "cwd", json_object_new_string(*folder ? folder : "/"));
	json_object_object_add(p, "capabilities", capability_sets());
	json_object_object_add(p, "noNewPrivileges", json_object_new_boolean(true));
	return 0;
}

int config_json_make(int rootfs_fd, struct json_object *image, const struct config_json_options *o,
		     struct json_object **out, char ***notes, struct err *e)
{
	cleanup(json) struct json_object *config = json_object_new_object();
	struct json_object *labels = NULL;
	bool keep = o->userns == CONFIG_USERNS_KEEP_ID;

	json_set_string(config, "/ociVersion", "1.0.2", NULL);
	if (make_process(rootfs_fd, image, o, config, notes, e) < 0)
		return -1;
	check_architecture(image, notes);
	json_set_string(config, "/root/path", o->root_path, NULL);
	json_set_bool(config, "/root/readonly", o->read_only, NULL);
	json_object_object_add(config, "mounts", all_mounts());
	json_object_object_add(config, "linux", linux_part(keep ? geteuid() : 0, keep ? getegid() : 0));
	if (json_get_object(image, "/config/Labels", &labels, e) < 0)
		return err_wrap(e, "the image's configuration");
	if (labels && json_object_object_length(labels))
		json_object_object_add(config, "annotations", json_object_get(labels));
	*out = take_ptr(&config);
	return 0;
}

/* An empty file to mount over. A link that leads to nothing (a resolver's, below /run) makes way for it. */
static int make_file(int rootfs_fd, const char *path, struct err *e)
{
	cleanup(close) int there = path_open_in_root(rootfs_fd, path, O_PATH);
	cleanup(close) int etc = -1, fd = -1;

	if (there >= 0)
		return 0;
	mkdirat(rootfs_fd, "etc", 0755);
	etc = path_open_in_root(rootfs_fd, "etc", O_DIRECTORY | O_RDONLY);
	if (etc < 0)
		return err_sys(e, errno, "open the image's /etc");
	if (unlinkat(etc, path_base(path), 0) < 0 && errno != ENOENT)
		return err_sys(e, errno, "replace %s", path);
	fd = openat(etc, path_base(path), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return fd < 0 ? err_sys(e, errno, "make %s", path) : 0;
}

/* Folders one after the other; each is looked up with the image as root. */
static int make_folders(int rootfs_fd, const char *path, struct err *e)
{
	cleanup(strv) char **parts = str_split(path, "/");
	cleanup(close) int dir = path_open_in_root(rootfs_fd, ".", O_DIRECTORY | O_RDONLY);
	struct strbuf at = STRBUF_INIT;
	int r = 0;

	for (char **p = parts; r == 0 && *p; p++) {
		int next;

		if (!**p)
			continue;
		strbuf_addc(&at, '/');
		strbuf_adds(&at, *p);
		next = path_open_in_root(rootfs_fd, at.data, O_DIRECTORY | O_RDONLY);
		if (next < 0 && errno == ENOENT && mkdirat(dir, *p, 0755) == 0)
			next = path_open_in_root(rootfs_fd, at.data, O_DIRECTORY | O_RDONLY);
		if (next < 0) {
			r = err_sys(e, errno, "make folder %s in the image", at.data);
			break;
		}
		close(dir);
		dir = next;
	}
	strbuf_free(&at);
	return r;
}

int config_json_mount_points(int rootfs_fd, struct json_object *config, struct err *e)
{
	const char *cwd = "/";

	if (make_folders(rootfs_fd, "/proc", e) < 0 || make_folders(rootfs_fd, "/dev", e) < 0 ||
	    make_folders(rootfs_fd, "/sys", e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(host_files) / sizeof(host_files[0]); i++)
		if (access(host_files[i], R_OK) == 0 && make_file(rootfs_fd, host_files[i], e) < 0)
			return -1;
	json_get_string(config, "/process/cwd", &cwd, NULL);
	return make_folders(rootfs_fd, cwd, e);
}
