/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "config/oci_conf.h"
#include "proc/spawn.h"

#define BUNDLE "/b u'n\"d\\le/$(touch BAD)`touch BAD`;*\n\xc3\xa9%b"
#define SPOOL "/sp ool/$(touch BAD)"
#define USER "us'er; \"\xc3\xa9\"\n$(touch BAD)"
#define COMMAND "echo", "a b", "", "$(touch BAD);", "'\"\\", "n\nl", "-x", "\xe2\x82\xac%%"
#define ID "node1." USER ".12.0.3"

static char *const command[] = { COMMAND, NULL };
static const struct pattern_values values = {
	.argv = command,
	.bundle = BUNDLE,
	.env_file = "/e 'nv",
	.job = 12,
	.step = 0,
	.task = 3,
	.spool = SPOOL,
	.node = "node1",
	.pid = 77,
	.rootfs = "/r oot;fs",
	.user = USER,
	.uid = 1000,
	.work_dir = "/w",
};

static struct oci_conf *load(const char *name)
{
	cleanup(free) char *path = xasprintf("%s/oci-conf/%s.conf", TEST_DATA, name);
	struct oci_conf *c = NULL;
	struct err e = ERR_INIT;

	if (oci_conf_load(path, &c, &e) < 0)
		fail_msg("%s", e.msg);
	return c;
}

/* What each of the guide's files runs, for values that hold whatever a path, a name and a command may hold. */
#define RUNC(VERB, ...)                                                                \
	{                                                                              \
		"runc", "--rootless=true", "--root=/run/user/1000/", VERB, __VA_ARGS__ \
	}
#define CRUN(VERB, ...)                                                                \
	{                                                                              \
		"crun", "--rootless=true", "--root=/run/user/1000/", VERB, __VA_ARGS__ \
	}
#define NVIDIA(VERB, ...)                                                                                  \
	{                                                                                                  \
		"nvidia-container-runtime", "--rootless=true", "--root=/run/user/1000/", VERB, __VA_ARGS__ \
	}
#define SINGULARITY(VERB, ...)                                  \
	{                                                       \
		"sudo", "singularity", "oci", VERB, __VA_ARGS__ \
	}
#define FAMILY(FILE, X)                                                                                             \
	{ FILE, OCI_OP_QUERY, X("state", ID) }, { FILE, OCI_OP_KILL, X("kill", "-a", ID) },                         \
		{ FILE, OCI_OP_DELETE, X("delete", "--force", ID) }, { FILE, OCI_OP_EXEC, X("exec", ID, COMMAND) }, \
		{ FILE, OCI_OP_PAUSE, X("pause", ID) },                                                             \
	{                                                                                                           \
		FILE, OCI_OP_RESUME, X("resume", ID)                                                                \
	}

