/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/check.h"
#include "config/install.h"
#include "oci/runtime.h"
#include "task/request.h"

extern char **environ;

enum { VERSION_MS = 10000, RUN_MS = 60000, WORDS_MAX = 1 << 16, PROGRAM_MAX = 64 << 20, RUNS = 3 };

/* The first line of `PROGRAM --version`, or NULL. */
static char *version_of(const char *path)
{
	char *argv[] = { (char *)(size_t)path, (char *)"--version", NULL };
	char *envp[] = { (char *)"PATH=" RUNTIME_PATH, NULL };
	struct spawn s = { .path = path, .argv = argv, .envp = envp, .stdio = { -1, -1, -1 } };
	cleanup(free) char *errors = NULL;
	struct exit_status st;
	char *out = NULL;

	if (spawn_capture(&s, WORDS_MAX, VERSION_MS, &out, &errors, &st, NULL) < 0)
		return NULL;
	/* ch-run says it on stderr. */
	if (!*out) {
		free(out);
		out = take_ptr(&errors);
	}
	out[strcspn(out, "\n")] = '\0';
	if (st.code == 0 && *out)
		return out;
	free(out);
	return NULL;
}

static void check_program(struct check_run *run, const char *name, enum oci_op op)
{
	bool runs = op == OCI_OP_RUN || op == OCI_OP_CREATE || op == OCI_OP_START;
	cleanup(free) char *path = spawn_find(name, RUNTIME_PATH);
	cleanup(free) char *version = path && runs ? version_of(path) : NULL;

	if (path) {
		/* What ends containers may be kill(1), which is no runtime. */
		if (runs)
			finding_add(run, FINDING_OK, "runtime", "%s%s%s", path, version ? ": " : "",
				    version ? version : "");
		return;
	}
	finding_hint(finding_add(run, FINDING_FAIL, "runtime", "RunTime%s: no program '%s' in %s", oci_op_name(op),
				 name, RUNTIME_PATH),
		     "install it, or give its whole path in %s", run->conf->source);
	if (runs && !run->unusable)
		run->unusable = xasprintf("%s is missing", name);
}

void host_programs(struct check_run *run)
{
	static const enum oci_op order[] = { OCI_OP_RUN,  OCI_OP_CREATE, OCI_OP_START, OCI_OP_QUERY,
					     OCI_OP_KILL, OCI_OP_DELETE, OCI_OP_EXEC };
	cleanup(strv) char **seen = NULL;

	for (size_t i = 0; run->conf && i < sizeof(order) / sizeof(*order); i++) {
		const struct pattern *p = run->conf->op[order[i]];
		const char *name = p ? pattern_program(p) : NULL;

		if (!name || strv_has(seen, name))
			continue;
		strv_push(&seen, name);
		check_program(run, name, order[i]);
	}
}

/* A folder for the trial: a bundle that holds nothing but a program which ends at once, and a spool folder. */
struct trial {
	int parent_fd, fd;
	char *name, *path;
};

#define TRIAL_INIT ((struct trial){ .parent_fd = -1, .fd = -1 })

static void cleanup_trial(struct trial *t)
{
	struct err e = ERR_INIT;

	if (t->fd >= 0)
		close(t->fd);
	if (t->name && path_remove_tree(t->parent_fd, t->name, &e) < 0)
		fprintf(stderr, "berth check: %s\n", e.msg);
	if (t->parent_fd >= 0)
		close(t->parent_fd);
	free(t->name);
	free(t->path);
}

/* The same everywhere: what a rootless container needs, and no more. */
static char *bundle_config(void)
{
	cleanup(free) char *user = NULL;

	if (geteuid() != 0)
		user = xasprintf("{\"type\":\"user\"}],"
				 "\"uidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":1}],"
				 "\"gidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":1}]",
				 geteuid(), getegid());
	return xasprintf(
		"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"rootfs\"},\"process\":{\"args\":[\"/probe\"],"
		"\"cwd\":\"/\",\"env\":[\"PATH=/\"],\"user\":{\"uid\":0,\"gid\":0},\"noNewPrivileges\":true},"
		"\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
		"{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"mode=755\"]}],"
		"\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"}%s%s}}",
		user ? "," : "]", user ? user : "");
}

