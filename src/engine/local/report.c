/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/str.h"

void report_task(const struct engine_step *spec, const struct job *j, const struct step *s, uint32_t task)
{
	const struct step_task *t = &s->tasks[task];

	(void)spec;
	/* A batch script's end is told by its record. */
	if (s->id == STEP_BATCH || s->id == STEP_INTERACTIVE)
		return;
	if (t->exit_signal)
		log_error("%s: task %" PRIu32 ": %s", j->node, task, strsignal((int)t->exit_signal));
	else if (t->exit_code)
		log_error("%s: task %" PRIu32 ": Exited with exit code %" PRIu32, j->node, task, t->exit_code);
}

static void line(const char *text)
{
	ssize_t ignored = write(STDERR_FILENO, text, strlen(text));

	(void)ignored;
}

void report_launch(const struct job *j, const struct step *s, const struct err *why)
{
	struct strbuf b = STRBUF_INIT;

	(void)j;
	(void)s;
	strbuf_addf(&b, "slurmstepd: error: %s\n", why->msg);
	line(b.data);
	strbuf_free(&b);
}

void report_end(const struct engine_step *spec, const struct job *j, const struct step *s, enum end_why why)
{
	struct strbuf b = STRBUF_INIT;
	time_t now = time(NULL);
	char when[32];
	struct tm tm;

	(void)spec;
	if (why == END_BAD_EXIT || why == END_INTERRUPTED) {
		log_info("Terminating StepId=%" PRIu32 ".%" PRIu32, s->job, s->id);
		return;
	}
	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	strbuf_adds(&b, "slurmstepd: error: *** ");
	if (s->id == STEP_BATCH || s->id == STEP_INTERACTIVE)
		strbuf_addf(&b, "JOB %" PRIu32, s->job);
	else
		strbuf_addf(&b, "STEP %" PRIu32 ".%" PRIu32, s->job, s->id);
	strbuf_addf(&b, " ON %s CANCELLED AT %s%s ***\n", j->node, when,
		    why == END_TIMEOUT ? " DUE TO TIME LIMIT" : "");
	line(b.data);
	strbuf_free(&b);
}

void report_states(const struct step *s)
{
	struct strbuf running = STRBUF_INIT, ended = STRBUF_INIT;

	for (size_t i = 0; i < s->n_tasks; i++) {
		struct strbuf *b = s->tasks[i].ended ? &ended : &running;

		strbuf_addf(b, b->len ? ",%zu" : "%zu", i);
	}
	if (running.len)
		log_info("task%s %s: running", strchr(running.data, ',') ? "s" : "", running.data);
	if (ended.len)
		log_info("task%s %s: exited", strchr(ended.data, ',') ? "s" : "", ended.data);
	strbuf_free(&running);
	strbuf_free(&ended);
}
