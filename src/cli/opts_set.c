/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/opts_table.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"

/* One setter an option or kind of value. The caller names the option in front of the error. */

static void *field(struct opts *o, const struct opt_row *row)
{
	return (char *)o + row->offset;
}

static void replace(char **s, const char *value)
{
	free(*s);
	*s = xstrdup(value);
}

int opt_set_string(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	if (!*value)
		return err_set(e, "the value is empty");
	replace(field(o, row), value);
	return 0;
}

int opt_set_flag(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	*(bool *)field(o, row) = true;
	return 0;
}

int opt_set_more(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	++*(int *)field(o, row);
	return 0;
}

int opt_set_count(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	return spec_count(value, 1, 1 << 20, field(o, row), e);
}

int opt_set_mem(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	return spec_memory(value, field(o, row), e);
}

int opt_set_duration(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	return spec_duration(value, field(o, row), e);
}

/* No value means yes. */
int opt_set_yes_no(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	int *out = field(o, row);

	if (!value || strcmp(value, "1") == 0 || strcasecmp(value, "yes") == 0)
		*out = 1;
	else if (strcmp(value, "0") == 0 || strcasecmp(value, "no") == 0)
		*out = 0;
	else
		return err_set(e, "'%.64s' is neither yes (1) nor no (0)", value);
	return 0;
}

int opt_set_array(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	struct spec_array a;

	if (spec_array(value, &a, e) < 0)
		return -1;
	spec_array_free(&o->array);
	o->array = a;
	replace(&o->array_text, value);
	return 0;
}

int opt_set_dependency(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	struct spec_depend d;

	if (spec_depend(value, &d, e) < 0)
		return -1;
	spec_depend_free(&o->depend);
	o->depend = d;
	replace(&o->depend_text, value);
	return 0;
}

int opt_set_export(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	struct spec_export x;

	if (spec_export(value, &x, e) < 0)
		return -1;
	spec_export_free(&o->export);
	o->export = x;
	replace(&o->export_text, value);
	return 0;
}

int opt_set_begin(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	return spec_moment(value, time(NULL), false, &o->begin, e);
}

int opt_set_bell(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	o->bell = strcmp(row->def.name, "bell") == 0;
	return 0;
}

int opt_set_requeue(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	o->requeue = strcmp(row->def.name, "requeue") == 0;
	return 0;
}

int opt_set_chdir(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	if (strlen(value) >= PATH_MAX)
		return err_set(e, "'%.64s...' is longer than a path can be", value);
	return opt_set_string(o, row, value, e);
}

int opt_set_container(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	if (!*value)
		return err_set(e, "no bundle is named");
	if (strlen(value) >= PATH_MAX)
		return err_set(e, "'%.64s...' is longer than a path can be", value);
	replace(&o->container, value);
	return 0;
}

static bool one_of(const char *word, const char *list)
{
	cleanup(strv) char **words = str_split(list, "|");

	return strv_has(words, word);
}

int opt_set_cpu_bind(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	cleanup(strv) char **words = str_split(value, ",");
	bool bind = true;

	for (char **w = words; *w; w++) {
		if (one_of(*w, "none|no"))
			bind = false;
		else if (!one_of(*w, "q|quiet|v|verbose|rank|cores|threads|sockets|ldoms|boards"))
			return err_set(e,
				       "'%.64s': CPUs cannot be chosen one by one here; none, cores, threads and "
				       "sockets are understood",
				       value);
	}
	o->bind = bind;
	return 0;
}

int opt_set_exclusive(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	bool whole = !value || one_of(value, "1|yes|exclusive");

	/* With user, mcs and topo other jobs of the same user may run beside this one: here every job is. */
	if (!whole && !one_of(value, "user|mcs|topo|oversubscribe"))
		return err_set(e, "'%.64s' is not one of user, mcs, topo", value);
	o->exclusive = whole;
	return 0;
}

int opt_set_immediate(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	uint32_t seconds = 1;

	if (value && parse_u32(value, 1, 86400, &seconds, e) < 0)
		return -1;
	o->immediate = (int)seconds;
	return 0;
}

int opt_set_jobid(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	return parse_u32(value, 1, UINT32_MAX - 16, &o->jobid, e);
}

int opt_set_kill_command(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	if (!value || strcmp(value, "1") == 0) {
		o->kill_command = SIGTERM;
		return 0;
	}
	return parse_signal(value, &o->kill_command, e);
}

int opt_set_mpi(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	if (strcmp(value, "list") == 0) {
		puts("MPI plugin types are...\n\tnone");
		o->done = true;
		return 0;
	}
	if (strcmp(value, "none") != 0)
		return err_set(e, "'%.64s': no process manager for MPI is offered here, only none", value);
	return 0;
}

