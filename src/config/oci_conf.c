/* SPDX-License-Identifier: Apache-2.0 */
#include "config/oci_conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"
#include "config/oci_keys.h"

static struct oci_conf *conf_new(const char *source)
{
	struct oci_conf *c = xcalloc(1, sizeof(*c));

	c->source = xstrdup(source);
	c->job_dir_mount = true;
	c->user_entries = true;
	return c;
}

static void warn(struct oci_conf *c, const struct conf_origin *at, const char *text)
{
	strv_push_own(&c->warnings, xasprintf("%s:%u:%u: %s", at->file, at->line, at->column, text));
}

static int unknown_key(const struct conf_pair *pair, struct err *e)
{
	const char *near = oci_key_nearest(pair->key);

	err_set(e, "unknown key '%.60s'", pair->key);
	if (near)
		err_hint(e, "the nearest known one is %s", near);
	else
		err_hint(e, "oci.conf(5) has the list of keys");
	return err_wrap(e, "%s:%u:%u", pair->file, pair->line, pair->column);
}

static void note_origin(struct oci_conf *c, enum oci_key key, const struct conf_pair *pair)
{
	struct conf_origin *o = &c->origin[key];
	char *text = key == OCI_KEY_SRUN_ARGS && c->text[key] ? xasprintf("%s\n%s", c->text[key], pair->value)
							      : xstrdup(pair->value);

	free(c->text[key]);
	c->text[key] = text;
	free(o->file);
	o->file = xstrdup(pair->file);
	o->line = pair->line;
	o->column = pair->column;
}

static int set_pair(void *arg, const struct conf_pair *pair, struct err *e)
{
	struct oci_conf *c = arg;
	enum oci_key key = oci_key_find(pair->key);
	const struct conf_origin here = { (char *)pair->file, pair->line, pair->column };
	unsigned line, column;
	size_t offset = 0;

	if (key == OCI_KEY_COUNT)
		return unknown_key(pair, e);
	if (oci_keys[key].set(c, &oci_keys[key], pair->value, &offset, e) < 0) {
		conf_pair_position(pair, offset, &line, &column);
		err_wrap(e, "%s", oci_keys[key].name);
		return err_wrap(e, "%s:%u:%u", pair->file, line, column);
	}
	if (c->text[key] && key != OCI_KEY_SRUN_ARGS) {
		cleanup(free) char *text = xasprintf("%s is set again; this value counts, not that of %s:%u",
						     oci_keys[key].name, c->origin[key].file, c->origin[key].line);

		warn(c, &here, text);
	}
	note_origin(c, key, pair);
	return 0;
}

/* The first of the operations that are set, to have a position for what is wrong with all of them. */
static const struct conf_origin *first_operation(const struct oci_conf *c)
{
	for (unsigned key = 0; key < OCI_KEY_COUNT; key++)
		if (oci_key_op((enum oci_key)key) != OCI_OP_COUNT && c->origin[key].file)
			return &c->origin[key];
	return NULL;
}

static int check_operations(const struct oci_conf *c, struct err *e)
{
	static const enum oci_op needed[] = { OCI_OP_CREATE, OCI_OP_START, OCI_OP_QUERY, OCI_OP_DELETE };
	const struct conf_origin *at = first_operation(c);
	cleanup(strbuf) struct strbuf missing = STRBUF_INIT;
	size_t n = 0;

	if (c->op[OCI_OP_RUN])
		return 0;
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (!c->op[needed[i]])
			strbuf_addf(&missing, "%sRunTime%s", n++ ? ", " : "", oci_op_name(needed[i]));
	if (n == 0)
		return 0;
	if (n == sizeof(needed) / sizeof(*needed))
		err_set(e, "no operation that could run a container; RunTimeRun is expected, or RunTimeCreate, "
			   "RunTimeStart, RunTimeQuery and RunTimeDelete");
	else
		err_set(e, "these operations cannot run a container; set RunTimeRun, or add %s", missing.data);
	return at ? err_wrap(e, "%s:%u:%u", at->file, at->line, at->column) : err_wrap(e, "%s:1:1", c->source);
}

static void check_advice(struct oci_conf *c)
{
	bool sudo = false;

	for (unsigned key = 0; key < OCI_KEY_COUNT; key++) {
		enum oci_op op = oci_key_op((enum oci_key)key);
		const struct pattern *p = op == OCI_OP_COUNT ? NULL : c->op[op];

		if (!p || !c->origin[key].file)
			continue;
		if (pattern_uses_sudo(p) && !sudo) {
			warn(c, &c->origin[key],
			     "sudo runs the runtime as root on a bundle that the user chooses and can change, so that "
			     "whoever may run this command can become root; prefer a rootless runtime");
			sudo = true;
		}
		if (pattern_uses(p, 'e') && c->create_env_file == OCI_ENV_FILE_NONE)
			warn(c, &c->origin[key], "%e names no file unless CreateEnvFile is null or newline");
	}
}

static int finish(struct oci_conf *c, int rc, struct oci_conf **out, struct err *e)
{
	if (rc < 0 || check_operations(c, e) < 0) {
		oci_conf_free(c);
		return -1;
	}
	check_advice(c);
	oci_conf_derive(c);
	*out = c;
	return 0;
}

int oci_conf_load(const char *path, struct oci_conf **out, struct err *e)
{
	struct oci_conf *c = conf_new(path);

	return finish(c, conf_read_file(path, set_pair, c, &c->warnings, e), out, e);
}

int oci_conf_parse(const char *name, const char *text, size_t len, struct oci_conf **out, struct err *e)
{
	struct oci_conf *c = conf_new(name);

	return finish(c, conf_read_text(name, text, len, set_pair, c, &c->warnings, e), out, e);
}

void oci_conf_free(struct oci_conf *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < OCI_OP_COUNT; i++)
		pattern_free(c->op[i]);
	pattern_free(c->container_path);
	pattern_free(c->mount_spool_dir);
	if (c->has_env_exclude)
		regfree(&c->env_exclude);
	if (c->has_runtime_env_exclude)
		regfree(&c->runtime_env_exclude);
	for (unsigned i = 0; i < OCI_KEY_COUNT; i++) {
		free(c->origin[i].file);
		free(c->text[i]);
	}
	free(c->srun_path);
	strv_free(c->srun_args);
	strv_free(c->debug_flags);
	strv_free(c->warnings);
	free(c->source);
	free(c);
}

void cleanup_oci_conf(struct oci_conf **c)
{
	oci_conf_free(*c);
}

char *oci_conf_value(const struct oci_conf *c, enum oci_key key)
{
	const struct pattern *p = oci_conf_pattern(c, key);

	if (c->text[key])
		return xstrdup(c->text[key]);
	return xstrdup(p ? pattern_text(p) : oci_keys[key].deflt);
}

const struct pattern *oci_conf_pattern(const struct oci_conf *c, enum oci_key key)
{
	if (key == OCI_KEY_CONTAINER_PATH)
		return c->container_path;
	if (key == OCI_KEY_MOUNT_SPOOL_DIR)
		return c->mount_spool_dir;
	return oci_key_op(key) == OCI_OP_COUNT ? NULL : c->op[oci_key_op(key)];
}

bool oci_conf_env_excluded(const struct oci_conf *c, const char *entry)
{
	return c->has_env_exclude && regexec(&c->env_exclude, entry, 0, NULL, 0) == 0;
}

bool oci_conf_runtime_env_excluded(const struct oci_conf *c, const char *entry)
{
	return c->has_runtime_env_exclude && regexec(&c->runtime_env_exclude, entry, 0, NULL, 0) == 0;
}
