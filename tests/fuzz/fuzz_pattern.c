/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"
#include "fuzz.h"
#include "oci/pattern.h"

/*
 * Each value has a plain token and a hostile text, of the same number. What a pattern makes of the texts must be what
 * it makes of the tokens with each token replaced: no value is split, joined with another, parsed or lost, and none
 * gets into a shell's program.
 */
static const struct {
	const char *token, *text;
} pairs[] = {
	{ "\001b\002", "/b $(x) 'y' \"z\" `w`;\n%b" },
	{ "\001e\002", "" },
	{ "\001m\002", " " },
	{ "\001n\002", "-n\\" },
	{ "\001r\002", "*?[a]~{}" },
	{ "\001u\002", "'\"'" },
	{ "\001Z\002", "${IFS}$@&|<>()#!" },
	{ "\001x\002", "%@%b \t" },
	{ "\001y\002", "" },
};

static struct pattern_values make(char *const *argv, bool tokens)
{
#define PICK(i) (tokens ? pairs[i].token : pairs[i].text)
	return (struct pattern_values){ .argv = argv,
					.bundle = PICK(0),
					.env_file = PICK(1),
					.job = 12345,
					.step = 0,
					.task = 4294967295U,
					.spool = PICK(2),
					.node = PICK(3),
					.pid = 1,
					.rootfs = PICK(4),
					.user = PICK(5),
					.uid = 1000,
					.work_dir = PICK(6) };
}

static char *replace_tokens(const char *s)
{
	struct strbuf b = STRBUF_INIT;

	while (*s) {
		size_t i = 0;

		while (i < sizeof(pairs) / sizeof(*pairs) && !str_starts(s, pairs[i].token))
			i++;
		if (i < sizeof(pairs) / sizeof(*pairs)) {
			strbuf_adds(&b, pairs[i].text);
			s += strlen(pairs[i].token);
		} else {
			strbuf_addc(&b, *s++);
		}
	}
	return strbuf_take(&b);
}

static void check(const struct pattern *p)
{
	char *const plain_argv[] = { (char *)pairs[7].token, (char *)pairs[8].token, NULL };
	char *const hostile_argv[] = { (char *)pairs[7].text, (char *)pairs[8].text, NULL };
	const struct pattern_values plain = make(plain_argv, true), hostile = make(hostile_argv, false);
	cleanup(strv) char **a = pattern_argv(p, &plain);
	cleanup(strv) char **b = pattern_argv(p, &hostile);

	if (strv_len(a) != strv_len(b))
		abort();
	for (size_t i = 0; a[i]; i++) {
		bool program = pattern_needs_shell(p) && i == 2;
		cleanup(free) char *want = program ? xstrdup(a[i]) : replace_tokens(a[i]);

		if (strcmp(want, b[i]) != 0)
			abort();
	}
	if (pattern_needs_shell(p) && (strcmp(a[0], "/bin/sh") != 0 || strcmp(a[1], "-c") != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(free) char *text = xstrndup((const char *)data, size);
	enum pattern_kind kind = (enum pattern_kind)(size % 3);
	struct pattern *p = NULL;
	struct err e = ERR_INIT;
	size_t offset;

	if (strpbrk(text, "\001\002"))
		return 0;
	if (pattern_compile(text, kind, &p, &offset, &e) < 0) {
		if (offset > strlen(text) || !*e.msg)
			abort();
		return 0;
	}
	if (kind == PATTERN_PATH) {
		const struct pattern_values v = make(NULL, false);
		char *path = pattern_path(p, &v);

		if (*text == '/' && *path != '/')
			abort();
		free(path);
	} else {
		check(p);
	}
	pattern_free(p);
	return 0;
}
