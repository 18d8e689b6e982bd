/* SPDX-License-Identifier: Apache-2.0 */
#include "task/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "init/protocol.h"
#include "oci/runtime.h"
#include "proc/procfs.h"
#include "task/report.h"
#include "task/undo.h"

/* A Create that is still at work after this long may be one that stays: Query is asked from then on. */
#define CREATE_QUIET_MS 250
#define QUERY_STEP_MS 100
/* So long after Start nobody has heard of process 1: Query is asked whether it still exists. */
#define SILENCE_MS 250
#define QUERY_TIMEOUT_MS 5000
/* How long the runtime may take to notice the end of process 1 before we see what keeps it. */
#define LINGER_MS 20
#define KILL_TIMEOUT_MS 10000
/* How long a container that lost its terminal has to end by itself. */
#define HANGUP_MS 1000
#define START_END_MS 2000

void run_set_phase(struct run *r, enum run_phase next)
{
	/* Forward only. */
	if (next > r->phase)
		r->phase = next;
	if (r->phase == RUN_ENDED)
		loop_stop(r->loop);
}

static void on_init_end(void *arg, int fd, uint32_t events);

int run_adopt_init(struct run *r, pid_t pid, struct err *e)
{
	r->init_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (r->init_pidfd < 0)
		return err_sys(e, errno, "pidfd_open of process %d", pid);
	if (task_folder_record_init(&r->task->folder, pid, e) < 0 ||
	    loop_add(r->loop, r->init_pidfd, EPOLLIN, on_init_end, r, e) < 0) {
		close(take_fd(&r->init_pidfd));
		return -1;
	}
	r->init_pid = pid;
	return 0;
}

static int start_operation(struct run *r, enum oci_op op, struct child *out, struct err *e)
{
	struct pattern_values v = task_values(r->task);
	cleanup(strv) char **argv = runtime_argv(r->task->conf, op, &v);

	if (op == OCI_OP_CREATE && r->task->request.pty && console_new(r, &argv, e) < 0)
		return -1;
	return runtime_start(op, argv, r->task->runtime_env, !r->task->request.pty, out, e);
}

static void on_container_exit(struct run *r, const struct exit_status *st)
{
	if (!r->has_status)
		r->status = *st;
	r->has_status = true;
	connection_drain(r);
	run_set_phase(r, RUN_ENDED);
}

/* Nothing of the container's is left to watch: it ended, or never was. */
static void on_runtime_failure(struct run *r, const struct exit_status *st)
{
	r->runtime_status = *st;
	r->has_runtime_status = true;
	connection_drain(r);
	run_set_phase(r, RUN_ENDED);
}

static void on_silence(void *arg);

static void start_container(struct run *r)
{
	struct err e = ERR_INIT;

	run_set_phase(r, RUN_STARTING);
	loop_after(r->loop, SILENCE_MS, on_silence, r);
	if (start_operation(r, OCI_OP_START, &r->start, &e) < 0) {
		log_error("%s", e.msg);
		run_set_phase(r, RUN_ENDED);
	}
}

/* A runtime that leaves no trace of process 1 to us is asked for it. */
static struct runtime_state query(struct run *r)
{
	struct pattern_values v = task_values(r->task);
	cleanup(strv) char **argv = runtime_argv(r->task->conf, OCI_OP_QUERY, &v);

	if (!argv)
		return (struct runtime_state){ .status = RUNTIME_UNKNOWN, .exit_code = -1 };
	return runtime_query(argv, r->task->runtime_env, QUERY_TIMEOUT_MS);
}

/* The container ended as no child of ours: only the runtime can know its status. */
static void on_foreign_exit(struct run *r, const struct runtime_state *state)
{
	struct exit_status st = { .code = state->exit_code };

	if (st.code < 0) {
		log_error("the container ended, and the runtime does not say with which status: RunTimeRun in place of "
			  "RunTimeCreate and RunTimeStart would pass it on");
		st.code = EXIT_NO_CONTAINER;
	}
	on_container_exit(r, &st);
}

static void on_create_slow(void *arg)
{
	struct run *r = arg;

	if (r->phase != RUN_CREATING)
		return;
	if (query(r).status == RUNTIME_CREATED)
		start_container(r);
	else
		loop_after(r->loop, QUERY_STEP_MS, on_create_slow, r);
}

static bool is_over(const struct runtime_state *state)
{
	return state->status == RUNTIME_STOPPED || state->status == RUNTIME_UNKNOWN;
}

/* Only for a runtime that gives no pid. */
static void on_poll(void *arg)
{
	struct run *r = arg;
	struct runtime_state state;

	if (r->phase == RUN_ENDED || r->init_pid)
		return;
	state = query(r);
	if (is_over(&state))
		on_foreign_exit(r, &state);
	else
		loop_after(r->loop, QUERY_STEP_MS, on_poll, r);
}

