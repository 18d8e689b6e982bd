/* SPDX-License-Identifier: Apache-2.0 */
#include "task/report.h"

#include <errno.h>
#include <string.h>

#include "base/env.h"
#include "base/log.h"
#include "base/num.h"
#include "init/protocol.h"

static struct exit_status of_code(int code)
{
	return (struct exit_status){ .code = code };
}

static struct exit_status command_failed(const struct run *r)
{
	const char *command = r->task->argv[0];

	if (r->exec_error == ENOENT || r->exec_error == ENOTDIR) {
		if (strchr(command, '/'))
			log_error("%s: no such program in the container, or its interpreter is missing there", command);
		else
			log_error("%s: command not found in the container's PATH", command);
		return of_code(EXIT_NOT_FOUND);
	}
	log_error("%s: the container cannot execute it: %s", command, strerror(r->exec_error));
	return of_code(EXIT_CANNOT_EXECUTE);
}

static struct exit_status not_set_up(const struct run *r)
{
	static const char next[] = "`berth bundle check` and `berth check` tell what is wrong";
	const char *bundle = r->task->request.bundle;
	char name[16];

	if (!r->has_runtime_status)
		log_error("the container of %s could not be set up; %s", bundle, next);
	else if (r->runtime_status.signal)
		log_error("the container of %s could not be set up: the runtime was ended by signal %s", bundle,
			  signal_name(r->runtime_status.signal, name));
	else
		log_error("the container of %s could not be set up: the runtime ended with status %d, and its words "
			  "stand above; %s",
			  bundle, r->runtime_status.code, next);
	return of_code(EXIT_NO_CONTAINER);
}

struct exit_status report_end(const struct run *r)
{
	bool proof_possible = !r->task->conf->ignore_file_config_json;

	if (r->parent_lost)
		return of_code(128 + SIGKILL);
	if (r->exec_error)
		return command_failed(r);
	if (proof_possible && !r->executed)
		return not_set_up(r);
	if (r->has_status)
		return r->status;
	if (r->has_runtime_status)
		return r->runtime_status;
	return not_set_up(r);
}
