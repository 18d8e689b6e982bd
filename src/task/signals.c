/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"
#include "proc/procfs.h"
#include "task/run.h"

/* For how long after process 1 executed a signal is kept until the program has had the time to want it. */
#define HOLD_MS 1000
#define HOLD_STEP_MS 5

static const int forwarded[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,   SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH,
				 SIGCONT, SIGTSTP, SIGXCPU, SIGVTALRM, SIGPROF, SIGIO,	 SIGPWR,  SIGURG };

void signals_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	sigaddset(set, SIGPIPE);
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(*forwarded); i++)
		sigaddset(set, forwarded[i]);
	for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
		sigaddset(set, sig);
}

void task_block_signals(void)
{
	sigset_t set;

	signals_set(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void deliver(struct run *r, int sig)
{
	struct err e = ERR_INIT;
	char name[16];

	log_debug("signal %s to the container", signal_name(sig, name));
	if (r->init_pidfd >= 0) {
		if (syscall(SYS_pidfd_send_signal, r->init_pidfd, sig, NULL, 0) < 0 && errno != ESRCH)
			log_error("signal %s to process %d: %s", signal_name(sig, name), r->init_pid, strerror(errno));
	} else if (reap_signal_descendants(sig, &e) < 0) {
		log_error("signal %s: %s", signal_name(sig, name), e.msg);
	}
}

static void hold(struct run *r, int sig)
{
	/* As the kernel does it: an ordinary signal that is pending already is not pending twice. */
	for (size_t i = 0; sig < SIGRTMIN && i < r->n_held; i++)
		if (r->held[i] == sig)
			return;
	if (r->n_held == HELD_MAX) {
		log_error("more than %d signals wait for the container to start; one is dropped", HELD_MAX);
		return;
	}
	r->held[r->n_held++] = sig;
}

/*
 * A program that just executed has not installed its handlers yet: a signal then would end it, or, as process 1 of a
 * pid namespace, be discarded by the kernel. Such a signal waits until the program shows an interest, or for a second.
 */
static bool is_ready(const struct run *r, int sig)
{
	struct proc_signals s;
	uint64_t bit = 1ULL << (sig - 1);

	if (clock_ms() >= r->held_until || r->init_pid <= 0 || proc_signals(r->init_pid, &s) < 0)
		return true;
	return ((s.caught | s.ignored | s.blocked) & bit) != 0;
}

static void on_timer(void *arg)
{
	struct run *r = arg;
	size_t kept = 0;

	for (size_t i = 0; i < r->n_held; i++) {
		if (is_ready(r, r->held[i]))
			deliver(r, r->held[i]);
		else
			r->held[kept++] = r->held[i];
	}
	r->n_held = kept;
	if (kept)
		loop_after(r->loop, HOLD_STEP_MS, on_timer, r);
}

void signals_release_held(struct run *r)
{
	r->held_until = clock_ms() + HOLD_MS;
	if (r->n_held)
		on_timer(r);
}

void signals_forward(struct run *r, int sig, pid_t sender)
{
	if (sig == SIGPIPE)
		return;
	if (sig == SIGWINCH && r->task->request.pty) {
		/* The container's terminal tells those who sit at it. */
		console_resize(r);
		return;
	}
	/* Without a terminal of its own the command sits at ours, whose Ctrl-C reached it from the kernel. */
	if (!sender && r->task->request.pty && r->task->conf->ignore_file_config_json)
		return;
	if (r->phase == RUN_RUNNING && !r->n_held && clock_ms() >= r->held_until) {
		deliver(r, sig);
		return;
	}
	hold(r, sig);
	if (r->phase == RUN_RUNNING && r->n_held == 1)
		on_timer(r);
}