/*
 * Process 1 may have ended before it could say hello, and then nobody tells us; Start may wait for it for ever. While
 * Start is at work a Query without an answer proves nothing.
 */
static void on_silence(void *arg)
{
	struct run *r = arg;
	struct runtime_state state;

	if (r->phase != RUN_STARTING || r->init_pid)
		return;
	state = query(r);
	connection_drain(r);
	if (r->init_pid)
		return;
	if (state.status == RUNTIME_STOPPED || (is_over(&state) && !r->start.pid))
		run_set_phase(r, RUN_ENDED);
	else
		loop_after(r->loop, SILENCE_MS, on_silence, r);
}

static void on_started(struct run *r, const struct exit_status *st)
{
	struct runtime_state state;

	child_close(&r->start);
	if (st->code != 0) {
		on_runtime_failure(r, st);
		return;
	}
	if (!r->task->conf->ignore_file_config_json)
		return; /* berth-init says the rest */
	run_set_phase(r, RUN_RUNNING);
	state = query(r);
	if (is_over(&state))
		on_foreign_exit(r, &state);
	else if (!state.pid || run_adopt_init(r, state.pid, NULL) < 0)
		on_poll(r);
	signals_release_held(r);
}

static void on_child_end(struct run *r, pid_t pid, const struct exit_status *st)
{
	if (pid == r->init_pid) {
		on_container_exit(r, st);
	} else if (pid == r->create.pid) {
		child_close(&r->create);
		if (st->code != 0 && r->phase == RUN_CREATING)
			on_runtime_failure(r, st);
		else if (r->phase == RUN_CREATING)
			start_container(r);
		else if (!r->init_pid && (r->phase == RUN_RUNNING || st->code != 0))
			on_container_exit(r, st); /* it stayed for the whole life of the container */
	} else if (pid == r->start.pid && r->create_start) {
		on_started(r, st);
	} else if (pid == r->start.pid) {
		child_close(&r->start);
		on_runtime_failure(r, st);
	}
}

static void reap(struct run *r)
{
	struct exit_status st;
	pid_t pid;
	int left;

	while ((left = exit_reap_any(&pid, &st)) > 0)
		on_child_end(r, pid, &st);
	if (left < 0 && r->create_start)
		on_silence(r);
}

/*
 * crun stays until the last process below it has ended. Where the container shares our pid namespace that may be one
 * that process 1 left behind; but a poststop hook, too, which is let be.
 */
static void on_lingering(void *arg)
{
	struct run *r = arg;
	cleanup(free) char *mark = xasprintf(TASK_MARK "=%s", path_base(r->task->folder.path));
	struct err e = ERR_INIT;

	if (r->phase == RUN_ENDED || r->start.pid <= 0)
		return;
	if (reap_kill_below(r->start.pid, r->init_end, mark, &e) < 0)
		log_error("%s", e.msg);
	r->linger_ms = r->linger_ms < 1000 ? 2 * r->linger_ms : 1000;
	loop_after(r->loop, r->linger_ms, on_lingering, r);
}

static void on_init_end(void *arg, int fd, uint32_t events)
{
	struct run *r = arg;

	loop_remove(r->loop, fd);
	if (!r->create_start) {
		r->init_end = proc_now();
		r->linger_ms = LINGER_MS;
		loop_after(r->loop, LINGER_MS, on_lingering, r);
		return;
	}
	reap(r);
	if (!r->has_status && !r->create.pid) {
		struct runtime_state state = query(r);

		on_foreign_exit(r, &state);
	}
}

static void on_signal(void *arg, int sig, pid_t sender)
{
	struct run *r = arg;

	if (sig == SIGCHLD)
		reap(r);
	else
		signals_forward(r, sig, sender);
}

static void on_parent_end(void *arg, int fd, uint32_t events)
{
	struct run *r = arg;

	log_verbose("the process that started us ended: ending the container");
	r->parent_lost = true;
	run_set_phase(r, RUN_ENDED);
}

static int watch_parent(struct run *r, struct err *e)
{
	pid_t parent = r->task->request.parent;

	if (!parent)
		return 0;
	r->parent_fd = (int)syscall(SYS_pidfd_open, parent, 0);
	/* Looked at after opening: it may have ended, and its pid have been given away, before we looked. */
	if (r->parent_fd < 0 || getppid() != parent)
		return err_set(e, "the process %d that asked for this container is gone", parent);
	return loop_add(r->loop, r->parent_fd, EPOLLIN, on_parent_end, r, e);
}

static void on_hangup_over(void *arg)
{
	struct run *r = arg;

	log_verbose("the terminal is gone and the container is not: ending it");
	r->parent_lost = true;
	run_set_phase(r, RUN_ENDED);
}

/* Nothing that reads a terminal without its other end does more than turn in circles. */
static void on_hangup(void *arg, int fd, uint32_t events)
{
	struct run *r = arg;

	loop_remove(r->loop, fd);
	signals_forward(r, SIGHUP, 0);
	loop_after(r->loop, HANGUP_MS, on_hangup_over, r);
}