static const struct {
	const char *file;
	enum oci_op op;
	const char *argv[24];
} vectors[] = {
	FAMILY("runc-create-start", RUNC),
	{ "runc-create-start", OCI_OP_CREATE, RUNC("create", ID, "-b", BUNDLE) },
	{ "runc-create-start", OCI_OP_START, RUNC("start", ID) },
	FAMILY("runc-run", RUNC),
	{ "runc-run", OCI_OP_RUN, RUNC("run", ID, "-b", BUNDLE) },
	FAMILY("crun-create-start", CRUN),
	{ "crun-create-start", OCI_OP_CREATE, CRUN("create", "--bundle", BUNDLE, ID) },
	{ "crun-create-start", OCI_OP_START, CRUN("start", ID) },
	FAMILY("crun-run", CRUN),
	{ "crun-run", OCI_OP_RUN, CRUN("run", "--bundle", BUNDLE, ID) },
	FAMILY("nvidia-create-start", NVIDIA),
	{ "nvidia-create-start", OCI_OP_CREATE, NVIDIA("create", ID, "-b", BUNDLE) },
	{ "nvidia-create-start", OCI_OP_START, NVIDIA("start", ID) },
	FAMILY("nvidia-run", NVIDIA),
	{ "nvidia-run", OCI_OP_RUN, NVIDIA("run", ID, "-b", BUNDLE) },
	{ "singularity-4.1.3-native", OCI_OP_RUN, { "singularity", "exec", "--userns", "/r oot;fs", COMMAND } },
	{ "singularity-4.1.3-native", OCI_OP_KILL, { "kill", "-s", "SIGTERM", "77" } },
	{ "singularity-4.1.3-native", OCI_OP_DELETE, { "kill", "-s", "SIGKILL", "77" } },
	{ "singularity-4.0.2-oci", OCI_OP_QUERY, SINGULARITY("state", ID) },
	{ "singularity-4.0.2-oci", OCI_OP_RUN, SINGULARITY("run", "--bundle", BUNDLE, ID) },
	{ "singularity-4.0.2-oci", OCI_OP_KILL, SINGULARITY("kill", ID) },
	{ "singularity-4.0.2-oci", OCI_OP_DELETE, SINGULARITY("delete", ID) },
	{ "singularity-3.8.0-hpcng-mended", OCI_OP_QUERY, SINGULARITY("state", ID) },
	{ "singularity-3.8.0-hpcng-mended", OCI_OP_CREATE, SINGULARITY("create", "--bundle", BUNDLE, ID) },
	{ "singularity-3.8.0-hpcng-mended", OCI_OP_START, SINGULARITY("start", ID) },
	{ "singularity-3.8.0-hpcng-mended", OCI_OP_KILL, SINGULARITY("kill", ID) },
	{ "singularity-3.8.0-hpcng-mended", OCI_OP_DELETE, SINGULARITY("delete", ID) },
	{ "charliecloud-0.30", OCI_OP_KILL, { "kill", "-s", "SIGTERM", "77" } },
	{ "charliecloud-0.30", OCI_OP_DELETE, { "kill", "-s", "SIGKILL", "77" } },
	{ "enroot-3.3.0",
	  OCI_OP_RUN,
	  { "/usr/local/bin/enroot-start-wrapper", BUNDLE, SPOOL, "/e 'nv", "--", COMMAND } },
	{ "enroot-3.3.0", OCI_OP_KILL, { "kill", "-s", "SIGINT", "77" } },
	{ "enroot-3.3.0", OCI_OP_DELETE, { "kill", "-s", "SIGTERM", "77" } },
	{ "per-user-wrapper",
	  OCI_OP_RUN,
	  { "/opt/slurm-oci/run", BUNDLE, SPOOL, USER, "1000", "node1", "12", "0", "3", COMMAND } },
	{ "per-user-wrapper", OCI_OP_KILL, { "kill", "-s", "SIGTERM", "77" } },
	{ "per-user-wrapper", OCI_OP_DELETE, { "kill", "-s", "SIGKILL", "77" } },
};

static void assert_vector(const char *what, char *const *got, const char *const *want)
{
	size_t i = 0;

	for (; want[i] && got[i]; i++)
		if (strcmp(want[i], got[i]) != 0)
			fail_msg("%s: word %zu is <%s>, not <%s>", what, i, got[i], want[i]);
	if (want[i] || got[i])
		fail_msg("%s: %s word <%s>", what, want[i] ? "lacks" : "has one more", want[i] ? want[i] : got[i]);
}

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		cleanup(oci_conf) struct oci_conf *c = load(vectors[i].file);
		cleanup(free) char *what = xasprintf("%s, %s", vectors[i].file, oci_op_name(vectors[i].op));
		cleanup(strv) char **argv = NULL;

		if (!c->op[vectors[i].op])
			fail_msg("%s: not set", what);
		argv = pattern_argv(c->op[vectors[i].op], &values);
		assert_vector(what, argv, vectors[i].argv);
	}
}

/* Nothing is set that the table above does not know. */
static void test_operations(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		cleanup(oci_conf) struct oci_conf *c = load(vectors[i].file);

		for (unsigned op = 0; op < OCI_OP_COUNT; op++) {
			bool known = strcmp(vectors[i].file, "charliecloud-0.30") == 0 && op == OCI_OP_RUN;

			for (size_t k = 0; k < sizeof(vectors) / sizeof(*vectors); k++)
				known = known || (vectors[k].op == op && strcmp(vectors[k].file, vectors[i].file) == 0);
			if (known != (c->op[op] != NULL))
				fail_msg("%s: %s", vectors[i].file, oci_op_name((enum oci_op)op));
		}
	}
}

