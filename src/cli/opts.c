/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/opts_table.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/mem.h"
#include "base/str.h"

static void init(struct opts *o, enum opts_cmd cmd)
{
	*o = (struct opts){
		.cmd = cmd,
		.ntasks = 1,
		.cpus_per_task = 1,
		.bind = true,
		.time_limit = SPEC_UNLIMITED,
		.requeue = -1,
		.kill_on_invalid_dep = -1,
		.kill_on_bad_exit = -1,
	};
}

void opts_free(struct opts *o)
{
	char *strings[] = { o->depend_text,  o->array_text,  o->job_name,    o->chdir, o->container,
			    o->container_id, o->wrap,	     o->script_name, o->input, o->output,
			    o->error,	     o->export_text, o->export_file };

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		free(strings[i]);
	spec_depend_free(&o->depend);
	spec_array_free(&o->array);
	spec_export_free(&o->export);
	strv_free(o->recorded);
	strv_free(o->argv);
	*o = (struct opts){ 0 };
}

void cleanup_opts(struct opts *o)
{
	opts_free(o);
}

/* Replaces what the same option recorded before. */
static void record(struct opts *o, const char *name, const char *value)
{
	cleanup(free) char *entry = value ? xasprintf("%s=%s", name, value) : xstrdup(name);
	size_t len = strlen(name);

	for (char **r = o->recorded; r && *r; r++) {
		if (strncmp(*r, name, len) == 0 && (!(*r)[len] || (*r)[len] == '=')) {
			free(*r);
			*r = take_ptr(&entry);
			return;
		}
	}
	strv_push_own(&o->recorded, take_ptr(&entry));
}

static bool is_neutral(const struct opt_row *row, const char *value)
{
	cleanup(strv) char **words = NULL;

	if (!row->neutral || !value)
		return false;
	words = str_split(row->neutral, "|");
	return strv_has(words, value);
}

static int apply_class(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	switch (row->def.class) {
	case OPT_SUPPORTED:
		return row->set(o, row, value, e);
	case OPT_RECORDED:
		if (row->neutral && value && !is_neutral(row, value))
			return err_set(e, "'%.64s' is not understood", value);
		record(o, row->def.name, value);
		return 0;
	case OPT_REFUSED:
		if (is_neutral(row, value))
			return 0;
		return err_set(e, "refused: %s", row->def.help);
	}
	return 0;
}

static bool belongs_in_script(const struct opt_row *row)
{
	return row->id != OPT_HELP && row->id != OPT_USAGE && row->id != OPT_VERSION && row->id != OPT_WRAP;
}

static int apply(struct opts *o, const struct opt_row *row, const char *value, enum opts_origin origin, struct err *e)
{
	uint8_t *have = row->id != OPT_NONE ? &o->origin[row->id] : &o->row_origin[row - opts_table];

	if (*have > origin)
		return 0;
	if (origin == OPTS_SCRIPT && !belongs_in_script(row))
		return err_set(e, "belongs on the command line");
	if (apply_class(o, row, value, e) < 0)
		return -1;
	*have = (uint8_t)origin;
	return 0;
}

static const struct opt_row *row_of(const struct opt_def *def)
{
	return (const struct opt_row *)((const char *)def - offsetof(struct opt_row, def));
}

static const char *name_of(enum opts_cmd cmd)
{
	return cmd == OPTS_SRUN ? "srun" : cmd == OPTS_SBATCH ? "sbatch" : "salloc";
}

static int apply_words(struct opts *o, struct optparse *p, enum opts_origin origin, struct err *e)
{
	const struct opt_def *def;
	const char *value;
	int more = 0;

	while (!o->done && (more = optparse_next(p, &def, &value, e)) > 0) {
		if (apply(o, row_of(def), value, origin, e) < 0)
			return err_wrap(e, "--%s", def->name);
	}
	return more < 0 ? err_hint(e, "see %s --help", name_of(o->cmd)) : 0;
}

