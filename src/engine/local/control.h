/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_ENGINE_LOCAL_CONTROL_H
#define BERTH_ENGINE_LOCAL_CONTROL_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "engine/engine.h"
#include "proc/loop.h"

/*
 * The sockets through which owners are told things. They have abstract names, which cost no file and vanish with their
 * process; the name holds the job's mark, which only its user can read. A datagram each; the kernel says who sent it,
 * and only the same user and root are listened to.
 */
struct control_msg {
	uint32_t version; /* CONTROL_VERSION */
	enum control_verb {
		CONTROL_CANCEL,	 /* TERM, then KILL; the job or step counts as cancelled */
		CONTROL_SIGNAL,	 /* SIG to what TARGET says */
		CONTROL_TIMEOUT, /* as CANCEL, for the job's time limit */
		CONTROL_END,	 /* as CANCEL, because the job itself is over */
	} verb;
	enum signal_target target;
	int sig;
	uid_t from; /* filled in by the receiver */
};

#define CONTROL_VERSION 1

typedef void control_fn(void *arg, const struct control_msg *msg);

struct control;

/* Listens for what concerns step STEP of J, or the job itself (STEP_NONE). */
int control_listen(struct loop *l, const struct job *j, uint32_t step, control_fn *fn, void *arg, struct control **out,
		   struct err *e);
void control_close(struct control *c);

/* err.code ECONNREFUSED: nobody listens there. */
int control_send(const struct job *j, uint32_t step, const struct control_msg *msg, struct err *e);

#endif
