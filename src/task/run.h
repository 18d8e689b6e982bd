/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TASK_RUN_H
#define BERTH_TASK_RUN_H

#include <signal.h>
#include <termios.h>

#include "proc/loop.h"
#include "proc/pty.h"
#include "proc/spawn.h"
#include "task/task.h"

enum run_phase {
	RUN_CREATING, /* RunTimeCreate is at work */
	RUN_STARTING, /* RunTimeStart or RunTimeRun is; no process 1 of ours yet */
	RUN_RUNNING,  /* process 1 executed the command, or, without a proof, the runtime was started */
	RUN_ENDED,
};

enum { HELD_MAX = 64 };

/* A container while it runs: what run.c, connection.c, signals.c and console.c share. */
struct run {
	struct task *task;
	struct loop *loop;
	enum run_phase phase;
	bool create_start;	    /* Create and Start, else Run */
	struct child create, start; /* start: Run's process, too */
	int conn;		    /* berth-init; -1: none */
	pid_t init_pid;		    /* process 1; 0: not known */
	int init_pidfd;
	bool go_sent, executed;
	int exec_error; /* errno with which the command could not be executed; 0: none */
	bool parent_lost;
	bool has_status, has_runtime_status;
	struct exit_status status;	   /* the container's */
	struct exit_status runtime_status; /* of the runtime's process that failed, or Run's */
	int parent_fd;
	int terminal_fd;    /* of a task with a terminal, to see it hang up */
	uint64_t init_end;  /* with Run: when process 1 ended, in clock ticks */
	int64_t linger_ms;  /* until we look again what the runtime waits for */
	int held[HELD_MAX]; /* signals that wait for process 1 */
	size_t n_held;
	int64_t held_until;
	bool has_terminal;	 /* ours, which Run puts into raw mode */
	struct termios terminal; /* as it was before */
	struct console *console; /* the terminal of Create and Start; NULL: none */
};

/* connection.c: berth-init's socket. */
int connection_listen(struct run *r, struct err *e);
/* Handles what has arrived already, without waiting. */
void connection_drain(struct run *r);

/* run.c: process 1 is known by its pid from now on. */
int run_adopt_init(struct run *r, pid_t pid, struct err *e);
void run_set_phase(struct run *r, enum run_phase next);

/* signals.c: what is sent to us goes to process 1. */
void signals_set(sigset_t *set);
void signals_forward(struct run *r, int sig, pid_t sender);
void signals_release_held(struct run *r);

/* console.c: the runtime hands over the container's terminal, which is joined with ours. */
int console_new(struct run *r, char ***create_argv, struct err *e);
void console_free(struct run *r);
void console_resize(struct run *r);

#endif
