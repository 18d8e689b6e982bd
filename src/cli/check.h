/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CLI_CHECK_H
#define BERTH_CLI_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <json-c/json_object.h>

#include "base/err.h"
#include "config/oci_conf.h"
#include "proc/user.h"

/* What `berth check` is made of: each check looks at one link of the chain and adds findings. */

enum finding_level {
	FINDING_OK,
	FINDING_WARN, /* something that somebody may miss; containers run all the same */
	FINDING_FAIL, /* containers do not run */
};

struct finding {
	enum finding_level level;
	char *name, *detail;
	char *hint; /* the next step to take, one sentence; NULL: none */
	double ms;  /* how long what was tried took; negative: nothing was */
};

struct check_run {
	const char *config_file; /* --config; NULL: searched for */
	bool json;
	struct user user;
	struct oci_conf *conf; /* NULL: none could be loaded */
	char *spool;	       /* the spool folder; NULL: it is of no use */
	char *unusable;	       /* why containers cannot work at all, which spares trying; NULL: they may */
	struct finding *findings;
	size_t n, printed;
};

/* The finding is for hints and times until the next one is added. */
struct finding *finding_add(struct check_run *run, enum finding_level level, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void finding_hint(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool findings_fail(const struct check_run *run);
/* Prints what was added since the last call, unless JSON is wanted. */
void findings_print(struct check_run *run, FILE *out);
struct json_object *findings_json(const struct check_run *run);
void findings_free(struct check_run *run);

/* The checks, in this order. */
void host_user(struct check_run *run);
void host_kernel(struct check_run *run);
void host_namespaces(struct check_run *run);
void host_security(struct check_run *run);
void host_limits(struct check_run *run);
void host_subids(struct check_run *run);
void host_cgroups(struct check_run *run);
void host_login(struct check_run *run);
void host_folders(struct check_run *run);
void host_config(struct check_run *run);
void host_programs(struct check_run *run);
void host_containers(struct check_run *run);

/* The configuration, key by key, and its commands for an example task. */
void check_print_config(const struct check_run *run, FILE *out);
struct json_object *check_config_json(const struct check_run *run);

/*
 * `berth check --probe-namespaces`, which host_namespaces runs: makes the namespaces that a container needs and says
 * on stdout which step failed. The exit status is 0 where none did.
 */
int check_probe_namespaces(void);

/* check_parse.c: without looking at the host. */

enum cgroup_kind { CGROUP_NONE, CGROUP_V1, CGROUP_HYBRID, CGROUP_V2 };
/* From the statfs(2) types of /sys/fs/cgroup and /sys/fs/cgroup/unified; 0: not there. */
enum cgroup_kind cgroup_kind_of(long root, long unified);
/* How many subordinate ids the text of subuid(5) or subgid(5) gives to the user, by name or number. */
uint64_t subid_count(const char *text, const char *name, uint32_t uid);
/* The last value of KEY in the text of a systemd configuration file, as a yes or no; DEFAULT where it is not set. */
bool systemd_flag(const char *text, const char *key, bool deflt);
/* What to do about a runtime that said WORDS, or NULL. */
const char *runtime_advice(const char *words);
/* Of what berth-task and the runtime said on stderr: the last line that is the runtime's own, else berth-task's. */
char *runtime_words(const char *text);
/* The message of a line that runc logged; any other line as it is. */
char *runtime_message(const char *line);
/* VALUE as the quoted value of an oci.conf line. */
char *conf_quoted(const char *value);

#endif