static char folder[] = "/tmp/berth-test-conf.XXXXXX";

static void write_program(const char *name, const char *text)
{
	cleanup(close) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e = ERR_INIT;

	unlinkat(dir, name, 0);
	assert_int_equal(path_write_new(dir, name, text, strlen(text), 0755, &e), 0);
}

#define RECORDER "#!/bin/sh\nprintf '%s\\001' \"${0##*/}\" \"$@\"\n"

/* Runs ARGV with the recorders of the folder in PATH; gives what they were called with. */
static char **run_recorded(char *const *argv)
{
	cleanup(free) char *path = xasprintf("PATH=%s:/usr/bin:/bin", folder);
	cleanup(free) char *out = NULL;
	cleanup(free) char *err = NULL;
	char *const env[] = { path, NULL };
	struct spawn s = SPAWN_INIT;
	struct exit_status st;
	struct err e = ERR_INIT;

	s.path = argv[0];
	s.argv = argv;
	s.envp = env;
	s.cwd = folder;
	if (spawn_capture(&s, 1 << 16, 10000, &out, &err, &st, &e) < 0)
		fail_msg("%s", e.msg);
	if (*err)
		fail_msg("%s", err);
	assert_true(*out);
	out[strlen(out) - 1] = '\0';
	return str_split(out, "\x01");
}

/* The one of the guide's patterns that needs a shell, through a real one. */
static void test_charliecloud(void **state)
{
	static const char *const want[] = { "env",
					    "-i",
					    "PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin/:/sbin/",
					    "USER=who",
					    "HOME=/home/who/",
					    "ch-run",
					    "-w",
					    "--bind",
					    "/etc/group:/etc/group",
					    "--bind",
					    "/etc/passwd:/etc/passwd",
					    "--bind",
					    "/etc/slurm:/etc/slurm",
					    "--bind",
					    SPOOL ":/var/run/slurm/",
					    "--bind",
					    "/var/run/munge/:/var/run/munge/",
					    "--set-env=/e 'nv",
					    "--no-passwd",
					    "/r oot;fs",
					    "--",
					    COMMAND,
					    NULL };
	cleanup(oci_conf) struct oci_conf *c = load("charliecloud-0.30");
	cleanup(strv) char **argv = pattern_argv(c->op[OCI_OP_RUN], &values);
	cleanup(strv) char **got = NULL;

	(void)state;
	write_program("env", RECORDER);
	write_program("whoami", "#!/bin/sh\necho who\n");
	got = run_recorded(argv);
	unlinkat(AT_FDCWD, "env", 0);
	assert_vector("charliecloud", got, want);
	assert_true(c->ignore_file_config_json);
	assert_int_equal(c->create_env_file, OCI_ENV_FILE_NEWLINE);
}

/* The wrapper hands a squashfs image on as it is, and imports what is no file. */
static void test_enroot_wrapper(void **state)
{
	cleanup(free) char *wrapper = xasprintf("%s/oci-conf/enroot-start-wrapper", TEST_DATA);
	cleanup(free) char *image = xasprintf("%s/i m'age", folder);
	char *const file[] = { (char *)"/bin/sh", wrapper, image, folder, (char *)"/e", (char *)"--", COMMAND, NULL };
	char *const url[] = { (char *)"/bin/sh", wrapper,      (char *)"docker://a b", folder,
			      (char *)"/e",	 (char *)"--", (char *)"x y",	       NULL };
	cleanup(free) char *sqsh = xasprintf("%s/image.sqsh", folder);
	cleanup(strv) char **got = NULL;
	cleanup(strv) char **imported = NULL;

	(void)state;
	write_program("enroot", RECORDER);
	write_program("i m'age", "");
	got = run_recorded(file);
	assert_vector("file", got, (const char *const[]){ "enroot", "start", "--", image, COMMAND, NULL });
	imported = run_recorded(url);
	assert_vector("url", imported,
		      (const char *const[]){ "enroot", "import", "-o", sqsh, "--", "docker://a b", "enroot", "create",
					     sqsh, "enroot", "start", "--", "image", "x y", NULL });
}

