/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_LOCAL_CPUS_H
#define BERTH_ENGINE_LOCAL_CPUS_H

#include <sched.h>
#include <stdint.h>

#include "base/err.h"

/* Sets of CPUs as text, "0-3,6", the form of /sys and taskset. */
int cpus_parse(const char *text, cpu_set_t *out, struct err *e);
char *cpus_format(const cpu_set_t *set); /* the caller frees it */

/* Moves the N lowest CPUs of FROM to OUT; -1 where there are fewer. FROM is then untouched. */
int cpus_take(cpu_set_t *from, uint32_t n, cpu_set_t *out);

/* The part of SET that share INDEX of COUNT equal, contiguous shares gets; never empty where SET is not. */
void cpus_share(const cpu_set_t *set, uint32_t index, uint32_t count, cpu_set_t *out);

/* What this process could bind to, whatever it is bound to at present. */
void cpus_widest(cpu_set_t *out);
/* What it is bound to (taskset(1)); but inside a job, whose tasks are bound by us, the widest. */
void cpus_usable(cpu_set_t *out);

/* What jobs may use: $BERTH_CPUS (a list), else the usable ones; and memory in bytes. */
struct machine {
	cpu_set_t cpus;
	uint64_t mem;
};
int machine_read(struct machine *out, struct err *e);

#endif
