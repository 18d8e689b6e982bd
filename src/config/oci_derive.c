/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "config/oci_keys.h"

/* Runtimes that share runc's command line: RUNTIME [GLOBAL OPTIONS] VERB [OPTIONS] ID. */
static const char *const runtimes[] = { "crun", "runc", "youki", "nvidia-container-runtime" };

/*
 * What comes before VERB in a plain pattern, and its last word, the container's id. False where the pattern is not of
 * a known runtime or not that plain.
 */
static bool take_apart(const struct pattern *p, const char *verb, char **before, char **id)
{
	cleanup(strv) char **v = NULL;
	cleanup(strbuf) struct strbuf b = STRBUF_INIT;
	size_t n = 0, at = 0;
	bool known = false;

	if (!p || pattern_needs_shell(p) || !pattern_program(p) || strpbrk(pattern_text(p), "'\"\\\t\n"))
		return false;
	for (size_t i = 0; i < sizeof(runtimes) / sizeof(*runtimes); i++)
		known = known || strcmp(path_base(pattern_program(p)), runtimes[i]) == 0;
	v = str_split(pattern_text(p), " ");
	for (; v[n]; n++)
		if (at == 0 && strcmp(v[n], verb) == 0)
			at = n;
	if (!known || at == 0 || at + 1 >= n || !*v[n - 1] || *v[n - 1] == '-')
		return false;
	for (size_t i = 0; i < at; i++)
		strbuf_addf(&b, "%s ", v[i]);
	*before = strbuf_take(&b);
	*id = xstrdup(v[n - 1]);
	return true;
}

static void derive(struct oci_conf *c, enum oci_op op, const char *before, const char *id)
{
	static const char *const formats[OCI_OP_COUNT] = {
		[OCI_OP_EXEC] = "%sexec %s %%@",
		[OCI_OP_PAUSE] = "%spause %s",
		[OCI_OP_RESUME] = "%sresume %s",
	};
	cleanup(free) char *text = NULL;
	size_t offset;
	struct err e;

	if (c->op[op])
		return;
	text = xasprintf(formats[op], before, id);
	/* The parts were accepted once, so that nothing is left to go wrong. */
	if (pattern_compile(text, PATTERN_COMMAND, &c->op[op], &offset, &e) == 0)
		c->derived[op] = true;
}

void oci_conf_derive(struct oci_conf *c)
{
	cleanup(free) char *before = NULL;
	cleanup(free) char *id = NULL;

	if (!take_apart(c->op[OCI_OP_QUERY], "state", &before, &id) &&
	    !take_apart(c->op[OCI_OP_DELETE], "delete", &before, &id))
		return;
	for (enum oci_op op = OCI_OP_EXEC; op <= OCI_OP_RESUME; op++)
		derive(c, op, before, id);
}
