/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_INIT_PROTOCOL_H
#define BERTH_INIT_PROTOCOL_H

#include <stdint.h>

/*
 * Between berth-task, outside, and berth-init, the first program that the container's process 1 executes; see
 * berth-task(8), THE PROOF. A SOCK_SEQPACKET socket lies beside berth-init's file inside the container:
 *
 *   init -> task   hello   (the kernel adds the peer's pid, as berth-task's pid namespace has it)
 *   task -> init   go
 *   init           executes the command; the socket closes with that: the proof that process 1 executed
 *   init -> task   failed  when it could not, and ends with 126 or 127
 */
enum init_message_kind {
	INIT_HELLO = 0x62310001,
	INIT_GO = 0x62310002,
	INIT_FAILED = 0x62310003,
};

struct init_message {
	uint32_t kind;
	int32_t error; /* of INIT_FAILED: errno of execve */
};

/* Names in the folder that holds them inside the container. */
#define INIT_PROGRAM "init"
#define INIT_SOCKET "socket"

/* Exit statuses of our own; see berth-task(8), EXIT STATUS. */
enum {
	EXIT_NO_CONTAINER = 125,
	EXIT_CANNOT_EXECUTE = 126,
	EXIT_NOT_FOUND = 127,
};

#endif
