/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_LOCAL_WATCHER_H
#define BERTH_ENGINE_LOCAL_WATCHER_H

#include "engine/local/state.h"

/*
 * While jobs wait, one process of the user watches over those that run: where an owner is killed it recovers the job
 * and lets the next one start; and it looks again when a --begin time has come. It ends when nothing waits.
 */

/* Starts the watcher where none runs. Failure is logged only: the next command looks after the queue as well. */
void watcher_start(struct state *st);

/* The hidden verb: the process itself. Returns its exit status. */
int watcher_main(int argc, char **argv);

#define WATCHER_VERB "--watcher"

#endif