int opts_set_words(struct opts *o, char *const *words, enum opts_origin origin, struct err *e)
{
	struct opts_rows rows;
	struct optparse p = { .argc = (int)strv_len(words), .argv = words };

	opts_rows_of(o->cmd, &rows);
	p.defs = rows.defs;
	p.n = rows.n;
	if (apply_words(o, &p, origin, e) < 0)
		return -1;
	if (p.next < p.argc)
		return err_set(e, "'%.64s' is no option", words[p.next]);
	return 0;
}

static const char *prefix_of(enum opts_cmd cmd)
{
	return cmd == OPTS_SRUN ? "SLURM_" : cmd == OPTS_SBATCH ? "SBATCH_" : "SALLOC_";
}

/* The variable that the table's ENTRY means for CMD, or NULL. The caller frees it. */
static char *variable_of(enum opts_cmd cmd, const char *entry)
{
	size_t len = strlen(entry);

	if (*entry == '@')
		return xasprintf("%s%s", prefix_of(cmd), entry + 1);
	if (entry[len - 1] == '*')
		return xstrndup(entry, len - 1);
	if (str_starts(entry, "SBATCH_"))
		return cmd == OPTS_SBATCH ? xstrdup(entry) : NULL;
	if (str_starts(entry, "SALLOC_"))
		return cmd == OPTS_SALLOC ? xstrdup(entry) : NULL;
	return cmd == OPTS_SRUN ? xstrdup(entry) : NULL;
}

/* The variables of ROW for CMD, the stronger later. */
static char **variables_of(enum opts_cmd cmd, const struct opt_row *row)
{
	cleanup(strv) char **entries = str_split(row->env, " ");
	char **out = NULL;

	for (char **v = entries; v && *v; v++) {
		char *name = variable_of(cmd, *v);

		if (name)
			strv_push_own(&out, name);
	}
	return out;
}

static bool is_off(const char *value)
{
	return strcmp(value, "0") == 0 || strcasecmp(value, "no") == 0 || strcasecmp(value, "false") == 0;
}

static int apply_variable(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	/* What takes no value is switched by its variable; what may have one and is switched on has none. */
	if (row->def.arg == OPT_ARG_NO)
		return is_off(value) ? 0 : apply(o, row, NULL, OPTS_ENVIRONMENT, e);
	return apply(o, row, value, OPTS_ENVIRONMENT, e);
}

static int apply_env(struct opts *o, char *const *env, struct err *e)
{
	/* A job's own name is not that of each step in it. */
	bool in_job = o->cmd == OPTS_SRUN && env_get(env, "SLURM_JOB_ID");

	for (size_t i = 0; i < opts_table_len; i++) {
		const struct opt_row *row = &opts_table[i];
		cleanup(strv) char **names = NULL;

		if (!(row->cmds & o->cmd) || !row->env || (in_job && row->id == OPT_JOB_NAME))
			continue;
		names = variables_of(o->cmd, row);
		for (char **n = names; n && *n; n++) {
			const char *value = env_get(env, *n);

			if (value && *value && apply_variable(o, row, value, e) < 0)
				return err_wrap(e, "environment variable %s", *n);
		}
	}
	return 0;
}

static int check_operands(const struct opts *o, struct err *e)
{
	static const char *const het = "':' between commands makes a heterogeneous job, which one machine cannot have";

	if (o->cmd != OPTS_SBATCH && strv_has(o->argv, ":"))
		return err_set(e, "%s", het);
	if (o->cmd == OPTS_SBATCH && o->argc > 0 && strcmp(o->argv[0], ":") == 0)
		return err_set(e, "%s", het);
	if (o->wrap && o->argc > 0)
		return err_set(e, "--wrap takes no script and no arguments beside it");
	return 0;
}