static int trial_parent(struct trial *t, const char **dir, struct err *e)
{
	static const char *const dirs[] = { "/tmp", "/var/tmp", "/dev/shm" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		struct statvfs st;

		if (statvfs(dirs[i], &st) < 0 || st.f_flag & (ST_NOEXEC | ST_RDONLY) || access(dirs[i], W_OK) < 0)
			continue;
		t->parent_fd = open(dirs[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		*dir = dirs[i];
		if (t->parent_fd >= 0)
			return 0;
	}
	return err_set(e, "none of /tmp, /var/tmp and /dev/shm can be written to and lets programs be executed");
}

static int trial_make(struct trial *t, struct err *e)
{
	static const char *const folders[] = { "bundle",
					       "bundle/rootfs",
					       "bundle/rootfs/proc",
					       "bundle/rootfs/dev",
					       "bundle/rootfs/sys",
					       "bundle/rootfs/tmp",
					       "bundle/rootfs/home",
					       "bundle/rootfs/etc",
					       "spool" };
	/* Runtimes that make no mount points, such as Charliecloud's, look for these. */
	static const char *const files[] = { "passwd", "group", "hosts", "resolv.conf" };
	cleanup(free) char *config = bundle_config();
	cleanup(free) char *init = install_libexec("berth-init");
	cleanup(free) char *program = NULL;
	const char *dir = NULL;
	size_t len;

	if (!init)
		return err_set(e, "/proc is not mounted");
	if (trial_parent(t, &dir, e) < 0)
		return -1;
	t->fd = path_unique_dir(t->parent_fd, "berth-check-", &t->name, e);
	if (t->fd < 0)
		return err_wrap(e, "in %s", dir);
	t->path = path_join(dir, t->name);
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (mkdirat(t->fd, folders[i], 0700) < 0)
			return err_sys(e, errno, "make %s/%s", t->path, folders[i]);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		cleanup(free) char *file = path_join("bundle/rootfs/etc", files[i]);

		if (path_write_new(t->fd, file, "", 0, 0644, e) < 0)
			return -1;
	}
	if (path_read_file(AT_FDCWD, init, PROGRAM_MAX, &program, &len, NULL, e) < 0 ||
	    path_write_new(t->fd, "bundle/rootfs/probe", program, len, 0700, e) < 0)
		return -1;
	return path_write_new(t->fd, "bundle/config.json", config, strlen(config), 0600, e);
}

/* The configuration as it is, or without Run, so that Create and Start have their turn. */
static int write_config(const struct trial *t, const struct oci_conf *c, const char *name, bool without_run,
			struct err *e)
{
	cleanup(strbuf) struct strbuf b = STRBUF_INIT;

	for (int key = 0; key < OCI_KEY_COUNT; key++) {
		cleanup(free) char *value = NULL;
		cleanup(strv) char **values = NULL;

		if (!c->text[key] || (without_run && key == OCI_KEY_RUN_TIME_RUN))
			continue;
		values = key == OCI_KEY_SRUN_ARGS ? str_split(c->text[key], "\n") : NULL;
		for (char **v = values; v && *v; v++) {
			cleanup(free) char *one = conf_quoted(*v);

			strbuf_addf(&b, "%s=%s\n", oci_key_name((enum oci_key)key), one);
		}
		value = values ? NULL : conf_quoted(c->text[key]);
		if (value)
			strbuf_addf(&b, "%s=%s\n", oci_key_name((enum oci_key)key), value);
	}
	return path_write_new(t->fd, name, b.data ? b.data : "", b.len, 0600, e);
}

/* A job has its user's environment; some runtimes insist on a part of it. */
static char **job_environment(const struct check_run *run)
{
	char **env = strv_copy(environ);

	if (run->user.name && !env_get(env, "USER"))
		env_set(&env, "USER", run->user.name);
	if (run->user.home && !env_get(env, "HOME"))
		env_set(&env, "HOME", run->user.home);
	return env;
}

static int write_request(const struct check_run *run, const struct trial *t, const char *name, const char *config,
			 struct err *e)
{
	cleanup(free) char *config_path = path_join(t->path, config);
	cleanup(free) char *bundle =
		path_join(t->path, run->conf->ignore_file_config_json ? "bundle/rootfs" : "bundle");
	cleanup(free) char *spool = path_join(t->path, "spool");
	char *argv[] = { (char *)"/probe", (char *)"--probe", NULL };
	cleanup(strv) char **env = job_environment(run);
	struct request r = { .bundle = bundle,
			     .argv = argv,
			     .env = env,
			     .work_dir = (char *)"/",
			     .job = 1,
			     .node = (char *)"localhost",
			     .spool = spool,
			     .config = config_path };
	cleanup(free) char *text = NULL;
	size_t len;

	text = request_format(&r, &len);
	return path_write_new(t->fd, name, text, len, 0600, e);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* One container. *words are the last ones where it does not end with 0. */
static int run_container(const char *request, double *ms, char **words, struct err *e)
{
	cleanup(free) char *program = install_libexec("berth-task");
	cleanup(free) char *out = NULL;
	cleanup(free) char *errors = NULL;
	char *argv[] = { (char *)"berth-task", (char *)"--request", (char *)(size_t)request, NULL };
	char *envp[] = { (char *)"PATH=" RUNTIME_PATH, NULL };
	struct spawn s = { .path = program, .argv = argv, .envp = envp, .stdio = { -1, -1, -1 } };
	struct exit_status st;
	double start = now_ms();

	if (!program)
		return err_set(e, "/proc is not mounted");
	if (spawn_capture(&s, WORDS_MAX, RUN_MS, &out, &errors, &st, e) < 0)
		return -1;
	*ms = now_ms() - start;
	if (st.code == 0)
		return 0;
	*words = runtime_words(errors);
	return err_set(e, "exit status %d: %s", st.code, *words);
}

static void try_mode(struct check_run *run, const struct trial *t, bool create_start)
{
	const char *file = create_start ? "create-start" : "run";
	const char *name = create_start ? "create and start" : "run";
	cleanup(free) char *config = xasprintf("%s.conf", file);
	cleanup(free) char *request = path_join(t->path, file);
	struct err e = ERR_INIT;
	double best = -1;

	if (write_config(t, run->conf, config, create_start, &e) < 0 || write_request(run, t, file, config, &e) < 0) {
		finding_add(run, FINDING_FAIL, name, "%s", e.msg);
		return;
	}
	for (int i = 0; i < RUNS; i++) {
		cleanup(free) char *words = NULL;
		const char *advice;
		struct finding *f;
		double ms = 0;

		if (run_container(request, &ms, &words, &e) < 0) {
			f = finding_add(run, FINDING_FAIL, name, "a container could not be run: %s", e.msg);
			advice = runtime_advice(e.msg);
			finding_hint(f, "%s",
				     advice ? advice
					    : "run the command that is shown below by hand, with the runtime's "
					      "option --debug");
			return;
		}
		best = best < 0 || ms < best ? ms : best;
	}
	finding_add(run, FINDING_OK, name, "a container ran, best of %d", RUNS)->ms = best;
}

void host_containers(struct check_run *run)
{
	const struct oci_conf *c = run->conf;
	cleanup(trial) struct trial t = TRIAL_INIT;
	struct err e = ERR_INIT;

	if (!c)
		return;
	if (run->unusable) {
		finding_add(run, FINDING_FAIL, "run", "not tried: %s", run->unusable);
		return;
	}
	if (trial_make(&t, &e) < 0) {
		finding_add(run, FINDING_FAIL, "run", "%s", e.msg);
		return;
	}
	if (c->op[OCI_OP_RUN])
		try_mode(run, &t, false);
	if (c->op[OCI_OP_CREATE] && c->op[OCI_OP_START] && c->op[OCI_OP_QUERY] && c->op[OCI_OP_DELETE])
		try_mode(run, &t, true);
}
