/* SPDX-License-Identifier: Apache-2.0 */
#include "config/oci_keys.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"

#define FIELD(c, k, type) ((type *)(void *)((char *)(c) + (k)->field))

static int set_command(struct oci_conf *c, const struct oci_key_info *k, const char *value, size_t *offset,
		       struct err *e)
{
	struct pattern **p = FIELD(c, k, struct pattern *);
	struct pattern *made = NULL;
	bool pid = k == &oci_keys[OCI_KEY_RUN_TIME_KILL] || k == &oci_keys[OCI_KEY_RUN_TIME_DELETE];

	if (pattern_compile(value, pid ? PATTERN_COMMAND_WITH_PID : PATTERN_COMMAND, &made, offset, e) < 0)
		return -1;
	pattern_free(*p);
	*p = made;
	return 0;
}

static int set_path_pattern(struct oci_conf *c, const struct oci_key_info *k, const char *value, size_t *offset,
			    struct err *e)
{
	struct pattern **p = FIELD(c, k, struct pattern *);
	struct pattern *made = NULL;

	if (pattern_compile(value, PATTERN_PATH, &made, offset, e) < 0)
		return -1;
	pattern_free(*p);
	*p = made;
	return 0;
}

static int set_bool(struct oci_conf *c, const struct oci_key_info *k, const char *value, size_t *offset, struct err *e)
{
	static const char *const yes[] = { "true", "yes", "up", "1" };
	static const char *const no[] = { "false", "no", "down", "0" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		if (strcasecmp(value, yes[i]) == 0 || strcasecmp(value, no[i]) == 0) {
			*FIELD(c, k, bool) = strcasecmp(value, yes[i]) == 0;
			return 0;
		}
	}
	return err_set(e, "'%.40s' is not true or false", value);
}

static int set_env_file(struct oci_conf *c, const struct oci_key_info *k, const char *value, size_t *offset,
			struct err *e)
{
	static const struct {
		const char *name;
		enum oci_env_file means;
	} names[] = {
		{ "null", OCI_ENV_FILE_NULL },	   { "true", OCI_ENV_FILE_NULL },  { "newline", OCI_ENV_FILE_NEWLINE },
		{ "disabled", OCI_ENV_FILE_NONE }, { "false", OCI_ENV_FILE_NONE },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcasecmp(value, names[i].name) == 0) {
			*FIELD(c, k, enum oci_env_file) = names[i].means;
			return 0;
		}
	}
	return err_set(e, "'%.40s' is none of null (or true), newline, disabled (or false)", value);
}

static int set_hooks(struct oci_conf *c, const struct oci_key_info *k, const char *value, size_t *offset, struct err *e)
{
	static const char *const names[] = { "prestart",       "createRuntime", "createContainer",
					     "startContainer", "poststart",	"poststop" };
	cleanup(strv) char **v = str_split(value, ",");
	unsigned hooks = 0;

	for (size_t i = 0; v[i]; i++) {
		const char *name = str_trim(v[i]);
		size_t n = 0;

		while (n < sizeof(names) / sizeof(*names) && strcasecmp(name, names[n]) != 0)
			n++;
		if (n == sizeof(names) / sizeof(*names)) {
			const char *at = strstr(value, name);

			*offset = at ? (size_t)(at - value) : 0;
			return err_set(e,
				       "'%.40s' is not a hook type (prestart, createRuntime, createContainer, "
				       "startContainer, poststart, poststop)",
				       name);
		}
		hooks |= 1U << n;
	}
	*FIELD(c, k, unsigned) = hooks;
	return 0;
}

static int set_regex(struct oci_conf *c, const struct oci_key_info *k, const char *value, size_t *offset, struct err *e)
{
	bool *has = (bool *)((char *)c + k->flag);
	regex_t re;
	char text[128];
	int rc;

	if (!*value)
		return err_set(e, "an empty expression matches everything; leave the key out to match nothing");
	if (!oci_regex_is_bounded(value))
		return err_set(e,
			       "the expression is longer than 4096 characters, or repeats too much within repetitions");
	rc = regcomp(&re, value, REG_EXTENDED | REG_NOSUB);
	if (rc != 0) {
		regerror(rc, &re, text, sizeof(text));
		return err_set(e, "'%.200s' is not a POSIX extended regular expression: %s", value, text);
	}
	if (*has)
		regfree(FIELD(c, k, regex_t));
	*FIELD(c, k, regex_t) = re;
	*has = true;
	return 0;
}

