/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/runtime.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/json.h"

#define MAX_STATE (1 << 20)

char **runtime_argv(const struct oci_conf *c, enum oci_op op, const struct pattern_values *v)
{
	return c->op[op] ? pattern_argv(c->op[op], v) : NULL;
}

int runtime_add_console_socket(char ***argv, const char *socket, struct err *e)
{
	char **with = NULL;
	bool found = false;

	for (char **word = *argv; *word; word++) {
		strv_push(&with, *word);
		if (!found && word != *argv && strcmp(*word, "create") == 0) {
			strv_push_own(&with, xasprintf("--console-socket=%s", socket));
			found = true;
		}
	}
	if (!found) {
		strv_free(with);
		return err_set(
			e,
			"RunTimeCreate: no word `create` to give --console-socket to, so a terminal needs RunTimeRun");
	}
	strv_free(*argv);
	*argv = with;
	return 0;
}

int runtime_start(enum oci_op op, char *const *argv, char *const *env, bool new_session, struct child *out,
		  struct err *e)
{
	cleanup(free) char *path = argv[0] ? spawn_find(argv[0], RUNTIME_PATH) : NULL;
	struct spawn s = SPAWN_INIT;

	if (!path)
		return err_set(e, "RunTime%s: no program '%s' in %s; install it or give its path in oci.conf",
			       oci_op_name(op), argv[0] ? argv[0] : "", RUNTIME_PATH);
	s.path = path;
	s.argv = argv;
	s.envp = env;
	s.parent_death = SIGKILL;
	s.new_session = new_session;
	if (spawn_start(&s, out, e) < 0)
		return err_wrap(e, "RunTime%s", oci_op_name(op));
	return 0;
}

static enum runtime_status status_of(const char *name)
{
	static const char *const names[] = {
		[RUNTIME_CREATING] = "creating", [RUNTIME_CREATED] = "created", [RUNTIME_RUNNING] = "running",
		[RUNTIME_PAUSED] = "paused",	 [RUNTIME_STOPPED] = "stopped",
	};

	for (size_t i = RUNTIME_CREATING; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], name) == 0)
			return (enum runtime_status)i;
	return RUNTIME_UNKNOWN;
}

static struct runtime_state read_state(const char *text)
{
	cleanup(json) struct json_object *doc = NULL;
	struct runtime_state state = { .status = RUNTIME_UNKNOWN, .exit_code = -1 };
	const char *status = "";
	uint64_t pid = 0, code = UINT64_MAX;

	if (json_parse(text, strlen(text), &doc, NULL) < 0 || json_get_string(doc, "/status", &status, NULL) < 0 ||
	    json_get_u64(doc, "/pid", INT32_MAX, &pid, NULL) < 0)
		return state;
	state.status = status_of(status);
	state.pid = (pid_t)pid;
	/* Not of the specification; Singularity says it. */
	if (json_get_u64(doc, "/exitCode", 255, &code, NULL) == 0 && code != UINT64_MAX)
		state.exit_code = (int)code;
	return state;
}

struct runtime_state runtime_query(char *const *argv, char *const *env, int timeout_ms)
{
	cleanup(free) char *path = argv[0] ? spawn_find(argv[0], RUNTIME_PATH) : NULL;
	cleanup(free) char *out = NULL, *err = NULL;
	const struct runtime_state unknown = { .status = RUNTIME_UNKNOWN, .exit_code = -1 };
	struct spawn s = SPAWN_INIT;
	struct exit_status st;

	if (!path)
		return unknown;
	s.path = path;
	s.argv = argv;
	s.envp = env;
	if (spawn_capture(&s, MAX_STATE, timeout_ms, &out, &err, &st, NULL) < 0 || st.code != 0)
		return unknown;
	return read_state(out);
}