static bool is_this_node(const char *name)
{
	char host[HOST_NAME_MAX + 1] = "";

	if (gethostname(host, sizeof(host) - 1) < 0)
		return false;
	if (strcmp(name, "localhost") == 0 || strcmp(name, host) == 0)
		return true;
	host[strcspn(host, ".")] = '\0';
	return strcmp(name, host) == 0;
}

int opt_set_nodelist(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	cleanup(strv) char **names = str_split(value, ",");

	for (char **n = names; *n; n++) {
		if (!is_this_node(*n))
			return err_set(e, "'%.64s' is not this machine, and there is no other", *n);
	}
	return 0;
}

int opt_set_exclude(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	cleanup(strv) char **names = str_split(value, ",");

	for (char **n = names; *n; n++) {
		if (is_this_node(*n))
			return err_set(e, "'%.64s' is this machine, and there is no other", *n);
	}
	return 0;
}

/* MIN, MIN-MAX, or a list of such: the least of them must be one. */
int opt_set_nodes(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	cleanup(strv) char **parts = str_split(value, ",");
	bool one = false;

	for (char **p = parts; *p; p++) {
		char *max = strchr(*p, '-');
		uint32_t n, m;

		if (max)
			*max++ = '\0';
		if (spec_count(*p, 0, UINT32_MAX, &n, e) < 0 || (max && spec_count(max, n, UINT32_MAX, &m, e) < 0))
			return -1;
		one = one || n <= 1;
	}
	if (!one)
		return err_set(e, "'%.64s': this machine is one node; ask for one, or take the job to a cluster",
			       value);
	return 0;
}

int opt_set_open_mode(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	if (one_of(value, "append|a"))
		o->open_mode = OPEN_MODE_APPEND;
	else if (one_of(value, "truncate|t"))
		o->open_mode = OPEN_MODE_TRUNCATE;
	else
		return err_set(e, "'%.64s' is neither append nor truncate", value);
	return 0;
}

int opt_set_pty(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	if (value && strcmp(value, "0") != 0)
		return err_set(e, "'%.64s': the terminal can only be that of stdin", value);
	o->pty = true;
	return 0;
}

int opt_set_signal(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	return spec_signal(value, &o->warn, e);
}

int opt_set_wait(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	return parse_u32(value, 0, INT32_MAX, &o->wait, e);
}

/* /etc/passwd and /etc/group are read as files: a static program has no name services. */
static bool passwd_has(const char *name, uid_t uid)
{
	cleanup(fclose) FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *p = NULL;

	while (f && (p = fgetpwent(f)) != NULL) {
		if (p->pw_uid == uid && strcmp(p->pw_name, name) == 0)
			return true;
	}
	return false;
}

static bool group_has(const char *name, gid_t gid)
{
	cleanup(fclose) FILE *f = fopen("/etc/group", "re");
	const struct group *g = NULL;

	while (f && (g = fgetgrent(f)) != NULL) {
		if (g->gr_gid == gid && strcmp(g->gr_name, name) == 0)
			return true;
	}
	return false;
}

int opt_set_uid(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	uint32_t uid;

	if (parse_u32(value, 0, UINT32_MAX, &uid, NULL) == 0 ? uid == getuid() : passwd_has(value, getuid()))
		return 0;
	return err_set(e, "'%.64s': jobs run as yourself (%u) and nobody else", value, getuid());
}

int opt_set_gid(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	uint32_t gid;

	if (parse_u32(value, 0, UINT32_MAX, &gid, NULL) == 0 ? gid == getgid() : group_has(value, getgid()))
		return 0;
	return err_set(e, "'%.64s': jobs run in your own group (%u)", value, getgid());
}

/* SECONDS[MODE]: S asks a login shell, as we do; L would read a cache that a site keeps. */
int opt_set_user_env(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	cleanup(free) char *digits = xstrndup(value ? value : "", value ? strspn(value, "0123456789") : 0);
	uint32_t seconds = 8;
	const char *mode = value ? value + strlen(digits) : "";

	if (*digits && parse_u32(digits, 1, 3600, &seconds, e) < 0)
		return -1;
	if (*mode && strcasecmp(mode, "S") != 0)
		return err_set(e, "'%.64s': expected a number of seconds; no other mode than S is known", value);
	o->get_user_env = (int)seconds;
	return 0;
}

int opt_set_info(struct opts *o, const struct opt_row *row, const char *value, struct err *e)
{
	if (row->id == OPT_VERSION)
		printf("berth %s\n", BERTH_VERSION);
	else
		opts_help(o->cmd, row->id == OPT_HELP, stdout);
	o->done = true;
	return 0;
}
