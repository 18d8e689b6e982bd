/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_SPEC_H
#define BERTH_ENGINE_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"

/*
 * The small languages inside of option values, as sbatch(1) describes them. Each parser is bounded and takes the whole
 * text or nothing: -1 with an error that names the text, and *out untouched.
 */

enum {
	SPEC_MAX_ARRAY_ID = 4000000, /* the greatest index that may be named */
	SPEC_MAX_ARRAY_TASKS = 10001,
	SPEC_MAX_DEPENDENCIES = 1024,
};

/* A time limit: no end. */
#define SPEC_UNLIMITED UINT32_MAX

/*
 * A duration: MIN, MIN:SEC, HOUR:MIN:SEC, DAY-HOUR, DAY-HOUR:MIN, DAY-HOUR:MIN:SEC, or UNLIMITED (INFINITE, and 0,
 * which Slurm reads so too). *out is in seconds.
 */
int spec_duration(const char *s, uint32_t *out, struct err *e);
/* "1-02:03:04", "2:03:04" or "3:04" as squeue prints it, "UNLIMITED". */
const char *spec_duration_text(uint32_t seconds, char buf[32]);

/*
 * A moment: now, today, midnight, noon, teatime, fika, tomorrow, HH:MM[:SS] [AM|PM], MMDD[YY], MM/DD[/YY], MM.DD[.YY],
 * YYYY-MM-DD[THH:MM[:SS]], now[{+|-}COUNT[seconds|minutes|hours|days|weeks]], uts=SECONDS. NOW is what "now" means. A
 * time of day alone is the next one, a date without a year the next such day; with PAST today's and this year's.
 */
int spec_moment(const char *s, time_t now, bool past, time_t *out, struct err *e);

/* SIZE[K|M|G|T], megabytes without a suffix; *out is in megabytes, rounded up. */
int spec_memory(const char *s, uint64_t *out, struct err *e);

/* NUMBER[K|M], as in -n 4k (1024s). */
int spec_count(const char *s, uint32_t min, uint32_t max, uint32_t *out, struct err *e);

/* [{R|B}:]SIG[@SECONDS], SECONDS 60 where it is missing. */
struct spec_signal {
	int sig; /* 0: none was asked for */
	uint32_t seconds;
	bool batch_only; /* B: the batch shell alone; else the steps alone */
};
int spec_signal(const char *s, struct spec_signal *out, struct err *e);

/* An array: "0-15:4,20%2". Ids are in order and without doubles. */
struct spec_array {
	uint32_t *ids;
	size_t n;
	uint32_t limit; /* how many may run at once; 0: no limit */
};
int spec_array(const char *s, struct spec_array *out, struct err *e);
void spec_array_free(struct spec_array *a);
/* "[1-3,7-9:2%2]" without the brackets. The caller frees it. */
char *spec_array_text(const struct spec_array *a);

enum spec_depend_type {
	DEPEND_AFTER,	   /* it has started or was cancelled; `minutes` later */
	DEPEND_AFTERANY,   /* it has ended */
	DEPEND_AFTEROK,	   /* it has ended with status 0 */
	DEPEND_AFTERNOTOK, /* it has ended otherwise */
	DEPEND_AFTERCORR,  /* the same element of that array has ended with status 0 */
	DEPEND_SINGLETON,  /* no earlier job of this name and user is unfinished; job is 0 */
};

struct spec_depend {
	struct spec_depend_item {
		enum spec_depend_type type;
		uint32_t job;
		int64_t element;  /* of the array JOB: JOB_ELEMENT; -1: the whole job */
		uint32_t minutes; /* of DEPEND_AFTER */
	} * items;
	size_t n;
	bool any; /* '?': one of them is enough; ',': all of them */
};
/* after:1,afterok:2:3_4?singleton and so on; '+MINUTES' with after. */
int spec_depend(const char *s, struct spec_depend *out, struct err *e);
void spec_depend_free(struct spec_depend *d);
const char *spec_depend_name(enum spec_depend_type type);

/* A job or a part of it: 12, 12_3 (element 3 of an array), 12_[1-3,5], 12.0, 12.batch, 12_3.extern. */
enum {
	SPEC_STEP_NONE = -1,
	SPEC_STEP_BATCH = -2,
	SPEC_STEP_EXTERN = -3,
	SPEC_STEP_INTERACTIVE = -4,
};
struct spec_jobid {
	uint32_t job;
	bool has_array;
	struct spec_array array; /* the elements that were named, where has_array */
	int64_t step;		 /* the step's number or SPEC_STEP_* */
};
int spec_jobid(const char *s, struct spec_jobid *out, struct err *e);
void spec_jobid_free(struct spec_jobid *j);

/* --export=[ALL,]NAME[=VALUE],... | NONE | NIL. */
struct spec_export {
	enum {
		EXPORT_ALL,  /* the whole environment */
		EXPORT_NONE, /* SLURM_* and what is listed; sbatch adds a login's variables */
		EXPORT_NIL,  /* the same without a login's variables */
		EXPORT_LIST, /* SLURM_* and what is listed, from the caller's environment */
	} mode;
	char **vars; /* strv: NAME or NAME=VALUE, put on top */
};
int spec_export(const char *s, struct spec_export *out, struct err *e);
void spec_export_free(struct spec_export *x);
/* The environment that results from ENV (strv, the caller frees it). */
char **spec_export_apply(const struct spec_export *x, char *const *env);

#endif
