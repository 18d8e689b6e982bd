/* SPDX-License-Identifier: Apache-2.0 */
#include "config/import.h"

#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "config/builtin.h"
#include "config/oci_keys.h"
#include "proc/spawn.h"

struct report {
	const struct oci_conf *c;
	FILE *out;
	unsigned keys, changes, advice;
};

enum finding { CHANGE, ADVICE };

static void __attribute__((format(printf, 4, 5)))
found(struct report *r, enum finding kind, enum oci_key key, const char *fmt, ...)
{
	const struct conf_origin *o = &r->c->origin[key];
	va_list ap;

	if (o->file)
		fprintf(r->out, "%s:%u:%u: ", o->file, o->line, o->column);
	else
		fprintf(r->out, "%s: ", r->c->source);
	fprintf(r->out, "%s: %s: ", kind == CHANGE ? "change" : "advice", oci_key_name(key));
	va_start(ap, fmt);
	vfprintf(r->out, fmt, ap);
	va_end(ap);
	fputc('\n', r->out);
	r->changes += kind == CHANGE;
	r->advice += kind == ADVICE;
}

/* True where a replacement stands inside quotes, which around shell text are a site's guess at what it may hold. */
static bool quotes_value(const char *text, char *letter)
{
	char quote = 0;

	for (const char *s = text; *s; s++) {
		if (*s == '\\' && quote != '\'' && s[1]) {
			s++;
		} else if (quote ? *s == quote : *s == '\'' || *s == '"') {
			quote = quote ? 0 : *s;
		} else if (*s == '%' && s[1]) {
			*letter = s[1];
			if (quote && s[1] != '%' && !strchr("jpstU", s[1]))
				return true;
			s++;
		}
	}
	return false;
}

static void report_program(struct report *r, enum oci_key key, const struct pattern *p)
{
	const char *program = pattern_program(p);
	cleanup(free) char *at = program ? spawn_find(program, RUNTIME_PATH) : NULL;

	if (program && !at)
		found(r, ADVICE, key,
		      "'%s' is not found on this host; programs are looked for in %s, whatever the user's PATH",
		      program, RUNTIME_PATH);
}

static void report_pattern(struct report *r, enum oci_key key, const struct pattern *p)
{
	const char *text = pattern_text(p);
	char letter = 0;

	if (strstr(text, "/run/user"))
		found(r, ADVICE, key,
		      "/run/user/UID is there only while the user has a login session (or `loginctl enable-linger`); "
		      "%%m/.runtime is private too and always there");
	if (quotes_value(text, &letter))
		found(r, CHANGE, key,
		      "%%%c inside quotes was shell text in Slurm, where a quote in the value ended them; here it is "
		      "data, and "
		      "the quotes may stay",
		      letter);
	else if (pattern_uses(p, 'b') || pattern_uses(p, 'r') || pattern_uses(p, 'm') || pattern_uses(p, 'Z'))
		found(r, CHANGE, key,
		      "a path with spaces or other shell characters was split or parsed in Slurm; here it is one "
		      "argument");
	if (pattern_needs_shell(p))
		found(r, ADVICE, key,
		      "this needs a shell, which costs about a millisecond a container; plain words would be run "
		      "without one");
	report_program(r, key, p);
}

static void report_operations(struct report *r)
{
	const struct oci_conf *c = r->c;

	for (unsigned key = 0; key < OCI_KEY_COUNT; key++) {
		const struct pattern *p = oci_conf_pattern(c, (enum oci_key)key);

		if (p && c->origin[key].file && oci_key_op((enum oci_key)key) != OCI_OP_COUNT)
			report_pattern(r, (enum oci_key)key, p);
	}
	if (!c->op[OCI_OP_RUN])
		found(r, CHANGE, OCI_KEY_RUN_TIME_START,
		      "in Slurm the task's exit status was lost in this mode and its end seen up to 2 s late; here the "
		      "status "
		      "is the container's and its end is seen at once");
	if (!c->op[OCI_OP_RUN])
		found(r, ADVICE, OCI_KEY_RUN_TIME_CREATE,
		      "RunTimeRun starts fewer processes, where the runtime has it");
	if (c->op[OCI_OP_RUN] && c->op[OCI_OP_CREATE])
		found(r, ADVICE, OCI_KEY_RUN_TIME_CREATE, "is not used, because RunTimeRun is set");
	if (!c->op[OCI_OP_KILL])
		found(r, ADVICE, OCI_KEY_RUN_TIME_KILL,
		      "is not set; a container is then ended by a signal to its process 1");
	if (c->ignore_file_config_json && (c->op[OCI_OP_KILL] || c->op[OCI_OP_DELETE]))
		found(r, CHANGE, OCI_KEY_IGNORE_FILE_CONFIG_JSON,
		      "with it Slurm never runs RunTimeKill and RunTimeDelete; here they are run when a container has "
		      "to be "
		      "ended before it ends by itself");
}

static void report_values(struct report *r)
{
	const struct oci_conf *c = r->c;

	if (c->disable_hooks)
		found(r, CHANGE, OCI_KEY_DISABLE_HOOKS, "has no effect in Slurm; here these hooks are taken out");
	if (!c->origin[OCI_KEY_MOUNT_SPOOL_DIR].file && !c->ignore_file_config_json)
		found(r, CHANGE, OCI_KEY_MOUNT_SPOOL_DIR,
		      "is not set; Slurm mounts the spool folder at /var/run/slurm/, here it has the same path inside "
		      "as "
		      "outside (set it to \"/var/run/slurm/\" to have it as before)");
	if (c->container_path)
		found(r, CHANGE, OCI_KEY_CONTAINER_PATH,
		      "is the parent of the folders made for each task; it must belong to the user, with no access for "
		      "others");
	if (c->create_env_file == OCI_ENV_FILE_NEWLINE)
		found(r, CHANGE, OCI_KEY_CREATE_ENV_FILE,
		      "a variable that holds a newline is left out of the file, with a warning");
	if (c->debug_flags)
		found(r, ADVICE, OCI_KEY_DEBUG_FLAGS,
		      "flags without a meaning here are accepted and named in the debug log");
}

/* The second spelling, and keys as the file has them. */
static int report_spelling(void *arg, const struct conf_pair *pair, struct err *e)
{
	struct report *r = arg;

	(void)e;
	r->keys++;
	if (strncasecmp(pair->key, "OCIRunTime", 10) == 0)
		fprintf(r->out, "%s:%u:%u: note: %s is another spelling of %s, and accepted\n", pair->file, pair->line,
			pair->column, pair->key, pair->key + 3);
	return 0;
}

int oci_import_report(const char *path, FILE *out, struct err *e)
{
	cleanup(oci_conf) struct oci_conf *c = NULL;
	cleanup(strv) char **warnings = NULL;
	struct report r = { .out = out };
	struct err again = ERR_INIT;

	if (oci_conf_load(path, &c, e) < 0) {
		fprintf(out, "%s: cannot be used as it is; once this is mended, run the check again for the rest\n",
			path);
		return -1;
	}
	r.c = c;
	conf_read_file(path, report_spelling, &r, &warnings, &again);
	for (char **w = c->warnings; w && *w; w++, r.advice++)
		fprintf(out, "%s\n", *w);
	report_operations(&r);
	report_values(&r);
	fprintf(out, "%s: %u settings read and accepted: %u changes of behaviour, %u pieces of advice\n", path, r.keys,
		r.changes, r.advice);
	return 0;
}
