/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/cleanup.h"
#include "cli/list.h"
#include "cli/list_json.h"
#include "cli/sacct_fields.h"
#include "cli/squeue_columns.h"

#define NOW 1908100800 /* 2030-06-19T12:00:00 in UTC */

static struct job running(void)
{
	return (struct job){ .id = 12,
			     .kind = JOB_SBATCH,
			     .state = JOB_RUNNING,
			     .array_task = ARRAY_NONE,
			     .name = "a name",
			     .uid = 1000,
			     .gid = 1000,
			     .user = "alice",
			     .group = "users",
			     .node = "host",
			     .submit = NOW - 100,
			     .eligible = NOW - 100,
			     .start = NOW - 3661,
			     .time_limit = 7200,
			     .ntasks = 2,
			     .cpus_per_task = 2,
			     .cpus = 4,
			     .cpu_list = "0-2,5,7-8",
			     .mem = UINT64_C(1536) << 20,
			     .work_dir = "/home/alice",
			     .command = "/home/alice/job.sh",
			     .container = "/bundles/a" };
}

static struct job waiting(void)
{
	struct job j = running();

	j.state = JOB_PENDING;
	j.reason = REASON_PRIORITY;
	j.start = 0;
	j.cpu_list = NULL;
	j.time_limit = 0;
	j.mem = 0;
	j.array_job = 10;
	j.array_task = 2;
	return j;
}

static void letters(void **state)
{
	struct job r = running(), w = waiting();
	static const struct {
		const char *format, *of_running, *of_waiting; /* NULL: the format is an error */
	} cases[] = {
		{ "%i", "12", "10_2" },
		{ "%.6i|%-", NULL, NULL },
		{ "%.6i|", "    12|", "  10_2|" },
		{ "%6i|", "12    |", "10_2  |" },
		{ "%3j|%.3j|%j", "a n|a n|a name", "a n|a n|a name" },
		{ "<%t %T>", "<R RUNNING>", "<PD PENDING>" },
		{ "%M %l %L", "1:01:01 2:00:00 58:59", "0:00 UNLIMITED UNLIMITED" },
		{ "%C %c %D %m", "6 2 1 1536M", "4 2 1 0" },
		{ "%N %R %r", "host host None", " (Priority) Priority" },
		{ "%S %e", "2030-06-19T10:58:59 2030-06-19T12:58:59", "N/A N/A" },
		{ "%V", "2030-06-19T11:58:20", "2030-06-19T11:58:20" },
		{ "%A %F %K", "12 12 N/A", "12 10 2" },
		{ "%u %U %g %G", "alice 1000 users 1000", "alice 1000 users 1000" },
		{ "%P %q %a %k %v %w %f %W", "local normal (null) (null) (null) (null) (null) (null)",
		  "local normal (null) (null) (null) (null) (null) (null)" },
		{ "%B %h %z %y %Q", "host OK *:*:* 0 4294901748", "n/a OK *:*:* 0 4294901748" },
		{ "%2M|%.2l|%1N|%1R|%2t", "1:01:01|2:00:00|host|host|R ", "0:00|UNLIMITED| |(|PD" },
		{ "%b %d %O %X %Y", "N/A 0 0 N/A (null)", "N/A 0 0 N/A (null)" },
		{ "%p", "0.99998473864980", "0.99998473864980" },
		{ "%o %Z", "/home/alice/job.sh /home/alice", "/home/alice/job.sh /home/alice" },
		{ "plain", "plain", "plain" },
		{ "", "", "" },
		{ "%", NULL, NULL },
		{ "%8", NULL, NULL },
		{ "%.", NULL, NULL },
		{ "%~", NULL, NULL },

	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct list_row rows[] = { { .job = &r, .now = NOW }, { .job = &w, .now = NOW } };
		struct squeue_columns c;
		int rc = squeue_columns_letters(cases[i].format, false, &c, NULL);

		check(i, rc == (cases[i].of_running ? 0 : -1));
		for (size_t k = 0; rc == 0 && k < 2; k++) {
			cleanup(strbuf) struct strbuf b = STRBUF_INIT;
			const char *want = k ? cases[i].of_waiting : cases[i].of_running;

			squeue_columns_line(&b, &c, false, &rows[k]);
			check(i, b.len == strlen(want) + 1 && b.data[b.len - 1] == '\n');
			b.data[b.len - 1] = '\0';
			check_text(i, b.data, want);
		}
		squeue_columns_free(&c);
	}
}

