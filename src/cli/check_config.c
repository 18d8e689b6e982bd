/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/check.h"
#include "config/builtin.h"
#include "config/oci_keys.h"
#include "oci/runtime.h"

extern char **environ;

/* What oci_conf_find calls the configuration that is in no file. */
#define BUILT_IN "built-in"

/* The built-in configuration: which runtimes were tried, and what each said. */
static void check_choice(struct check_run *run)
{
	struct runtime_places places = { .env = environ, .forget = true };
	struct runtime_choice c;
	struct err e = ERR_INIT;

	if (runtime_choose(&places, &c, &e) < 0) {
		finding_add(run, FINDING_FAIL, "installation", "%s", e.msg);
		return;
	}
	for (int i = 0; i < RUNTIME_COUNT; i++) {
		const struct runtime_verdict *v = &c.tried[i];
		cleanup(free) char *why = v->why ? runtime_message(v->why) : NULL;
		const char *advice = why ? runtime_advice(why) : NULL;
		struct finding *f;

		if (!v->path) {
			finding_add(run, FINDING_OK, v->name, "not installed");
		} else if (why) {
			f = finding_add(run, c.chosen < 0 ? FINDING_FAIL : FINDING_WARN, v->name,
					"%s does not run a container here: %s", v->path, why);
			if (c.chosen >= 0)
				finding_hint(f, "%s is used instead%s%s", c.tried[c.chosen].name, advice ? "; " : "",
					     advice ? advice : "");
			else if (advice)
				finding_hint(f, "%s", advice);
		} else {
			finding_add(run, FINDING_OK, v->name, "%s%s", v->path,
				    i == c.chosen ? ", which the built-in configuration uses" : "");
		}
	}
	runtime_choice_free(&c);
}

void host_config(struct check_run *run)
{
	struct err e = ERR_INIT;
	struct finding *f;

	if (oci_conf_find(CONF_SEARCH_EMBEDDED, run->config_file, environ, &run->conf, &e) < 0) {
		bool none_works = strstr(e.msg, "no OCI runtime works") != NULL;

		f = finding_add(run, FINDING_FAIL, "oci.conf", "%s",
				none_works ? "none, and no runtime for the built-in configuration works here" : e.msg);
		if (run->unusable)
			finding_hint(f, "%s: see above", run->unusable);
		else if (none_works)
			finding_hint(f, "see the lines on crun and runc");
		else if (strstr(e.msg, "no OCI runtime found"))
			finding_hint(f, "as root: `apt install crun` or `apt install runc`");
		else
			finding_hint(f,
				     "oci.conf(5) says what may be written; share/berth/examples holds files to start "
				     "from");
		if (none_works)
			check_choice(run);
		return;
	}
	finding_add(run, FINDING_OK, "oci.conf", "%s", run->conf->source);
	for (char **w = run->conf->warnings; w && *w; w++)
		finding_add(run, FINDING_WARN, "oci.conf", "%s", *w);
	if (strcmp(run->conf->source, BUILT_IN) == 0)
		check_choice(run);
}

/* Where the value comes from; the caller frees it. */
static char *origin_of(const struct oci_conf *c, enum oci_key key)
{
	enum oci_op op = oci_key_op(key);

	if (c->origin[key].file && strcmp(c->source, BUILT_IN) == 0)
		return xstrdup(BUILT_IN);
	if (c->origin[key].file)
		return xasprintf("%s:%u", c->origin[key].file, c->origin[key].line);
	if (op != OCI_OP_COUNT && c->derived[op])
		return xstrdup("derived");
	return xstrdup("default");
}

/* A task as there are many: everything but the names is made up. */
struct example {
	char *argv[4], host[HOST_NAME_MAX + 1], *spool, *bundle, *env_file, *dir;
	struct pattern_values values;
};

static void example_make(const struct check_run *run, struct example *x)
{
	*x = (struct example){ .argv = { (char *)"sh", (char *)"-c", (char *)"echo $HOSTNAME", NULL } };
	if (gethostname(x->host, sizeof(x->host) - 1) < 0)
		strcpy(x->host, "localhost");
	x->spool = path_join(run->spool ? run->spool : "/tmp", "job-1.0");
	x->bundle = path_join(x->spool, "task-0/bundle");
	x->env_file = path_join(x->spool, "task-0/environment");
	x->dir = path_absolute(".");
	x->values = (struct pattern_values){ .argv = x->argv,
					     .bundle = x->bundle,
					     .env_file = x->env_file,
					     .job = 1,
					     .spool = x->spool,
					     .node = x->host,
					     .pid = 12345,
					     .rootfs = "/images/debian/rootfs",
					     .user = run->user.name,
					     .uid = geteuid(),
					     .work_dir = x->dir };
}

static void example_free(struct example *x)
{
	free(x->spool);
	free(x->bundle);
	free(x->env_file);
	free(x->dir);
}

void check_print_config(const struct check_run *run, FILE *out)
{
	const struct oci_conf *c = run->conf;
	struct example x;

	if (!c)
		return;
	fprintf(out, "\nConfiguration: %s\n", c->source);
	for (int key = 0; key < OCI_KEY_COUNT; key++) {
		cleanup(free) char *value = oci_conf_value(c, (enum oci_key)key);
		cleanup(free) char *origin = origin_of(c, (enum oci_key)key);

		for (char *p = value; (p = strchr(p, '\n'));)
			*p = ' ';
		fprintf(out, "  %-20s  %-10s  %s\n", oci_key_name((enum oci_key)key), origin, value);
	}
	example_make(run, &x);
	fputs("\nThe commands of an example task (job 1, `sh -c 'echo $HOSTNAME'`):\n", out);
	for (int op = 0; op < OCI_OP_COUNT; op++) {
		cleanup(strv) char **argv = runtime_argv(c, (enum oci_op)op, &x.values);
		cleanup(free) char *line = argv ? strv_quoted(argv) : NULL;

		if (line)
			fprintf(out, "  %-8s  %s\n", oci_op_name((enum oci_op)op), line);
	}
	example_free(&x);
}

static struct json_object *keys_json(const struct oci_conf *c)
{
	struct json_object *keys = json_object_new_object();

	for (int key = 0; key < OCI_KEY_COUNT; key++) {
		cleanup(free) char *value = oci_conf_value(c, (enum oci_key)key);
		cleanup(free) char *origin = origin_of(c, (enum oci_key)key);
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "value", json_object_new_string(value));
		json_object_object_add(o, "origin", json_object_new_string(origin));
		json_object_object_add(keys, oci_key_name((enum oci_key)key), o);
	}
	return keys;
}

struct json_object *check_config_json(const struct check_run *run)
{
	struct json_object *o, *commands;
	struct example x;

	if (!run->conf)
		return NULL;
	o = json_object_new_object();
	commands = json_object_new_object();
	json_object_object_add(o, "source", json_object_new_string(run->conf->source));
	json_object_object_add(o, "keys", keys_json(run->conf));
	example_make(run, &x);
	for (int op = 0; op < OCI_OP_COUNT; op++) {
		cleanup(strv) char **argv = runtime_argv(run->conf, (enum oci_op)op, &x.values);
		struct json_object *words = argv ? json_object_new_array() : NULL;

		for (char **w = argv; w && *w; w++)
			json_object_array_add(words, json_object_new_string(*w));
		if (words)
			json_object_object_add(commands, oci_op_name((enum oci_op)op), words);
	}
	json_object_object_add(o, "commands", commands);
	example_free(&x);
	return o;
}