static int set_level(struct oci_conf *c, const struct oci_key_info *k, const char *value, size_t *offset, struct err *e)
{
	if (isdigit((unsigned char)value[0]) && !value[1]) {
		*FIELD(c, k, enum log_level) = (enum log_level)(value[0] - '0');
		return 0;
	}
	return log_level_parse(value, FIELD(c, k, enum log_level), e);
}

static int set_flags(struct oci_conf *c, const struct oci_key_info *k, const char *value, size_t *offset, struct err *e)
{
	cleanup(strv) char **v = str_split(value, ",");
	char ***field = FIELD(c, k, char **);

	for (size_t i = 0; v[i]; i++) {
		const char *name = str_trim(v[i]);
		size_t n = 0;

		while (isalnum((unsigned char)name[n]) || name[n] == '_')
			n++;
		if (n == 0 || name[n])
			return err_set(e, "'%.40s' is not a flag; a comma list of slurm.conf's DebugFlags is expected",
				       name);
	}
	strv_free(*field);
	*field = take_ptr(&v);
	return 0;
}

static int set_program(struct oci_conf *c, const struct oci_key_info *k, const char *value, size_t *offset,
		       struct err *e)
{
	char **field = FIELD(c, k, char *);

	if (*value != '/')
		return err_set(e, "'%.64s' is not an absolute path", value);
	free(*field);
	*field = xstrdup(value);
	return 0;
}

static int set_argument(struct oci_conf *c, const struct oci_key_info *k, const char *value, size_t *offset,
			struct err *e)
{
	strv_push(FIELD(c, k, char **), value);
	return 0;
}

#define ROW(NAME, SET, FIELD_, DEFAULT, ACCEPTS)                                                        \
	{                                                                                               \
		.name = NAME, .set = SET, .field = offsetof(struct oci_conf, FIELD_), .deflt = DEFAULT, \
		.accepts = ACCEPTS                                                                      \
	}
#define REGEX(NAME, FIELD_, FLAG)                                                                                    \
	{                                                                                                            \
		.name = NAME, .set = set_regex, .field = offsetof(struct oci_conf, FIELD_),                          \
		.flag = offsetof(struct oci_conf, FLAG), .deflt = "", .accepts = "POSIX extended regular expression" \
	}
#define OP(NAME, OP_) ROW(NAME, set_command, op[OP_], "", "command pattern")
#define LEVEL "quiet, fatal, error, info, verbose, debug, debug2 to debug5"