/* What we ship loads without a word, and keeps the runtime's state in the spool folder. */
static void test_shipped(void **state)
{
	static const char *const names[] = { "apptainer",	  "charliecloud", "crun",
					     "crun-create-start", "runc",	  "runc-create-start" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		cleanup(free) char *name = xasprintf("../../../share/examples/%s", names[i]);
		cleanup(oci_conf) struct oci_conf *c = load(name);

		assert_null(c->warnings);
		for (unsigned op = 0; op < OCI_OP_COUNT; op++) {
			const struct pattern *p = c->op[op];

			if (p &&
			    (pattern_needs_shell(p) || strstr(pattern_text(p), "/run/user") ||
			     (strstr(pattern_text(p), "--root=") && !strstr(pattern_text(p), "--root=%m/.runtime "))))
				fail_msg("%s: %s", names[i], pattern_text(p));
		}
	}
}

/* The manual page has every key and every replacement. */
static void test_manual(void **state)
{
	cleanup(free) char *text = NULL;
	struct err e = ERR_INIT;

	(void)state;
	if (path_read_file(AT_FDCWD, TEST_DATA "/../../doc/man/oci.conf.5.scd", 1 << 20, &text, NULL, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	for (unsigned key = 0; key < OCI_KEY_COUNT; key++) {
		cleanup(free) char *name = xasprintf("*%s*", oci_key_name((enum oci_key)key));

		if (!strstr(text, name))
			fail_msg("%s is not in oci.conf(5)", name);
	}
	for (const char *c = "%@bejmnprstuUZ"; *c; c++) {
		cleanup(free) char *name = xasprintf("*%%%c*", *c);

		if (!strstr(text, name))
			fail_msg("%s is not in oci.conf(5)", name);
	}
}

static void test_hpcng(void **state)
{
	static const char path[] = TEST_DATA "/oci-conf/singularity-3.8.0-hpcng.conf";
	struct oci_conf *c = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(oci_conf_load(path, &c, &e), -1);
	assert_string_equal(e.msg, TEST_DATA "/oci-conf/singularity-3.8.0-hpcng.conf:7:18: missing closing quote: "
					     "'\"sudo singularity oci delete %n.%u.%j.%s.%t'; end the value with \"");
}

static struct oci_conf *parse(const char *text)
{
	struct oci_conf *c = NULL;
	struct err e = ERR_INIT;

	if (oci_conf_parse("t", text, strlen(text), &c, &e) < 0)
		fail_msg("<%s>: %s", text, e.msg);
	return c;
}

static void test_keys(void **state)
{
	cleanup(oci_conf) struct oci_conf *c =
		parse("containerpath=/c/%j MOUNTSPOOLDIR=\"/m p\"\n"
		      "CreateEnvFile=true DisableCleanup=YES IgnoreFileConfigJson=1\n"
		      "DisableHooks=\"prestart, PostStop\" JobDirMount=no UserEntries=0\n"
		      "MountSlurm=true FileDebug=debug2 StdIODebug=4 SyslogDebug=ERROR\n"
		      "DebugFlags=Steps,Script SrunPath=/x/srun\n"
		      "SrunArgs=-v SrunArgs=\"-p a b\" OCIRunTimeRun=crun\n"
		      "OCIRunTimeEnvExclude=^A= EnvExclude=\"^(B|C)=\"\n");
	cleanup(free) char *path = pattern_path(c->container_path, &values);

	(void)state;
	assert_string_equal(path, "/c/12");
	assert_non_null(c->mount_spool_dir);
	assert_int_equal(c->create_env_file, OCI_ENV_FILE_NULL);
	assert_true(c->disable_cleanup && c->ignore_file_config_json && c->mount_slurm);
	assert_false(c->job_dir_mount || c->user_entries);
	assert_int_equal(c->disable_hooks, OCI_HOOK_PRESTART | OCI_HOOK_POSTSTOP);
	assert_int_equal(c->file_debug, LOG_LEVEL_DEBUG2);
	assert_int_equal(c->stdio_debug, LOG_LEVEL_VERBOSE);
	assert_int_equal(c->syslog_debug, LOG_LEVEL_ERROR);
	assert_true(strv_has(c->debug_flags, "Steps") && strv_has(c->debug_flags, "Script"));
	assert_string_equal(c->srun_path, "/x/srun");
	assert_int_equal(strv_len(c->srun_args), 2);
	assert_string_equal(c->srun_args[1], "-p a b");
	assert_true(oci_conf_runtime_env_excluded(c, "A=1") && !oci_conf_runtime_env_excluded(c, "B=1"));
	assert_true(oci_conf_env_excluded(c, "C=1") && !oci_conf_env_excluded(c, "A=1"));
	assert_null(c->warnings);
	assert_string_equal(c->origin[OCI_KEY_RUN_TIME_RUN].file, "t");
	assert_int_equal(c->origin[OCI_KEY_RUN_TIME_RUN].line, 6);
	assert_int_equal(c->origin[OCI_KEY_RUN_TIME_RUN].column, 31);
}

static void test_defaults(void **state)
{
	cleanup(oci_conf) struct oci_conf *c = parse("RunTimeRun=x");

	(void)state;
	assert_true(c->job_dir_mount && c->user_entries);
	assert_false(c->mount_slurm || c->disable_cleanup || c->ignore_file_config_json);
	assert_int_equal(c->create_env_file, OCI_ENV_FILE_NONE);
	assert_int_equal(c->disable_hooks, 0);
	assert_int_equal(c->file_debug, LOG_LEVEL_QUIET);
	assert_null(c->container_path);
	assert_false(oci_conf_env_excluded(c, "A=1"));
	for (unsigned key = 0; key < OCI_KEY_COUNT; key++) {
		cleanup(free) char *value = oci_conf_value(c, (enum oci_key)key);

		assert_non_null(value);
		assert_non_null(oci_key_accepts((enum oci_key)key));
		if (key != OCI_KEY_RUN_TIME_RUN)
			assert_null(c->origin[key].file);
	}
	assert_non_null(oci_conf_pattern(c, OCI_KEY_RUN_TIME_RUN));
	assert_null(oci_conf_pattern(c, OCI_KEY_SRUN_PATH));
}

static void test_errors(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "t:1:1: no operation that could run a container; RunTimeRun is expected" },
		{ "\nRunTimeCreate=a RunTimeStart=b",
		  "t:2:1: these operations cannot run a container; set RunTimeRun, or "
		  "add RunTimeQuery, RunTimeDelete" },
		{ "\nRunTimeKill=a", "t:2:1: no operation" },
		{ "RunTimRun=a", "t:1:1: unknown key 'RunTimRun'; the nearest known one is RunTimeRun" },
		{ "a=1\nRuntimeRun=x", "t:1:1: unknown key 'a'; oci.conf(5)" },
		{ "OCIRunTimeQuerry=a",
		  "t:1:1: unknown key 'OCIRunTimeQuerry'; the nearest known one is RunTimeQuery" },
		{ "OCIEnvExclude=a", "t:1:1: unknown key 'OCIEnvExclude'" },
		{ "RunTimeRun=\"crun run %q\"", "t:1:22: RunTimeRun: unknown replacement '%q'" },
		{ "RunTimeRun=\"crun \\\n run %q\"", "t:2:6: RunTimeRun: unknown replacement '%q'" },
		{ "RunTimeRun=\"\"", "t:1:13: RunTimeRun: a command is expected" },
		{ "RunTimeRun=\"kill %p\"", "t:1:18: RunTimeRun: %p is known in" },
		{ "RunTimeRun=\"bash -c 'crun %b'\"", "t:1:27: RunTimeRun: %b is inside a text that 'bash' parses" },
		{ "EnvExclude=\"^(a\"", "t:1:13: EnvExclude: '^(a' is not a POSIX extended regular expression: " },
		{ "EnvExclude=\"\"", "t:1:13: EnvExclude: an empty expression" },
		{ "EnvExclude=((a{99}){99}){99}", "t:1:12: EnvExclude: the expression" },
		{ "EnvExclude=a++++++++++++++++++++", "t:1:12: EnvExclude: the expression" },
		{ "EnvExclude=\"(((((((((((((((x+)+)+)+)+)+)+)+)+)+)+)+)+)+)+\"",
		  "t:1:13: EnvExclude: the expression" },
		{ "CreateEnvFile=maybe", "t:1:15: CreateEnvFile: 'maybe' is none of null" },
		{ "DisableCleanup=2", "t:1:16: DisableCleanup: '2' is not true or false" },
		{ "DisableHooks=prestart,x", "t:1:23: DisableHooks: 'x' is not a hook type (prestart" },
		{ "FileDebug=loud", "t:1:11: FileDebug: 'loud' is not a log level (quiet" },
		{ "DebugFlags=a,,b", "t:1:12: DebugFlags: '' is not a flag" },
		{ "SrunPath=srun", "t:1:10: SrunPath: 'srun' is not an absolute path" },
		{ "ContainerPath=a", "t:1:15: ContainerPath: 'a' is not an absolute path" },
		{ "ContainerPath=%U/a", "t:1:15: ContainerPath: '%U/a' is not an absolute path" },
		{ "ContainerPath=/%p", "t:1:16: ContainerPath: %p is known in" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct oci_conf *c = NULL;
		struct err e = ERR_INIT;

		if (oci_conf_parse("t", cases[i].text, strlen(cases[i].text), &c, &e) == 0)
			fail_msg("<%s>: accepted", cases[i].text);
		if (!str_starts(e.msg, cases[i].says))
			fail_msg("<%s>: %s", cases[i].text, e.msg);
	}
}

static void test_warnings(void **state)
{
	cleanup(oci_conf) struct oci_conf *c =
		parse("RunTimeRun=a\nruntimerun=\"sudo r %e\" # later\nRunTimeKill=\"sudo k\"");
	cleanup(free) char *value = oci_conf_value(c, OCI_KEY_RUN_TIME_RUN);

	(void)state;
	assert_string_equal(value, "sudo r %e");
	assert_int_equal(strv_len(c->warnings), 3);
	assert_string_equal(c->warnings[0], "t:2:1: RunTimeRun is set again; this value counts, not that of t:1");
	assert_true(str_starts(c->warnings[1], "t:3:1: sudo "));
	assert_string_equal(c->warnings[2], "t:2:1: %e names no file unless CreateEnvFile is null or newline");
}

/* Not made up where the pattern is not plain, or of a runtime that is not known. */
static void test_derived(void **state)
{
	static const struct {
		const char *text, *exec;
	} cases[] = {
		{ "RunTimeRun=x RunTimeDelete=\"/o/crun --root=/r delete --force %j\"",
		  "/o/crun --root=/r exec %j %@" },
		{ "RunTimeRun=x RunTimeQuery=\"crun state '%j'\"", NULL },
		{ "RunTimeRun=x RunTimeQuery=\"crun state\"", NULL },
		{ "RunTimeRun=x RunTimeQuery=\"crun --root=$X state %j\"", NULL },
		{ "RunTimeRun=x RunTimeQuery=\"other state %j\"", NULL },
		{ "RunTimeRun=x RunTimeQuery=\"crun state %j\" RunTimeExec=mine", "mine" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cleanup(oci_conf) struct oci_conf *c = parse(cases[i].text);

		if (!cases[i].exec)
			assert_null(c->op[OCI_OP_EXEC]);
		else
			assert_string_equal(pattern_text(c->op[OCI_OP_EXEC]), cases[i].exec);
	}
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	cleanup(free) char *bad = xasprintf("%s/BAD", folder);
	bool ran = access(bad, F_OK) == 0;
	struct err e = ERR_INIT;

	(void)state;
	return path_remove_tree(AT_FDCWD, folder, &e) < 0 || ran ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),	     cmocka_unit_test(test_operations),
		cmocka_unit_test(test_charliecloud), cmocka_unit_test(test_enroot_wrapper),
		cmocka_unit_test(test_shipped),	     cmocka_unit_test(test_manual),
		cmocka_unit_test(test_hpcng),	     cmocka_unit_test(test_keys),
		cmocka_unit_test(test_defaults),     cmocka_unit_test(test_errors),
		cmocka_unit_test(test_warnings),     cmocka_unit_test(test_derived),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
