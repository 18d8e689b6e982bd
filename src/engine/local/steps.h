/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_LOCAL_STEPS_H
#define BERTH_ENGINE_LOCAL_STEPS_H

#include "engine/engine.h"
#include "engine/local/record.h"
#include "proc/loop.h"

/* A step's place in its job: number, CPUs, record, and the file that says that its owner lives. */

struct place {
	struct state *st;
	int dir;   /* the job's folder; borrowed */
	int hold;  /* hold.N: this process owns the step; -1 */
	bool own;  /* the job as well */
	bool srun; /* the job is an srun's */
	bool recorded;
	struct step step;
};

#define PLACE_INIT ((struct place){ .dir = -1, .hold = -1 })

/* Fills P->step from SPEC. OWN: the job is this process' own, so that the step needs no hold of its own. */
void place_init(struct place *p, struct state *st, int dir, const struct job *j, const struct engine_step *spec,
		bool own);

/*
 * Takes the CPUs and writes the record. -1 with err.code EAGAIN: other steps use them. PARENT: the running step that
 * this one is started from and shares CPUs with, or STEP_NONE.
 */
int place_take(struct place *p, const struct job *j, const struct engine_step *spec, uint32_t parent, struct err *e);

/* As place_take, but waits; says so once. GIVE_UP (may be NULL) ends the waiting when it becomes true. */
int place_wait(struct place *p, struct loop *l, const struct job *j, const struct engine_step *spec, uint32_t parent,
	       const bool *give_up, struct err *e);

/* Writes the record. */
int place_save(struct place *p, struct err *e);

/* The step has ended: its record says so. */
void place_end(struct place *p, enum job_state state);
void place_free(struct place *p);

#endif
