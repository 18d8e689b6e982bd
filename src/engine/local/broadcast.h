/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_LOCAL_BROADCAST_H
#define BERTH_ENGINE_LOCAL_BROADCAST_H

#include <stdint.h>

#include "base/err.h"
#include "proc/loop.h"

/* One input read by several tasks: each gets all of it. The slowest sets the pace; one that stopped reading is left. */
struct broadcast;

/* READERS pipes will be opened; reading begins when the last one was. */
struct broadcast *broadcast_new(struct loop *l, int from, uint32_t readers);
/* *out is the end to read from; the caller's. */
int broadcast_open(struct broadcast *b, int *out, struct err *e);
void broadcast_free(struct broadcast *b);

#endif
