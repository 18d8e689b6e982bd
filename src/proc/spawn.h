/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_PROC_SPAWN_H
#define BERTH_PROC_SPAWN_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "proc/exit.h"

/* The one place in the tree that makes processes. */

enum { SPAWN_MAX_FDS = 16 };

struct spawn {
	const char *path;  /* absolute, or relative to cwd with a slash in it; never looked up in PATH */
	char *const *argv; /* argv[0] included */
	char *const *envp; /* the child's whole environment */
	const char *cwd;   /* NULL: ours */
	int stdio[3];	   /* descriptors to become 0, 1, 2; -1: ours as it is */
	const struct spawn_fd {
		int from, to; /* `from` becomes `to` (> 2) in the child; everything else that is > 2 is closed */
	} * fds;
	size_t n_fds;	       /* at most SPAWN_MAX_FDS */
	bool new_session;      /* setsid */
	bool controlling_tty;  /* with new_session: descriptor 0 becomes the controlling terminal */
	int parent_death;      /* signal for the child when this thread's process dies; 0: none */
	const cpu_set_t *cpus; /* NULL: ours */
	int nice;	       /* added to ours */
	char *pid_text;	       /* NULL, or room for 12 bytes inside envp: the child's own pid is put there */
};

#define SPAWN_INIT ((struct spawn){ .stdio = { -1, -1, -1 } })

struct child {
	pid_t pid; /* 0: none */
	int pidfd; /* readable once it has ended; -1: none */
};

#define CHILD_INIT ((struct child){ .pidfd = -1 })

/*
 * Starts a child with an empty signal mask and all signals at their defaults. Returns once it runs the program, or -1:
 * the error then names the step that failed in the child (its errno is err.code: ENOENT and EACCES are the program's
 * own when the text begins with "execute"). On success the caller reaps it (child_wait) and closes pidfd (child_close).
 */
int spawn_start(const struct spawn *s, struct child *out, struct err *e);

/* Blocks until the child has ended, reaps it, closes pidfd. */
int child_wait(struct child *c, struct exit_status *out, struct err *e);
/* Sends SIG; a child that has ended already is no error. */
int child_signal(const struct child *c, int sig, struct err *e);
void child_close(struct child *c);

/* spawn_start and child_wait in one, for short helpers. */
int spawn_run(const struct spawn *s, struct exit_status *out, struct err *e);

/*
 * Runs a short helper with stdin from /dev/null and gives its stdout (and stderr, where ERRTEXT is not NULL) as
 * NUL-terminated text of at most MAX bytes each; the caller frees both. It is killed when it takes longer than
 * TIMEOUT_MS (0: no limit) or says more than MAX.
 */
int spawn_capture(const struct spawn *s, size_t max, int timeout_ms, char **outtext, char **errtext,
		  struct exit_status *status, struct err *e);

/*
 * The absolute path of program NAME in PATH (a search path such as the variable's value), or NAME made absolute where
 * it holds a slash. NULL where there is no such executable file; the caller frees it.
 */
char *spawn_find(const char *name, const char *path);

#endif