const struct oci_key_info oci_keys[OCI_KEY_COUNT] = {
	[OCI_KEY_CONTAINER_PATH] = ROW("ContainerPath", set_path_pattern, container_path, "", "path pattern"),
	[OCI_KEY_CREATE_ENV_FILE] =
		ROW("CreateEnvFile", set_env_file, create_env_file, "disabled", "null, newline, disabled"),
	[OCI_KEY_DEBUG_FLAGS] = ROW("DebugFlags", set_flags, debug_flags, "", "comma list of flags"),
	[OCI_KEY_DISABLE_CLEANUP] = ROW("DisableCleanup", set_bool, disable_cleanup, "false", "true, false"),
	[OCI_KEY_DISABLE_HOOKS] = ROW("DisableHooks", set_hooks, disable_hooks, "", "comma list of hook types"),
	[OCI_KEY_ENV_EXCLUDE] = REGEX("EnvExclude", env_exclude, has_env_exclude),
	[OCI_KEY_FILE_DEBUG] = ROW("FileDebug", set_level, file_debug, "quiet", LEVEL),
	[OCI_KEY_IGNORE_FILE_CONFIG_JSON] =
		ROW("IgnoreFileConfigJson", set_bool, ignore_file_config_json, "false", "true, false"),
	[OCI_KEY_JOB_DIR_MOUNT] = ROW("JobDirMount", set_bool, job_dir_mount, "true", "true, false"),
	[OCI_KEY_MOUNT_SLURM] = ROW("MountSlurm", set_bool, mount_slurm, "false", "true, false"),
	[OCI_KEY_MOUNT_SPOOL_DIR] = ROW("MountSpoolDir", set_path_pattern, mount_spool_dir, "", "path pattern"),
	[OCI_KEY_RUN_TIME_CREATE] = OP("RunTimeCreate", OCI_OP_CREATE),
	[OCI_KEY_RUN_TIME_DELETE] = OP("RunTimeDelete", OCI_OP_DELETE),
	[OCI_KEY_RUN_TIME_ENV_EXCLUDE] = REGEX("RunTimeEnvExclude", runtime_env_exclude, has_runtime_env_exclude),
	[OCI_KEY_RUN_TIME_EXEC] = OP("RunTimeExec", OCI_OP_EXEC),
	[OCI_KEY_RUN_TIME_KILL] = OP("RunTimeKill", OCI_OP_KILL),
	[OCI_KEY_RUN_TIME_PAUSE] = OP("RunTimePause", OCI_OP_PAUSE),
	[OCI_KEY_RUN_TIME_QUERY] = OP("RunTimeQuery", OCI_OP_QUERY),
	[OCI_KEY_RUN_TIME_RESUME] = OP("RunTimeResume", OCI_OP_RESUME),
	[OCI_KEY_RUN_TIME_RUN] = OP("RunTimeRun", OCI_OP_RUN),
	[OCI_KEY_RUN_TIME_START] = OP("RunTimeStart", OCI_OP_START),
	[OCI_KEY_SRUN_ARGS] = ROW("SrunArgs", set_argument, srun_args, "", "one argument, repeatable"),
	[OCI_KEY_SRUN_PATH] = ROW("SrunPath", set_program, srun_path, "", "absolute path"),
	[OCI_KEY_STDIO_DEBUG] = ROW("StdIODebug", set_level, stdio_debug, "quiet", LEVEL),
	[OCI_KEY_SYSLOG_DEBUG] = ROW("SyslogDebug", set_level, syslog_debug, "quiet", LEVEL),
	[OCI_KEY_USER_ENTRIES] = ROW("UserEntries", set_bool, user_entries, "true", "true, false"),
};

const char *oci_key_name(enum oci_key key)
{
	return oci_keys[key].name;
}

const char *oci_key_accepts(enum oci_key key)
{
	return oci_keys[key].accepts;
}

enum oci_op oci_key_op(enum oci_key key)
{
	const struct oci_key_info *k = &oci_keys[key];

	if (k->set != set_command)
		return OCI_OP_COUNT;
	return (enum oci_op)((k->field - offsetof(struct oci_conf, op)) / sizeof(struct pattern *));
}

const char *oci_op_name(enum oci_op op)
{
	static const char *const names[] = {
		[OCI_OP_CREATE] = "Create", [OCI_OP_START] = "Start",	[OCI_OP_QUERY] = "Query",
		[OCI_OP_KILL] = "Kill",	    [OCI_OP_DELETE] = "Delete", [OCI_OP_RUN] = "Run",
		[OCI_OP_EXEC] = "Exec",	    [OCI_OP_PAUSE] = "Pause",	[OCI_OP_RESUME] = "Resume",
	};

	return names[op];
}

/* The hpcng spelling has "OCI" in front. */
static const char *skip_oci(const char *name)
{
	return strncasecmp(name, "OCIRunTime", 10) == 0 ? name + 3 : name;
}

enum oci_key oci_key_find(const char *name)
{
	unsigned i = 0;

	name = skip_oci(name);
	while (i < OCI_KEY_COUNT && strcasecmp(name, oci_keys[i].name) != 0)
		i++;
	return (enum oci_key)i;
}

/* Levenshtein's distance of two short names, without case. */
static size_t distance(const char *a, const char *b)
{
	size_t row[64], m = strlen(b);

	if (m + 1 > sizeof(row) / sizeof(*row) || strlen(a) > sizeof(row) / sizeof(*row))
		return SIZE_MAX;
	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t same = diagonal + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]));
			size_t other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = same < other ? same : other;
		}
	}
	return row[m];
}

const char *oci_key_nearest(const char *name)
{
	const char *best = NULL;
	size_t nearest = 4;

	name = skip_oci(name);
	for (size_t i = 0; i < OCI_KEY_COUNT; i++) {
		size_t d = distance(name, oci_keys[i].name);

		if (d < nearest && d < strlen(oci_keys[i].name) / 2) {
			nearest = d;
			best = oci_keys[i].name;
		}
	}
	return best;
}
