/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "engine/local/record.h"

static void test_job_round_trip(void **state)
{
	struct job j, back;
	struct err e = ERR_INIT;
	char *text;
	size_t len;

	(void)state;
	job_init(&j);
	j.id = 12;
	j.kind = JOB_SBATCH;
	j.state = JOB_RUNNING;
	j.reason = REASON_DEPENDENCY_NEVER;
	j.name = xstrdup("a name\nwith \\ lines, \x01 and gr\xc3\xbc\xc3\x9f");
	strv_push(&j.recorded, "mail-user=me");
	strv_push(&j.recorded, "");
	j.mem = UINT64_MAX;
	j.begin = -5;
	j.submit = 1700000000;
	j.array_task = 3;
	j.cancelled = true;
	j.owner.id = (struct proc_id){ .pid = 4711, .start = 99 };
	strcpy(j.owner.boot, "0f1e");
	text = job_format(&j, &len);
	assert_int_equal(job_parse(text, len, &back, &e), 0);
	assert_int_equal(back.id, 12);
	assert_int_equal(back.kind, JOB_SBATCH);
	assert_int_equal(back.state, JOB_RUNNING);
	assert_int_equal(back.reason, REASON_DEPENDENCY_NEVER);
	assert_string_equal(back.name, j.name);
	assert_int_equal(strv_len(back.recorded), 2);
	assert_string_equal(back.recorded[0], "mail-user=me");
	assert_string_equal(back.recorded[1], "");
	assert_true(back.mem == UINT64_MAX);
	assert_int_equal(back.begin, -5);
	assert_int_equal(back.array_task, 3);
	assert_true(back.cancelled);
	assert_int_equal(back.owner.id.pid, 4711);
	assert_int_equal(back.owner.id.start, 99);
	assert_string_equal(back.owner.boot, "0f1e");
	assert_null(back.container);
	free(text);
	job_free(&j);
	job_free(&back);
}

static void test_step_round_trip(void **state)
{
	struct step s, back;
	struct err e = ERR_INIT;
	char *text;
	size_t len;

	(void)state;
	step_init(&s);
	s.job = 7;
	s.id = STEP_BATCH;
	s.state = JOB_TIMEOUT;
	s.n_tasks = 2;
	s.tasks = xcalloc(2, sizeof(*s.tasks));
	s.tasks[1] =
		(struct step_task){ .id = { .pid = 5, .start = 6 }, .ended = true, .exit_code = 7, .exit_signal = 9 };
	text = step_format(&s, &len);
	assert_int_equal(step_parse(text, len, &back, &e), 0);
	assert_int_equal(back.id, STEP_BATCH);
	assert_int_equal(back.state, JOB_TIMEOUT);
	assert_int_equal(back.n_tasks, 2);
	assert_false(back.tasks[0].ended);
	assert_int_equal(back.tasks[1].id.pid, 5);
	assert_int_equal(back.tasks[1].exit_code, 7);
	assert_int_equal(back.tasks[1].exit_signal, 9);
	free(text);
	step_free(&s);
	step_free(&back);
}

static void test_damaged(void **state)
{
	static const char *const texts[] = {
		"",
		"x",
		"berth-job=2\nwhole=1\n",
		"berth-job=1\n",
		"berth-job=1\nid=3\n",
		"berth-job=1\nid=3\nwhole=1",
		"berth-job=1\nid=3\nwhole=1\nid=4\n",
		"berth-job=1\nturn=2\nid=3\nwhole=1\n",
		"berth-job=1\nid=x\nwhole=1\n",
		"berth-job=1\nid=4294967296\nwhole=1\n",
		"berth-job=1\nstate=ASLEEP\nwhole=1\n",
		"berth-job=1\nreason=Mood\nwhole=1\n",
		"berth-job=1\nkind=scrun\nwhole=1\n",
		"berth-job=1\nname=\\9\nwhole=1\n",
		"berth-job=1\nname=\\000\nwhole=1\n",
		"berth-job=1\nname\nwhole=1\n",
		"berth-job=1\nowner=1 2\nwhole=1\n",
		"berth-job=1\nhold=2\nwhole=1\n",
		"berth-job=1\nsubmit=-\nwhole=1\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct err e = ERR_INIT;
		struct job j;

		if (job_parse(texts[i], strlen(texts[i]), &j, &e) == 0)
			fail_msg("accepted: %s", texts[i]);
		assert_true(e.msg[0]);
	}
}

static void test_newer_keys_are_ignored(void **state)
{
	static const char text[] = "berth-job=1\nfuture=x\nid=3\nwhole=1\n";
	struct job j;

	(void)state;
	assert_int_equal(job_parse(text, sizeof(text) - 1, &j, NULL), 0);
	assert_int_equal(j.id, 3);
	assert_int_equal(j.array_task, ARRAY_NONE);
	job_free(&j);
}

static void test_id_text(void **state)
{
	struct job j;
	char *text;

	(void)state;
	job_init(&j);
	j.id = 14;
	text = job_id_text(&j, 0);
	assert_string_equal(text, "14.0");
	free(text);
	j.array_job = 12;
	j.array_task = 2;
	text = job_id_text(&j, STEP_BATCH);
	assert_string_equal(text, "12_2.batch");
	free(text);
	text = job_id_text(&j, STEP_NONE);
	assert_string_equal(text, "12_2");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_job_round_trip), cmocka_unit_test(test_step_round_trip),
		cmocka_unit_test(test_damaged),	       cmocka_unit_test(test_newer_keys_are_ignored),
		cmocka_unit_test(test_id_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
