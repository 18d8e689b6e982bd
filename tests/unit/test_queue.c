/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "engine/local/queue.h"
#include "engine/local/record.h"
#include "engine/local/steps.h"

static char dir[64];
static struct state st;
static int watcher;

static int open_state(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/berth-test-queue.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	setenv("BERTH_STATE_DIR", dir, 1);
	setenv("BERTH_CPUS", "0-3", 1);
	if (state_open(&st, NULL) < 0)
		return -1;
	/* None is to be started: it would be this program. */
	watcher = hold_take(st.fd, "watcher", NULL);
	return watcher < 0 ? -1 : 0;
}

static int remove_state(void **state)
{
	(void)state;
	close(watcher);
	state_close(&st);
	return path_remove_tree(AT_FDCWD, dir, NULL);
}

/* A job of a salloc that waits; *hold is what it lives by. */
static uint32_t add(uint32_t cpus, bool held, int *hold)
{
	struct job j;

	job_init(&j);
	j.kind = JOB_SALLOC;
	j.cpus = cpus;
	j.hold = held;
	assert_int_equal(state_lock(&st, NULL), 0);
	assert_int_equal(state_new_jobs(&st, 1, &j.id, NULL), 0);
	*hold = hold_job(&st, j.id, NULL);
	assert_true(*hold >= 0);
	assert_int_equal(job_create(&st, &j, NULL), 0);
	assert_int_equal(state_active_add(&st, j.id, ACTIVE_FOREGROUND, NULL), 0);
	state_unlock(&st);
	return j.id;
}