int opts_finish(struct opts *o, struct err *e)
{
	uint8_t mem = o->origin[OPT_MEM], per_cpu = o->origin[OPT_MEM_PER_CPU];

	if (o->container_id && !o->container)
		return err_set(e, "--container-id names a container that was not asked for: --container is missing");
	if (mem != OPTS_DEFAULT && mem == per_cpu && mem != OPTS_ENVIRONMENT)
		return err_set(e, "--mem and --mem-per-cpu exclude each other");
	if (mem > per_cpu)
		o->mem_per_cpu_mb = 0;
	else if (per_cpu != OPTS_DEFAULT)
		o->mem_mb = 0;
	if (!opts_given(o, OPT_NTASKS) && o->ntasks_per_node > 0)
		o->ntasks = o->ntasks_per_node;
	if (o->ntasks > o->ntasks_per_node && o->ntasks_per_node > 0 &&
	    o->origin[OPT_NTASKS_PER_NODE] != OPTS_ENVIRONMENT)
		return err_set(e,
			       "%u tasks with %u a node need more than one node, and this machine is one; drop "
			       "--ntasks-per-node",
			       o->ntasks, o->ntasks_per_node);
	return 0;
}

static int parse(struct opts *o, int argc, char *const *argv, char *const *env, struct err *e)
{
	struct opts_rows rows;
	struct optparse p = { .argc = argc, .argv = argv, .next = 1 };

	opts_rows_of(o->cmd, &rows);
	p.defs = rows.defs;
	p.n = rows.n;
	if (apply_words(o, &p, OPTS_COMMAND_LINE, e) < 0)
		return -1;
	if (o->done)
		return 0;
	for (int i = p.next; i < argc; i++)
		strv_push(&o->argv, argv[i]);
	o->argc = argc - p.next;
	if (!o->argv)
		o->argv = strv_copy(NULL);
	if (apply_env(o, env, e) < 0 || check_operands(o, e) < 0)
		return -1;
	/* A script may still say more. */
	return o->cmd == OPTS_SBATCH && !o->wrap ? 0 : opts_finish(o, e);
}

int opts_parse(enum opts_cmd cmd, int argc, char *const *argv, char *const *env, struct opts *out, struct err *e)
{
	struct opts o;

	init(&o, cmd);
	if (parse(&o, argc, argv, env, e) < 0) {
		opts_free(&o);
		init(out, cmd);
		return -1;
	}
	*out = o;
	return 0;
}

void opts_help(enum opts_cmd cmd, bool all, FILE *out)
{
	static const char *const operands[] = {
		[OPTS_SRUN] = "COMMAND [ARGUMENT]...",
		[OPTS_SBATCH] = "[SCRIPT [ARGUMENT]...]",
		[OPTS_SALLOC] = "[COMMAND [ARGUMENT]...]",
	};
	struct opts_rows rows;

	fprintf(out, "Usage: %s [OPTION]... %s\n", name_of(cmd), operands[cmd]);
	if (!all)
		return;
	opts_rows_of(cmd, &rows);
	fprintf(out, "\nOptions:\n");
	optparse_help(out, rows.defs, rows.n, OPT_SUPPORTED);
	fprintf(out, "\nAccepted and recorded, without effect on one machine:\n");
	optparse_help(out, rows.defs, rows.n, OPT_RECORDED);
	fprintf(out, "\nRefused, because the result would not be a cluster's:\n");
	optparse_help(out, rows.defs, rows.n, OPT_REFUSED);
}

void opts_dump(FILE *out)
{
	static const enum opts_cmd cmds[] = { OPTS_SRUN, OPTS_SBATCH, OPTS_SALLOC };

	for (size_t c = 0; c < sizeof(cmds) / sizeof(cmds[0]); c++) {
		for (size_t i = 0; i < opts_table_len; i++) {
			cleanup(strv) char **names = NULL;
			cleanup(strbuf) struct strbuf env = STRBUF_INIT;

			if (!(opts_table[i].cmds & cmds[c]))
				continue;
			names = opts_table[i].env ? variables_of(cmds[c], &opts_table[i]) : NULL;
			for (char **n = names; n && *n; n++)
				strbuf_addf(&env, n == names ? "%s" : " %s", *n);
			optparse_dump(out, name_of(cmds[c]), &opts_table[i].def, env.data ? env.data : "");
		}
	}
}
