/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/path.h"
#include "base/str.h"
#include "task/environment.h"

static char *joined(char *const *env)
{
	struct strbuf b = STRBUF_INIT;

	for (; env && *env; env++)
		strbuf_addf(&b, "%s%s", b.len ? "|" : "", *env);
	return strbuf_take(&b);
}

static struct oci_conf *conf_of(const char *text)
{
	cleanup(free) char *whole = NULL;
	struct oci_conf *c = NULL;
	struct err e = ERR_INIT;

	assert_true(asprintf(&whole, "RunTimeRun=\"crun run x\"\n%s\n", text) > 0);
	if (oci_conf_parse("test", whole, strlen(whole), &c, &e) < 0)
		fail_msg("%s", e.msg);
	return c;
}

static void test_container(void **state)
{
	static const struct {
		const char *conf, *image, *task, *export, *mark, *want;
	} rows[] = {
		{ "", "", "", "", NULL, "" },
		{ "", "A=1|B=2", "B=3|C=4", "", NULL, "A=1|B=3|C=4" },
		{ "", "PATH=/i", "PATH=/h|LD_PRELOAD=x|LDX=1", "", NULL, "PATH=/i|LDX=1" },
		{ "", "PATH=/i", "PATH=/h|LD_PRELOAD=x", "PATH|LD_PRELOAD", NULL, "PATH=/h|LD_PRELOAD=x" },
		{ "", "", "PATH=/h", "LD_X", NULL, "" },
		{ "EnvExclude=\"^(A|B)=\"", "A=image", "A=1|B=2|AB=3", "", NULL, "A=image|AB=3" },
		{ "EnvExclude=.", "", "A=1", "", "M=1", "M=1" },
		{ "", "", "M=2|A=", "", "M=1", "M=1|A=" },
		{ "", "", "A=1|A=2", "", NULL, "A=2" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct task t = TASK_INIT;
		cleanup(strv) char **image = str_split(rows[i].image, "|");
		cleanup(strv) char **env = NULL;
		cleanup(free) char *got = NULL;

		t.conf = conf_of(rows[i].conf);
		t.request.env = str_split(rows[i].task, "|");
		t.request.explicit_env = str_split(rows[i].export, "|");
		t.request.mark = rows[i].mark ? strdup(rows[i].mark) : NULL;
		env = environment_for_container(&t, *rows[i].image ? image : NULL);
		got = joined(env);
		check_text(i, got, rows[i].want);
		oci_conf_free(t.conf);
		request_free(&t.request);
	}
}

static void test_runtime(void **state)
{
	static const struct {
		const char *conf, *task, *want; /* without PATH, which comes last */
	} rows[] = {
		{ "", "", "" },
		{ "", "A=1|LD_PRELOAD=x|LD_LIBRARY_PATH=/y|HOME=/h", "A=1|HOME=/h|" },
		{ "", "PATH=/one|A=1|PATH=/two", "A=1|" },
		{ "RunTimeEnvExclude=\"^SECRET\"", "SECRET=1|SECRETS=2|A=SECRET", "A=SECRET|" },
		{ "EnvExclude=\"^A=\"", "A=1", "A=1|" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct task t = TASK_INIT;
		cleanup(strv) char **env = NULL;
		cleanup(free) char *got = NULL, *want = NULL;

		t.conf = conf_of(rows[i].conf);
		t.request.env = str_split(rows[i].task, "|");
		env = environment_for_runtime(&t);
		got = joined(env);
		assert_true(asprintf(&want, "%sPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
				     rows[i].want) > 0);
		check_text(i, got, want);
		oci_conf_free(t.conf);
		request_free(&t.request);
	}
}

static void test_file(void **state)
{
	static const struct {
		const char *value, *want; /* '~' for NUL */
	} rows[] = {
		{ "null", "A=1~B=x\ny~C=~" },
		{ "true", "A=1~B=x\ny~C=~" },
		{ "newline", "A=1\nC=\n" },
		{ "disabled", NULL },
		{ "false", NULL },
	};
	char *const env[] = { "A=1", "B=x\ny", "C=", NULL };

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup(free) char *line = NULL, *text = NULL;
		struct task t = TASK_INIT;
		size_t len = 0;
		int r;

		assert_true(asprintf(&line, "CreateEnvFile=%s", rows[i].value) > 0);
		t.conf = conf_of(line);
		t.folder.fd = open(*state, O_DIRECTORY | O_CLOEXEC);
		unlinkat(t.folder.fd, ENVIRONMENT_FILE, 0);
		check(i, environment_write_file(&t, env, NULL) == 0);
		r = path_read_file(t.folder.fd, ENVIRONMENT_FILE, 4096, &text, &len, NULL, NULL);
		check(i, (r == 0) == (rows[i].want != NULL));
		for (size_t k = 0; k < len; k++)
			text[k] = text[k] ? text[k] : '~';
		if (rows[i].want)
			check_text(i, text, rows[i].want);
		close(t.folder.fd);
		oci_conf_free(t.conf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_container),
		cmocka_unit_test(test_runtime),
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