static void names(void **state)
{
	struct job r = running();
	struct list_row row = { .job = &r, .now = NOW };
	static const struct {
		const char *format, *want;
	} cases[] = {
		{ "JobID:4,Name:.8,StateCompact:3,Container:1x", "12    a nameR  /x\n" },
		{ "jobid", "12                  \n" },
		{ "NumCPUs:.4/,NumTasks:2", "   6/2 \n" },
		{ "PendingTime:1,exit_code:4", "00:0 \n" },
		{ "", NULL },
		{ ",", NULL },
		{ "Nope", NULL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		cleanup(strbuf) struct strbuf b = STRBUF_INIT;
		struct squeue_columns c;
		int rc = squeue_columns_names(cases[i].format, false, &c, NULL);

		check(i, rc == (cases[i].want ? 0 : -1));
		if (rc == 0) {
			squeue_columns_line(&b, &c, false, &row);
			check_text(i, b.data, cases[i].want);
		}
		squeue_columns_free(&c);
	}
}

static void dependencies(void **state)
{
	struct job j = waiting();
	struct list_row row = { .job = &j, .now = NOW };
	static const struct {
		const char *text;
		enum job_reason reason;
		const char *want;
	} cases[] = {
		{ NULL, REASON_NONE, "(null)" },
		{ "afterok:3:4_5,singleton", REASON_DEPENDENCY,
		  "afterok:3(unfulfilled),afterok:4_5(unfulfilled),singleton(unfulfilled)" },
		{ "after:3+7?7", REASON_DEPENDENCY, "after:3+7(unfulfilled)?afterany:7(unfulfilled)" },
		{ "afterok:3", REASON_DEPENDENCY_NEVER, "afterok:3(failed)" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		cleanup(strbuf) struct strbuf b = STRBUF_INIT;

		j.dependency = (char *)cases[i].text;
		j.reason = cases[i].reason;
		value_dependency(&b, &row);
		check_text(i, b.data, cases[i].want);
	}
}

static void sorting(void **state)
{
	struct job a = running(), b = waiting();
	struct list_row x = { .job = &a, .now = NOW }, y = { .job = &b, .now = NOW };

	b.id = 9;
	b.name = "z";
	assert_true(squeue_compare("i", &x, &y) > 0);
	assert_true(squeue_compare("-i", &x, &y) < 0);
	assert_true(squeue_compare("t", &x, &y) > 0);
	assert_true(squeue_compare("P,t,-p", &x, &y) > 0);
	assert_true(squeue_compare("P,j", &x, &y) < 0);
	assert_true(squeue_compare("M", &x, &y) > 0);
	assert_true(squeue_compare("l", &x, &y) < 0); /* no limit is the greatest */
	assert_true(squeue_compare("u,Z", &x, &y) == 0);
	assert_true(squeue_compare("k,n", &x, &y) == 0);
	assert_int_equal(squeue_check_keys("P,t,-p,+i", NULL), 0);
	assert_int_equal(squeue_check_keys("P,~", NULL), -1);
}

static void accounts(void **state)
{
	struct job r = running(), w = waiting();
	struct step s = { .job = 12,
			  .id = STEP_BATCH,
			  .name = "batch",
			  .state = JOB_CANCELLED,
			  .start = NOW - 90061,
			  .end = NOW,
			  .ntasks = 1,
			  .cpus_per_task = 2,
			  .cancelled_by = 7,
			  .exit_code = 0,
			  .exit_signal = 9 };
	const struct list_row rows[] = { { .job = &r, .now = NOW, .accounting = true },
					 { .job = &w, .now = NOW, .accounting = true },
					 { .job = &r, .step = &s, .now = NOW, .accounting = true } };
	static const struct {
		const char *format, *of[3];
	} cases[] = {
		{ "jobid,state,exitcode", { "12|RUNNING|0:0", "10_2|PENDING|0:0", "12.batch|CANCELLED by 7|0:9" } },
		{ "jobidraw,jobname,partition,account",
		  { "12|a name|local|", "12|a name|local|", "12.batch|batch||" } },
		{ "alloccpus,ncpus,reqcpus,ntasks", { "6|6|4|", "0|0|4|", "2|2|2|1" } },
		{ "elapsed,elapsedraw,cputime",
		  { "01:01:01|3661|06:06:06", "00:00:00|0|00:00:00", "1-01:01:01|90061|2-02:02:02" } },
		{ "start,end,nodelist",
		  { "2030-06-19T10:58:59|Unknown|host", "Unknown|Unknown|None assigned",
		    "2030-06-18T10:58:59|2030-06-19T12:00:00|host" } },
		{ "timelimit,timelimitraw,reqmem", { "02:00:00|120|1536M", "UNLIMITED|UNLIMITED|0", "||" } },
		{ "container,maxrss,comment", { "/bundles/a||", "/bundles/a||", "||" } },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sacct_columns c = { .delimiter = "|" };

		assert_int_equal(sacct_columns_add(&c, cases[i].format, NULL), 0);
		for (size_t k = 0; k < 3; k++) {
			cleanup(strbuf) struct strbuf b = STRBUF_INIT;

			sacct_columns_row(&b, &c, &rows[k]);
			b.data[b.len - 1] = '\0';
			check_text(i * 10 + k, b.data, cases[i].of[k]);
		}
		sacct_columns_free(&c);
	}
}

static void account_widths(void **state)
{
	struct job r = running();
	const struct list_row row = { .job = &r, .now = NOW, .accounting = true };
	cleanup(strbuf) struct strbuf b = STRBUF_INIT;
	struct sacct_columns c = { 0 };

	r.name = "a long name indeed";
	assert_int_equal(sacct_columns_add(&c, "jobid,jobname,state%-9,jobname%4", NULL), 0);
	sacct_columns_titles(&b, &c);
	sacct_columns_row(&b, &c, &row);
	assert_string_equal(b.data, "JobID           JobName State     JobN \n"
				    "------------ ---------- --------- ---- \n"
				    "12           a long na+ RUNNING   a l+ \n");
	sacct_columns_free(&c);
}

static void filters(void **state)
{
	struct job r = running(), w = waiting();
	static const struct {
		const char *ids, *states, *users, *names;
		bool running, waiting;
	} cases[] = {
		{ NULL, "all", NULL, NULL, true, true },
		{ NULL, "R", NULL, NULL, true, false },
		{ NULL, "pd,completed", NULL, NULL, false, true },
		{ "12", "all", NULL, NULL, true, true }, /* the element's own number, too */
		{ "10", "all", NULL, NULL, false, true },
		{ "10_2", "all", NULL, NULL, false, true },
		{ "10_[1,3],99", "all", NULL, NULL, false, false },
		{ "10_[1-2],99", "all", NULL, NULL, false, true },
		{ "12_2", "all", NULL, NULL, false, false },
		{ NULL, "all", "1000", NULL, true, true },
		{ NULL, "all", "0", NULL, false, false },
		{ NULL, "all", NULL, "a name,b", true, true },
		{ NULL, "all", NULL, "b", false, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct list_filter f = { 0 };

		check(i, !cases[i].ids || list_filter_ids(&f, cases[i].ids, NULL) == 0);
		check(i, list_filter_states(&f, cases[i].states, NULL) == 0);
		check(i, !cases[i].users || list_filter_users(&f, cases[i].users, NULL) == 0);
		list_filter_add(&f.names, cases[i].names);
		check(i, list_filter_job(&f, &r) == cases[i].running);
		check(i, list_filter_job(&f, &w) == cases[i].waiting);
		list_filter_free(&f);
	}
}

static void bad_filters(void **state)
{
	struct list_filter f = { 0 };

	assert_int_equal(list_filter_ids(&f, "12,x", NULL), -1);
	assert_int_equal(list_filter_ids(&f, "12_[1", NULL), -1);
	assert_int_equal(list_filter_states(&f, "R,nope", NULL), -1);
	list_filter_free(&f);
}

static void json(void **state)
{
	struct job w = waiting();
	struct json_object *o = list_json_job(&w), *account = list_json_account(&w, NULL);

	w.name = "\"quoted\"\n";
	assert_string_equal(json_object_to_json_string_ext(json_object_object_get(o, "job_state"), 0), "[\"PENDING\"]");
	assert_string_equal(json_object_to_json_string_ext(json_object_object_get(o, "array_task_id"), 0),
			    "{\"set\":true,\"infinite\":false,\"number\":2}");
	assert_string_equal(json_object_to_json_string_ext(json_object_object_get(o, "time_limit"), 0),
			    "{\"set\":false,\"infinite\":true,\"number\":0}");
	assert_string_equal(json_object_get_string(json_object_object_get(o, "container")), "/bundles/a");
	assert_string_equal(json_object_to_json_string_ext(json_object_object_get(account, "state"), 0),
			    "{\"current\":[\"PENDING\"],\"reason\":\"Priority\"}");
	json_object_put(o);
	json_object_put(account);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters), cmocka_unit_test(names),	  cmocka_unit_test(dependencies),
		cmocka_unit_test(sorting), cmocka_unit_test(accounts),	  cmocka_unit_test(account_widths),
		cmocka_unit_test(filters), cmocka_unit_test(bad_filters), cmocka_unit_test(json),
	};

	setenv("TZ", "UTC", 1);
	unsetenv("SLURM_TIME_FORMAT");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
