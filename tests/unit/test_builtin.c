/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "config/builtin.h"
#include "config/oci_conf.h"

/* Runtimes that note their calls in "calls" beside them; `fails` below their name makes them fail. */
static const char runtime[] = "#!/bin/sh\n"
			      "d=${0%/*}; n=${0##*/}\n"
			      "echo \"$n $*\" >>\"$d/calls\"\n"
			      "[ ! -e \"$d/$n.fails\" ] || { echo first >&2; echo \"$n is unwell\" >&2; exit 1; }\n"
			      "case \" $* \" in *\" run \"*) [ -x rootfs/init ] && [ -s config.json ];; esac\n";

static char folder[] = "/tmp/berth-test-builtin.XXXXXX";
static char *bin, *cache, *env_cache;

static void put(const char *name, const char *text)
{
	cleanup(close) int dir = open(bin, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e = ERR_INIT;

	unlinkat(dir, name, 0);
	if (path_write_new(dir, name, text, strlen(text), 0755, &e) < 0)
		fail_msg("%s", e.msg);
}

static void drop(const char *name)
{
	cleanup(free) char *path = path_join(bin, name);

	unlink(path);
}

static size_t calls(void)
{
	cleanup(free) char *text = NULL;
	cleanup(free) char *path = path_join(bin, "calls");
	struct err e = ERR_INIT;
	size_t n = 0;

	if (path_read_file(AT_FDCWD, path, 1 << 20, &text, NULL, NULL, &e) < 0)
		return 0;
	for (const char *s = text; (s = strchr(s, '\n')) != NULL; s++)
		n++;
	return n;
}

static void choose(struct runtime_choice *c)
{
	char *const env[] = { env_cache, NULL };
	cleanup(free) char *init = path_join(bin, "init");
	const struct runtime_places places = { .path = bin, .init = init, .env = env };
	struct err e = ERR_INIT;

	if (runtime_choose(&places, c, &e) < 0)
		fail_msg("%s", e.msg);
}

static void test_choice(void **state)
{
	struct runtime_choice c;

	(void)state;
	choose(&c);
	assert_int_equal(c.chosen, -1);
	assert_null(c.tried[0].path);
	runtime_choice_free(&c);

	put("runc", runtime);
	choose(&c);
	assert_int_equal(c.chosen, 1);
	assert_int_equal(calls(), 1);
	runtime_choice_free(&c);
	choose(&c); /* remembered */
	assert_int_equal(c.chosen, 1);
	assert_int_equal(calls(), 1);
	runtime_choice_free(&c);

	put("crun.fails", "");
	put("crun", runtime); /* a new runtime is a reason to look again: run and delete of crun, run of runc */
	choose(&c);
	assert_int_equal(c.chosen, 1);
	assert_string_equal(c.tried[0].why, "crun is unwell");
	assert_int_equal(calls(), 4);
	runtime_choice_free(&c);
	choose(&c);
	assert_int_equal(c.chosen, 1);
	assert_string_equal(c.tried[0].why, "crun is unwell");
	assert_int_equal(calls(), 4);
	runtime_choice_free(&c);

	drop("crun.fails");
	put("crun", runtime);
	choose(&c);
	assert_int_equal(c.chosen, 0);
	assert_null(c.tried[0].why);
	runtime_choice_free(&c);
}

/* What the user cannot write, or did not write, is not believed. */
static void test_memory_is_private(void **state)
{
	cleanup(free) char *sub = path_join(cache, "berth");
	struct runtime_choice c;
	size_t before = calls();

	(void)state;
	choose(&c);
	runtime_choice_free(&c);
	assert_int_equal(calls(), before);
	assert_int_equal(chmod(sub, 0777), 0);
	put("crun", runtime);
	choose(&c);
	runtime_choice_free(&c);
	choose(&c);
	runtime_choice_free(&c);
	assert_int_equal(calls(), before + 2);
	assert_int_equal(chmod(sub, 0700), 0);
}

static void test_nothing_works(void **state)
{
	struct runtime_choice c;

	(void)state;
	put("crun.fails", "");
	put("runc.fails", "");
	put("crun", runtime);
	put("runc", runtime);
	choose(&c);
	assert_int_equal(c.chosen, -1);
	assert_string_equal(c.tried[0].why, "crun is unwell");
	assert_string_equal(c.tried[1].why, "runc is unwell");
	runtime_choice_free(&c);
	drop("runc.fails");
	choose(&c); /* a failure is not remembered */
	assert_int_equal(c.chosen, 1);
	runtime_choice_free(&c);
}

static void test_text(void **state)
{
	static const char *const names[] = { "crun", "runc" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		cleanup(free) char *path = xasprintf("/usr/bin/%s", names[i]);
		cleanup(free) char *text = builtin_conf_text(names[i], path);
		cleanup(oci_conf) struct oci_conf *c = NULL;
		const struct pattern_values v = { .bundle = "/b b", .spool = "/s s", .node = "n", .uid = 5, .job = 1 };
		cleanup(strv) char **argv = NULL;
		struct err e = ERR_INIT;

		if (oci_conf_parse("built-in", text, strlen(text), &c, &e) < 0)
			fail_msg("%s", e.msg);
		assert_null(c->warnings);
		argv = pattern_argv(c->op[OCI_OP_RUN], &v);
		assert_string_equal(argv[0], path);
		assert_string_equal(argv[2], "--root=/s s/.runtime");
		assert_string_equal(argv[5], "/b b");
		assert_string_equal(argv[6], "n.5.1.0.0");
		assert_non_null(c->op[OCI_OP_EXEC]);
	}
}

static struct oci_conf *find(enum conf_search search, const char *file, char *const *env, struct err *e)
{
	struct oci_conf *c = NULL;

	oci_conf_find(search, file, env, &c, e);
	return c;
}

/* --config, then the user's two for the embedded engine alone. */
static void test_search(void **state)
{
	cleanup(free) char *named = xasprintf("%s/named.conf", bin);
	cleanup(free) char *own = xasprintf("%s/berth/oci.conf", folder);
	cleanup(free) char *in_env = xasprintf("BERTH_OCI_CONF=%s", named);
	cleanup(free) char *in_home = xasprintf("XDG_CONFIG_HOME=%s", folder);
	char *const env[] = { in_home, in_env, NULL };
	char *const env_home[] = { in_home, NULL };
	struct err e = ERR_INIT;
	struct oci_conf *c;

	(void)state;
	put("named.conf", "RunTimeRun=named");
	put("../berth/oci.conf", "RunTimeRun=own");
	c = find(CONF_SEARCH_SITE, named, env_home, &e);
	assert_string_equal(c->source, named);
	oci_conf_free(c);
	c = find(CONF_SEARCH_EMBEDDED, NULL, env, &e);
	assert_string_equal(c->source, named);
	oci_conf_free(c);
	c = find(CONF_SEARCH_EMBEDDED, NULL, env_home, &e);
	assert_string_equal(c->source, own);
	oci_conf_free(c);
	assert_null(find(CONF_SEARCH_SITE, NULL, env, &e)); /* there is no site's file beside this test */
	assert_non_null(strstr(e.msg, "no configuration: "));
	put("../berth/oci.conf", "RunTimeRun");
	assert_null(find(CONF_SEARCH_EMBEDDED, NULL, env_home, &e));
	assert_non_null(strstr(e.msg, "oci.conf:1:1: "));
}

static int set_up(void **state)
{
	cleanup(free) char *own = NULL;

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	bin = xasprintf("%s/bin", folder);
	cache = xasprintf("%s/cache", folder);
	own = xasprintf("%s/berth", folder);
	env_cache = xasprintf("XDG_CACHE_HOME=%s", cache);
	if (mkdir(bin, 0700) < 0 || mkdir(own, 0700) < 0)
		return -1;
	put("init", "not run by these runtimes");
	return 0;
}

static int tear_down(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	free(bin);
	free(cache);
	free(env_cache);
	return path_remove_tree(AT_FDCWD, folder, &e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choice),	      cmocka_unit_test(test_memory_is_private),
		cmocka_unit_test(test_nothing_works), cmocka_unit_test(test_text),
		cmocka_unit_test(test_search),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
