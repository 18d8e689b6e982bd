/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CONFIG_OCI_CONF_H
#define BERTH_CONFIG_OCI_CONF_H

#include <regex.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"
#include "oci/pattern.h"

/* oci.conf(5): what a site says of its OCI runtime. */

/* Where its programs are looked up, and what they find in PATH: the administrator's folders, whatever the user's PATH.
 */
#define RUNTIME_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum oci_op {
	OCI_OP_CREATE,
	OCI_OP_START,
	OCI_OP_QUERY,
	OCI_OP_KILL,
	OCI_OP_DELETE,
	OCI_OP_RUN,
	OCI_OP_EXEC,
	OCI_OP_PAUSE,
	OCI_OP_RESUME,
	OCI_OP_COUNT,
};

enum oci_env_file {
	OCI_ENV_FILE_NONE,
	OCI_ENV_FILE_NULL,    /* each variable ends with a NUL byte */
	OCI_ENV_FILE_NEWLINE, /* each variable on a line; those that hold a newline are left out */
};

/* Bits of disable_hooks; the names are those of the OCI runtime specification's config.md, "POSIX-platform Hooks". */
enum oci_hook {
	OCI_HOOK_PRESTART = 1 << 0,
	OCI_HOOK_CREATE_RUNTIME = 1 << 1,
	OCI_HOOK_CREATE_CONTAINER = 1 << 2,
	OCI_HOOK_START_CONTAINER = 1 << 3,
	OCI_HOOK_POSTSTART = 1 << 4,
	OCI_HOOK_POSTSTOP = 1 << 5,
};

/* One key in the order of the table in oci_conf.c: see oci_key_name. */
enum oci_key {
	OCI_KEY_CONTAINER_PATH,
	OCI_KEY_CREATE_ENV_FILE,
	OCI_KEY_DEBUG_FLAGS,
	OCI_KEY_DISABLE_CLEANUP,
	OCI_KEY_DISABLE_HOOKS,
	OCI_KEY_ENV_EXCLUDE,
	OCI_KEY_FILE_DEBUG,
	OCI_KEY_IGNORE_FILE_CONFIG_JSON,
	OCI_KEY_JOB_DIR_MOUNT,
	OCI_KEY_MOUNT_SLURM,
	OCI_KEY_MOUNT_SPOOL_DIR,
	OCI_KEY_RUN_TIME_CREATE,
	OCI_KEY_RUN_TIME_DELETE,
	OCI_KEY_RUN_TIME_ENV_EXCLUDE,
	OCI_KEY_RUN_TIME_EXEC,
	OCI_KEY_RUN_TIME_KILL,
	OCI_KEY_RUN_TIME_PAUSE,
	OCI_KEY_RUN_TIME_QUERY,
	OCI_KEY_RUN_TIME_RESUME,
	OCI_KEY_RUN_TIME_RUN,
	OCI_KEY_RUN_TIME_START,
	OCI_KEY_SRUN_ARGS,
	OCI_KEY_SRUN_PATH,
	OCI_KEY_STDIO_DEBUG,
	OCI_KEY_SYSLOG_DEBUG,
	OCI_KEY_USER_ENTRIES,
	OCI_KEY_COUNT,
};

/* Where a value was written; file is NULL where it is the default. */
struct conf_origin {
	char *file;
	unsigned line, column;
};

struct oci_conf {
	char *source;			  /* the file's path, or "built-in" */
	struct pattern *op[OCI_OP_COUNT]; /* NULL: not set */
	struct pattern *container_path;	  /* NULL: a folder in the step's spool folder */
	struct pattern *mount_spool_dir;  /* NULL: the same path inside */
	enum oci_env_file create_env_file;
	unsigned disable_hooks; /* OR of enum oci_hook */
	bool disable_cleanup, ignore_file_config_json;
	bool job_dir_mount, user_entries, mount_slurm;
	bool has_env_exclude, has_runtime_env_exclude;
	regex_t env_exclude, runtime_env_exclude; /* matched on "NAME=value" */
	char *srun_path;			  /* NULL: looked up in PATH */
	char **srun_args;
	enum log_level file_debug, stdio_debug, syslog_debug; /* LOG_LEVEL_QUIET: none */
	char **debug_flags;
	struct conf_origin origin[OCI_KEY_COUNT];
	char *text[OCI_KEY_COUNT];  /* as written, NULL where default; repeated values joined by a newline */
	bool derived[OCI_OP_COUNT]; /* not written: made from the other operations of a runtime known by name */
	char **warnings;	    /* "file:line:column: text" each */
};

/* "RunTimeRun" and so on. */
const char *oci_key_name(enum oci_key key);
/* "Run" and so on: the part after RunTime. */
const char *oci_op_name(enum oci_op op);

/*
 * Reads one file with what it includes. Everything that is wrong with it is found here: the error begins with
 * "file:line:column: ". The result is for oci_conf_free.
 */
int oci_conf_load(const char *path, struct oci_conf **out, struct err *e);
/* The same for text in memory (the built-in configuration, tests, fuzzers); Include is refused. */
int oci_conf_parse(const char *name, const char *text, size_t len, struct oci_conf **out, struct err *e);
void oci_conf_free(struct oci_conf *c);
void cleanup_oci_conf(struct oci_conf **c);

/* Who looks for the configuration: what a user may name counts for the embedded engine alone. */
enum conf_search {
	CONF_SEARCH_SITE,     /* --config FILE, SYSCONFDIR/berth/oci.conf */
	CONF_SEARCH_EMBEDDED, /* and $BERTH_OCI_CONF, ~/.config/berth/oci.conf, the built-in default */
};

/*
 * Finds and loads the configuration: EXPLICIT (may be NULL) is --config's; ENV is the environment to look into. The
 * built-in default is for a runtime that works on this host (config/builtin.c); finding that out may run one, once.
 */
int oci_conf_find(enum conf_search search, const char *explicit_file, char *const *env, struct oci_conf **out,
		  struct err *e);

/*
 * For showing a configuration key by key: the value that counts, as it would be written (the default where it is not
 * written, "" for none; the caller frees it), and the pattern behind it, NULL where the key is none or not set.
 */
char *oci_conf_value(const struct oci_conf *c, enum oci_key key);
const struct pattern *oci_conf_pattern(const struct oci_conf *c, enum oci_key key);
/* What the key means, in a few words, and what may be written. */
const char *oci_key_accepts(enum oci_key key);

/* True where NAME=value is kept from the container, or from the runtime's own environment. */
bool oci_conf_env_excluded(const struct oci_conf *c, const char *entry);
bool oci_conf_runtime_env_excluded(const struct oci_conf *c, const char *entry);

#endif
