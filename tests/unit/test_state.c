/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/path.h"
#include "engine/local/queue.h"
#include "engine/local/record.h"
#include "engine/local/state.h"

static char dir[64];
static struct state st;

static int open_state(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/berth-test-state.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	setenv("BERTH_STATE_DIR", dir, 1);
	return state_open(&st, NULL);
}

static int remove_state(void **state)
{
	(void)state;
	state_close(&st);
	return path_remove_tree(AT_FDCWD, dir, NULL);
}

static uint32_t take(uint32_t n)
{
	struct err e = ERR_INIT;
	uint32_t first;

	assert_int_equal(state_lock(&st, &e), 0);
	if (state_new_jobs(&st, n, &first, &e) < 0)
		fail_msg("%s", e.msg);
	state_unlock(&st);
	return first;
}

static void write_counter(const char *text)
{
	int fd = openat(st.fd, "lock", O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_true(write(fd, text, strlen(text)) >= 0);
	close(fd);
}

static void test_ids(void **state)
{
	(void)state;
	assert_int_equal(take(1), 1);
	assert_int_equal(take(3), 2);
	assert_int_equal(take(1), 5);
	/* A counter that a power cut took back, cut off, or made unreadable never gives a number twice. */
	write_counter("2\n");
	assert_int_equal(take(2), 6);
	write_counter("");
	assert_int_equal(take(1), 8);
	write_counter("99999999999999\n");
	assert_int_equal(take(1), 9);
	assert_int_equal(take(1), 10);
}

static void test_ids_of_many_processes(void **state)
{
	uint32_t *ids;
	size_t n;

	(void)state;
	for (int i = 0; i < 8; i++) {
		if (fork() == 0) {
			for (int k = 0; k < 25; k++)
				take(1);
			_exit(0);
		}
	}
	for (int i = 0; i < 8; i++) {
		int status;

		wait(&status);
		assert_int_equal(status, 0);
	}
	assert_int_equal(state_list_all(&st, &ids, &n, NULL), 0);
	assert_int_equal(n, 200);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(ids[i], i + 1);
	free(ids);
}

static void test_holds(void **state)
{
	uint32_t id = take(1);
	struct err e = ERR_INIT;
	int status, fd;
	pid_t pid;

	(void)state;
	assert_false(job_is_held(&st, id));
	fd = hold_job(&st, id, &e);
	assert_true(fd >= 0);
	assert_true(job_is_held(&st, id));
	assert_int_equal(hold_job(&st, id, &e), -1);
	assert_int_equal(e.code, EAGAIN);
	/* A hold goes with its descriptor, and lasts as long as any copy of that. */
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	close(fd);
	assert_true(job_is_held(&st, id));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	assert_false(job_is_held(&st, id));
	fd = hold_take(st.fd, "watcher", &e);
	assert_true(fd >= 0);
	assert_int_equal(hold_take(st.fd, "watcher", &e), -1);
	assert_int_equal(e.code, EAGAIN);
	close(fd);
	assert_false(hold_is_taken(st.fd, "watcher"));
	assert_false(hold_is_taken(st.fd, "nothing"));
}

static void add_job(struct job *j, enum active_kind kind)
{
	j->id = take(1);
	assert_int_equal(job_create(&st, j, NULL), 0);
	assert_int_equal(state_active_add(&st, j->id, kind, NULL), 0);
}

static void test_lists(void **state)
{
	struct job_list l;
	struct job j;

	(void)state;
	job_init(&j);
	add_job(&j, ACTIVE_QUEUED);
	j.state = JOB_COMPLETED;
	add_job(&j, ACTIVE_RUNNING);
	state_active_remove(&st, j.id, ACTIVE_RUNNING);
	j.state = JOB_PENDING; /* submitted by halves: no entry */
	j.id = take(1);
	assert_int_equal(job_create(&st, &j, NULL), 0);
	take(1); /* no record at all */
	assert_int_equal(job_list_load(&st, false, &l, NULL), 0);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.jobs[0].id, 1);
	job_list_free(&l);
	assert_int_equal(job_list_load(&st, true, &l, NULL), 0);
	assert_int_equal(l.n, 2);
	assert_int_equal(l.jobs[1].id, 2);
	job_list_free(&l);
}

static enum ready ready_with(const char *dependency, enum job_reason *reason)
{
	time_t wake = 0;
	struct job j;
	enum ready r;

	job_init(&j);
	j.id = 100;
	j.name = (char[]){ "n" };
	j.dependency = (char *)(size_t)dependency;
	r = queue_ready(&st, &j, &(struct queue_moment){ .now = 1000 }, reason, &wake);
	return r;
}

static void test_dependencies(void **state)
{
	static const struct {
		const char *text;
		enum ready want;
	} cases[] = {
		{ "afterok:1", READY },
		{ "afterok:2", NEVER_READY },
		{ "afterok:3", NOT_READY },
		{ "afternotok:1", NEVER_READY },
		{ "afternotok:2", READY },
		{ "afterany:1:2", READY },
		{ "afterany:1:3", NOT_READY },
		{ "afterany:1?afterany:3", READY },
		{ "afterok:2?afterok:3", NOT_READY },
		{ "afterok:2?afternotok:1", NEVER_READY },
		{ "after:3", READY },
		{ "after:4", NOT_READY },
		{ "afterok:99", NEVER_READY },
		{ "singleton", READY },
	};
	const enum job_state states[] = { JOB_COMPLETED, JOB_FAILED, JOB_RUNNING, JOB_PENDING };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct job j;

		job_init(&j);
		j.id = take(1);
		j.state = states[i];
		j.start = states[i] == JOB_PENDING ? 0 : 10;
		assert_int_equal(job_create(&st, &j, NULL), 0);
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		enum job_reason reason = REASON_NONE;
		enum ready r = ready_with(cases[i].text, &reason);

		if (r != cases[i].want)
			fail_msg("%s: %d", cases[i].text, r);
		if (r != READY)
			assert_int_equal(reason, r == NEVER_READY ? REASON_DEPENDENCY_NEVER : REASON_DEPENDENCY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ids, open_state, remove_state),
		cmocka_unit_test_setup_teardown(test_ids_of_many_processes, open_state, remove_state),
		cmocka_unit_test_setup_teardown(test_holds, open_state, remove_state),
		cmocka_unit_test_setup_teardown(test_lists, open_state, remove_state),
		cmocka_unit_test_setup_teardown(test_dependencies, open_state, remove_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