static void advance(void)
{
	struct err e = ERR_INIT;

	assert_int_equal(state_lock(&st, &e), 0);
	if (queue_advance(&st, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	state_unlock(&st);
}

static void end(uint32_t id)
{
	struct job j;

	assert_int_equal(job_load(&st, id, &j, NULL), 0);
	j.state = JOB_COMPLETED;
	assert_int_equal(job_save(&st, &j, false, NULL), 0);
	state_active_remove(&st, id, ACTIVE_RUNNING);
	job_free(&j);
}

static void assert_job(uint32_t id, enum job_state state, enum job_reason reason, const char *cpus)
{
	struct job j;

	assert_int_equal(job_load(&st, id, &j, NULL), 0);
	assert_string_equal(job_state_name(j.state, false), job_state_name(state, false));
	assert_string_equal(job_reason_name(j.reason), job_reason_name(reason));
	if (cpus)
		assert_string_equal(j.cpu_list, cpus);
	job_free(&j);
}

static void test_order(void **state)
{
	int hold[4];
	uint32_t a = add(3, false, &hold[0]), held = add(4, true, &hold[1]), b = add(2, false, &hold[2]),
		 c = add(1, false, &hold[3]);

	(void)state;
	advance();
	assert_job(a, JOB_RUNNING, REASON_NONE, "0-2");
	assert_job(held, JOB_PENDING, REASON_HELD_USER, NULL);
	assert_job(b, JOB_PENDING, REASON_RESOURCES, NULL);
	/* It would fit, and waits for its turn. */
	assert_job(c, JOB_PENDING, REASON_NONE, NULL);
	end(a);
	advance();
	assert_job(b, JOB_RUNNING, REASON_NONE, "0-1");
	assert_job(c, JOB_RUNNING, REASON_NONE, "2");
	advance(); /* changes nothing */
	assert_job(c, JOB_RUNNING, REASON_NONE, "2");
	for (int i = 0; i < 4; i++)
		close(hold[i]);
}

static void test_dead_waiter(void **state)
{
	int hold[2];
	uint32_t dead = add(4, false, &hold[0]), next = add(4, false, &hold[1]);

	(void)state;
	close(hold[0]);
	advance();
	assert_job(dead, JOB_CANCELLED, REASON_NONE, NULL);
	assert_job(next, JOB_RUNNING, REASON_NONE, "0-3");
	close(hold[1]);
}

/* Killed between "this one runs" in active/ and the record that says so, and between record and the end of the entry.
 */
static void test_half_granted(void **state)
{
	struct active *list;
	int hold[2];
	uint32_t half = add(4, false, &hold[0]), over = add(1, false, &hold[1]);
	struct job j;
	size_t n;

	(void)state;
	assert_int_equal(state_active_change(&st, over, ACTIVE_FOREGROUND, ACTIVE_RUNNING, NULL), 0);
	assert_int_equal(job_load(&st, over, &j, NULL), 0);
	j.state = JOB_FAILED;
	assert_int_equal(job_save(&st, &j, false, NULL), 0);
	job_free(&j);
	assert_int_equal(state_active_change(&st, half, ACTIVE_FOREGROUND, ACTIVE_RUNNING, NULL), 0);
	close(hold[0]);
	advance();
	assert_job(half, JOB_CANCELLED, REASON_NONE, NULL);
	assert_int_equal(state_list_active(&st, &list, &n, NULL), 0);
	assert_int_equal(n, 0);
	free(list);
	close(hold[1]);
}

static struct engine_step step_of(uint32_t ntasks, uint32_t cpus, bool exact, bool overlap)
{
	static char *const argv[] = { "true", NULL };

	return (struct engine_step){ .argv = argv,
				     .work_dir = "/",
				     .ntasks = ntasks,
				     .cpus_per_task = cpus,
				     .exact = exact,
				     .overlap = overlap,
				     .id = STEP_NONE };
}

/* The error's code, 0 where the step was placed on the CPUs WANT. */
static int place(struct place *p, const struct job *j, int dirfd, struct engine_step spec, uint32_t parent,
		 const char *want)
{
	struct err e = ERR_INIT;

	place_init(p, &st, dirfd, j, &spec, false);
	if (place_take(p, j, &spec, parent, &e) < 0) {
		place_free(p);
		return e.code ? e.code : -1;
	}
	assert_string_equal(p->step.cpu_list, want);
	return 0;
}

static void test_steps(void **state)
{
	struct place first, second, third;
	struct job j;
	int hold;
	uint32_t id = add(4, false, &hold);

	(void)state;
	advance();
	assert_int_equal(job_load(&st, id, &j, NULL), 0);
	/* The whole job, unless it says what it wants. */
	assert_int_equal(place(&first, &j, hold, step_of(1, 1, false, false), STEP_NONE, "0-3"), 0);
	assert_int_equal(first.step.id, 0);
	assert_int_equal(place(&second, &j, hold, step_of(1, 1, true, false), STEP_NONE, ""), EAGAIN);
	assert_int_equal(place(&second, &j, hold, step_of(1, 1, false, true), STEP_NONE, "0-3"), 0);
	assert_int_equal(second.step.id, 1);
	assert_int_equal(place(&third, &j, hold, step_of(1, 1, false, false), 0, "0-3"), 0); /* below step 0 */
	place_end(&first, JOB_COMPLETED);
	place_end(&second, JOB_COMPLETED);
	place_end(&third, JOB_COMPLETED);
	place_free(&first);
	place_free(&second);
	place_free(&third);
	assert_int_equal(place(&first, &j, hold, step_of(1, 3, true, false), STEP_NONE, "0-2"), 0);
	assert_int_equal(place(&second, &j, hold, step_of(2, 1, true, false), STEP_NONE, ""), EAGAIN);
	assert_int_equal(place(&second, &j, hold, step_of(1, 1, true, false), STEP_NONE, "3"), 0);
	assert_int_equal(place(&third, &j, hold, step_of(5, 1, false, false), STEP_NONE, ""), -1); /* never */
	place_free(&first);
	place_free(&second);
	job_free(&j);
	close(hold);
}

static void test_check(void **state)
{
	struct err e = ERR_INIT;
	struct job j;

	(void)state;
	job_init(&j);
	j.cpus = 4;
	assert_int_equal(queue_check(&j, &e), 0);
	j.cpus = 5;
	assert_int_equal(queue_check(&j, &e), -1);
	assert_non_null(strstr(e.msg, "Requested node configuration is not available"));
	j.cpus = 1;
	j.mem = UINT64_MAX;
	assert_int_equal(queue_check(&j, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, open_state, remove_state),
		cmocka_unit_test_setup_teardown(test_dead_waiter, open_state, remove_state),
		cmocka_unit_test_setup_teardown(test_half_granted, open_state, remove_state),
		cmocka_unit_test_setup_teardown(test_steps, open_state, remove_state),
		cmocka_unit_test_setup_teardown(test_check, open_state, remove_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
