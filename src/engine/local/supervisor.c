/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/local/batch.h"
#include "engine/local/owner.h"
#include "engine/local/queue.h"
#include "engine/local/record.h"
#include "engine/local/recover.h"
#include "engine/local/step.h"
#include "engine/local/streams.h"

enum { RETRIES = 3600 };

int supervisor_start(struct state *st, uint32_t id, struct job_owner *owner, struct err *e)
{
	/* Held before it exists: at no moment is the job without an owner. */
	cleanup(close) int hold = hold_job(st, id, e);
	char number[16];
	pid_t pid;

	if (hold < 0)
		return -1;
	snprintf(number, sizeof(number), "%" PRIu32, id);
	if (detached_start(SUPERVISOR_VERB, number, hold, &pid, e) < 0)
		return -1;
	snprintf(owner->boot, sizeof(owner->boot), "%s", proc_boot_id());
	return proc_identify(pid, &owner->id) == 0 ? 0 : err_set(e, "the job's supervisor ended at once");
}

struct supervisor {
	struct state st;
	struct loop *loop;
	struct job job;
	struct owner *owner;
	struct place place;
	struct step_run *run; /* while the step runs */
	enum end_why why;
	struct exit_status status;
	char **args, **env;
	bool ended;
};

static void on_end(void *arg, enum end_why why, uid_t by)
{
	struct supervisor *s = arg;

	s->place.step.cancelled = why == END_CANCELLED;
	s->place.step.cancelled_by = by;
	if (s->run)
		step_run_end(s->run, why);
}

static void on_signal(void *arg, enum signal_target target, int sig)
{
	struct supervisor *s = arg;

	if (!s->run)
		return;
	if (target == SIGNAL_BATCH)
		step_run_signal_leader(s->run, sig);
	else if (target == SIGNAL_FULL)
		step_run_signal(s->run, sig);
}

static void on_done(void *arg, const struct exit_status *status)
{
	struct supervisor *s = arg;

	s->status = *status;
	s->ended = true;
	loop_stop(s->loop);
}

static void on_process_signal(void *arg, int sig, pid_t sender)
{
	struct supervisor *s = arg;

	(void)sender;
	if (sig == SIGCHLD && s->run)
		step_run_reap(s->run);
	/* The machine goes down, or somebody wants exactly this. */
	if (sig == SIGTERM) {
		owner_end_steps(s->owner, END_CANCELLED);
		on_end(s, END_CANCELLED, geteuid());
	}
}

static int open_stream(const char *path, int flags, int target, struct err *e)
{
	cleanup(close) int fd = step_io_file(path, flags, e);

	if (fd < 0)
		return -1;
	dup2(fd, target);
	return 0;
}

/* The script's streams become ours, so that what we have to say stands beside what it says. */
static int open_streams(const struct job *j, struct err *e)
{
	int flags = O_WRONLY | O_CREAT | O_APPEND | (j->append ? 0 : O_TRUNC);

	if (j->std_in && open_stream(j->std_in, O_RDONLY, STDIN_FILENO, e) < 0)
		return -1;
	if (open_stream(j->std_out, flags, STDOUT_FILENO, e) < 0)
		return -1;
	if (strcmp(j->std_err, j->std_out) != 0)
		return open_stream(j->std_err, flags, STDERR_FILENO, e);
	dup2(STDOUT_FILENO, STDERR_FILENO);
	return 0;
}

static int load(struct supervisor *s, uint32_t id, struct err *e)
{
	int r;

	if (state_open(&s->st, e) < 0 || state_lock(&s->st, e) < 0)
		return -1;
	/* Whoever granted the job writes its record until it lets go of the lock. */
	r = job_load(&s->st, id, &s->job, e);
	state_unlock(&s->st);
	if (r == 0 && (s->job.state != JOB_RUNNING || !s->job.std_out || !s->job.std_err))
		r = err_set(e, "job %" PRIu32 " is not to be run", id);
	return r;
}