static int watch_terminal(struct run *r, struct err *e)
{
	if (!r->task->request.pty)
		return 0;
	/* The descriptor itself may be another's to watch. */
	r->terminal_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	return r->terminal_fd < 0 ? err_sys(e, errno, "standard input")
				  : loop_add(r->loop, r->terminal_fd, 0, on_hangup, r, e);
}

static int begin(struct run *r, struct err *e)
{
	const struct oci_conf *c = r->task->conf;
	sigset_t set;

	signals_set(&set);
	if (loop_new(&r->loop, e) < 0 || loop_signals(r->loop, &set, on_signal, r, e) < 0 ||
	    reap_become_subreaper(e) < 0 || watch_parent(r, e) < 0 || watch_terminal(r, e) < 0 ||
	    connection_listen(r, e) < 0)
		return -1;
	r->create_start = !c->op[OCI_OP_RUN];
	if (r->create_start) {
		r->phase = RUN_CREATING;
		loop_after(r->loop, CREATE_QUIET_MS, on_create_slow, r);
		return start_operation(r, OCI_OP_CREATE, &r->create, e);
	}
	r->phase = RUN_STARTING;
	r->has_terminal = r->task->request.pty && tcgetattr(STDIN_FILENO, &r->terminal) == 0;
	if (start_operation(r, OCI_OP_RUN, &r->start, e) < 0)
		return -1;
	if (r->task->listen_fd < 0)
		run_set_phase(r, RUN_RUNNING);
	return 0;
}

/* Kill and Delete, where the runtime did not get to its own end. */
static void undo(const struct run *r, bool kill_first)
{
	struct pattern_values v = task_values(r->task);
	cleanup(strv) char **kill_argv = NULL;
	cleanup(strv) char **delete_argv = NULL;

	v.pid = r->init_pid ? r->init_pid : r->start.pid ? r->start.pid : r->create.pid;
	/* A pid that was reaped may be another's by now. */
	if (kill_first &&
	    (v.pid || !r->task->conf->op[OCI_OP_KILL] || !pattern_uses(r->task->conf->op[OCI_OP_KILL], 'p')))
		kill_argv = runtime_argv(r->task->conf, OCI_OP_KILL, &v);
	if (r->task->conf->op[OCI_OP_DELETE] && (v.pid || !pattern_uses(r->task->conf->op[OCI_OP_DELETE], 'p')))
		delete_argv = runtime_argv(r->task->conf, OCI_OP_DELETE, &v);
	undo_run(kill_argv, delete_argv, r->task->runtime_env);
}

/* Leaves no process and no runtime state, whatever happened. */
static void end(struct run *r)
{
	bool run_ended_by_itself = !r->create_start && r->has_runtime_status && !r->runtime_status.signal;
	bool alive = !r->has_status && !r->has_runtime_status;
	struct exit_status st;
	struct err e = ERR_INIT;
	pid_t pid;
	int left;

	if (r->create_start && r->has_status)
		r->init_pid = 0; /* reaped */
	/* A short command may be over before Start is, which Delete would then get in the way of. */
	if (r->create_start && r->has_status && r->start.pidfd >= 0)
		poll(&(struct pollfd){ .fd = r->start.pidfd, .events = POLLIN }, 1, START_END_MS);
	if (!run_ended_by_itself || !r->executed)
		undo(r, alive);
	while ((left = exit_reap_any(&pid, &st)) > 0)
		;
	/* Where the container shares our pid namespace its descendants outlive it. */
	if (left == 0 && reap_kill_descendants(0, KILL_TIMEOUT_MS, &e) < 0)
		log_error("%s", e.msg);
	console_free(r);
	/* A runtime that was killed did not put it back. */
	if (r->has_terminal && r->runtime_status.signal)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &r->terminal);
}

static void finish(struct run *r)
{
	if (r->conn >= 0)
		close(r->conn);
	if (r->init_pidfd >= 0)
		close(r->init_pidfd);
	if (r->parent_fd >= 0)
		close(r->parent_fd);
	if (r->terminal_fd >= 0)
		close(r->terminal_fd);
	child_close(&r->create);
	child_close(&r->start);
	loop_free(r->loop);
}

int task_run(struct task *t, struct exit_status *out, struct err *e)
{
	struct run r = { .task = t,
			 .create = CHILD_INIT,
			 .start = CHILD_INIT,
			 .conn = -1,
			 .init_pidfd = -1,
			 .parent_fd = -1,
			 .terminal_fd = -1 };
	int result = begin(&r, e);

	if (result == 0 && r.phase != RUN_ENDED)
		result = loop_run(r.loop, e);
	if (r.loop)
		end(&r);
	if (result == 0)
		*out = report_end(&r);
	finish(&r);
	return result;
}
