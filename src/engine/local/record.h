/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_LOCAL_RECORD_H
#define BERTH_ENGINE_LOCAL_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/job.h"
#include "engine/local/state.h"

/*
 * The files of a job: text, one "key=value" a line, '\', newline and other control bytes written as \ooo. Keys that are
 * missing have their defaults; keys that are unknown (a newer berth's) are ignored. The first line is
 * "berth-job=1" or "berth-step=1", the second "turn=N", the last "whole=N" with the same number: a file without that is
 * damaged, or just being written.
 */
int job_parse(const char *text, size_t len, struct job *out, struct err *e);
char *job_format(const struct job *j, size_t *len);
/* For writing over an earlier text of AT_LEAST bytes. */
char *job_format_over(const struct job *j, size_t at_least, size_t *len);
int step_parse(const char *text, size_t len, struct step *out, struct err *e);
char *step_format(const struct step *s, size_t *len);

/* err.code ENOENT: there is none. */
int job_load(struct state *st, uint32_t id, struct job *out, struct err *e);
/* True where job_load will never read it: removed by hand, or a power cut left it empty or in pieces. */
bool job_is_lost(const struct err *why);
/* The first record of a job or step: cheaper than replacing one. */
int job_create(struct state *st, const struct job *j, struct err *e);
int step_create(struct state *st, const struct step *s, struct err *e);
/* Replaces the record in one step. DURABLE: it has reached the disk. */
int job_save(struct state *st, const struct job *j, bool durable, struct err *e);
/*
 * Writes the last record of a job whose record was written once, over that one: cheaper than replacing it, atomic for
 * readers and against being killed, but not for a power cut.
 */
int job_rewrite(struct state *st, const struct job *j, struct err *e);
int step_load(struct state *st, uint32_t job, uint32_t id, struct step *out, struct err *e);
int step_save(struct state *st, const struct step *s, bool durable, struct err *e);

struct job_list {
	struct job *jobs; /* by id, ascending */
	size_t n;
};

/*
 * All jobs that have not ended, or (ALL) those too that have. Records that vanish or are damaged meanwhile are left out
 * (a damaged one with a warning). No lock is needed: each record is replaced whole.
 */
int job_list_load(struct state *st, bool all, struct job_list *out, struct err *e);
void job_list_free(struct job_list *l);

struct step_list {
	struct step *steps; /* batch or interactive first, then by number */
	size_t n;
};

/* The steps that processes other than the job's owner run or ran: those with a file hold.N. *ids for free(). */
int step_list_held(struct state *st, uint32_t job, uint32_t **ids, size_t *n, struct err *e);

int step_list_load(struct state *st, uint32_t job, struct step_list *out, struct err *e);
void step_list_free(struct step_list *l);

#endif