static int run_script(struct supervisor *s, struct err *e)
{
	struct job *j = &s->job;
	cleanup(free) char *script = xasprintf("%s/jobs/%" PRIu32 "/" BATCH_SCRIPT, s->st.path, j->id);
	cleanup(strv) char **argv = NULL;
	struct engine_step spec = { .ntasks = 1,
				    .cpus_per_task = 1,
				    .id = STEP_BATCH,
				    .name = "batch",
				    .env = s->env,
				    .work_dir = j->work_dir,
				    .container = j->container,
				    .container_id = j->container_id,
				    .script = script };
	int r = 0;

	strv_push(&argv, script);
	for (char **a = s->args; *a; a++)
		strv_push(&argv, *a);
	spec.argv = argv;
	place_init(&s->place, &s->st, owner_dir(s->owner), j, &spec, true);
	if (place_take(&s->place, j, &spec, STEP_NONE, e) < 0)
		return -1;
	if (step_run_start(s->loop, &s->place, j, &spec, on_done, s, &s->run, e) < 0) {
		place_end(&s->place, JOB_FAILED);
		return -1;
	}
	while (!s->ended && r == 0)
		r = loop_run(s->loop, e);
	/* It looks at SPEC to its end. */
	s->why = step_run_why(s->run);
	step_run_free(take_ptr(&s->run));
	return r;
}

static bool record_is_gone(const struct supervisor *s)
{
	struct stat st;

	return fstat(owner_dir(s->owner), &st) == 0 && st.st_nlink == 0;
}

/* The job's end is never lost to a full disk: it is tried again until there is room. */
static void finish(struct supervisor *s)
{
	struct err e = ERR_INIT;

	recover_steps(&s->st, s->job.id, owner_step_state(s->why));
	for (int i = 0; i < RETRIES; i++) {
		if (owner_finish(s->owner, &s->status, s->why, &e) == 0)
			return;
		if (record_is_gone(s))
			return;
		if (i == 0)
			log_error("job %" PRIu32 ": %s", s->job.id, e.msg);
		poll(NULL, 0, 1000);
	}
}

static int supervise(struct supervisor *s, int hold, struct err *e)
{
	const struct owner_events ev = { .end = on_end, .signal = on_signal, .arg = s };
	sigset_t set;
	int r;

	sigemptyset(&set);
	for (const int *sig = (const int[]){ SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD, 0 }; *sig;
	     sig++)
		sigaddset(&set, *sig);
	if (loop_new(&s->loop, e) < 0 || loop_signals(s->loop, &set, on_process_signal, s, e) < 0 ||
	    owner_new(&s->st, s->loop, &s->job, hold, &ev, &s->owner, e) < 0)
		return -1;
	umask((mode_t)s->job.umask);
	owner_self(&s->job.owner);
	r = open_streams(&s->job, e);
	if (r == 0)
		r = batch_read(owner_dir(s->owner), &s->args, &s->env, e);
	if (r == 0)
		r = run_script(s, e);
	if (r < 0) {
		log_error("job %" PRIu32 ": %s", s->job.id, e->msg);
		s->status = (struct exit_status){ .code = 1 };
	}
	finish(s);
	return r;
}

int supervisor_main(int argc, char **argv)
{
	struct supervisor s = { .st = STATE_INIT, .place = PLACE_INIT };
	int hold = fcntl(SUPERVISOR_HOLD_FD, F_DUPFD_CLOEXEC, 3);
	struct err e = ERR_INIT;
	uint32_t id;
	int r;

	close(SUPERVISOR_HOLD_FD);
	job_init(&s.job);
	log_open("slurmstepd");
	if (argc != 3 || hold < 0 || parse_u32(argv[2], 1, UINT32_MAX, &id, &e) < 0)
		return 2;
	r = load(&s, id, &e);
	if (r == 0) {
		r = supervise(&s, hold, &e);
	} else if (s.st.fd >= 0) {
		/* Whoever granted the job did not get to say so: it is granted anew. */
		close(hold);
		queue_advance_now(&s.st);
	}
	place_free(&s.place);
	owner_free(s.owner);
	loop_free(s.loop);
	strv_free(s.args);
	strv_free(s.env);
	job_free(&s.job);
	state_close(&s.st);
	return r < 0;
}
