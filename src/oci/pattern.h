/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_OCI_PATTERN_H
#define BERTH_OCI_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * A pattern of oci.conf, checked once when the file is loaded and turned into an argument vector or a path for each
 * task. Values are data: none is ever parsed by a shell. A command that needs no shell is a vector of its own words;
 * one that does becomes `/bin/sh -c PROGRAM sh VALUE...` with every value a positional parameter of PROGRAM.
 */
struct pattern;

enum pattern_kind {
	PATTERN_COMMAND,	  /* Create, Start, Query, Run, Exec, Pause, Resume */
	PATTERN_COMMAND_WITH_PID, /* Kill, Delete: %p is known */
	PATTERN_PATH,		  /* ContainerPath, MountSpoolDir: one word, no %@ and no %p */
};

/* What the replacements become. Strings are borrowed; NULL stands for the empty string. */
struct pattern_values {
	char *const *argv;	  /* %@ */
	const char *bundle;	  /* %b */
	const char *env_file;	  /* %e */
	uint32_t job, step, task; /* %j %s %t */
	const char *spool;	  /* %m */
	const char *node;	  /* %n */
	pid_t pid;		  /* %p */
	const char *rootfs;	  /* %r */
	const char *user;	  /* %u */
	uid_t uid;		  /* %U */
	const char *work_dir;	  /* %Z */
};

/*
 * 0 with *out for pattern_free, or -1 with an error that quotes the offending text and says what is accepted; *offset
 * is then its position in TEXT, in bytes.
 */
int pattern_compile(const char *text, enum pattern_kind kind, struct pattern **out, size_t *offset, struct err *e);
void pattern_free(struct pattern *p);

const char *pattern_text(const struct pattern *p);
/* True where it is run by /bin/sh. */
bool pattern_needs_shell(const struct pattern *p);
/* True where the replacement %C occurs. */
bool pattern_uses(const struct pattern *p, char c);
/* The name of the program that it runs, as written ("crun", "/usr/bin/runc"), or NULL where a shell decides. */
const char *pattern_program(const struct pattern *p);
/* True where a word of it is the program "sudo". */
bool pattern_uses_sudo(const struct pattern *p);

/* The argument vector, for strv_free. */
char **pattern_argv(const struct pattern *p, const struct pattern_values *v);
/* Of a PATTERN_PATH; the caller frees it. */
char *pattern_path(const struct pattern *p, const struct pattern_values *v);

#endif
