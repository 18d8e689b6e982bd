/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle.h"

#include <json-c/json_object_iterator.h>

#include "base/str.h"
#include "config/oci_conf.h"

static void test_load_errors(void **state)
{
	static const struct {
		const char *config, *error;
	} rows[] = {
		{ "", "config.json" },
		{ "[]", "config.json" },
		{ "{}", "/root/path: missing" },
		{ "{\"root\":{\"path\":\"\"}}", "/root/path: missing" },
		{ "{\"root\":{\"path\":\"none\"},\"process\":{}}", "/root/path: " },
		{ "{\"root\":{\"path\":\"config.json\"},\"process\":{}}", "/root/path: " },
		{ "{\"root\":{\"path\":1},\"process\":{}}", "/root/path: expected a string" },
		{ "{\"root\":{\"path\":\"rootfs\",\"readonly\":1},\"process\":{}}", "/root/readonly: expected" },
		{ "{\"root\":{\"path\":\"rootfs\"}}", "/process: missing" },
		{ "{\"root\":{\"path\":\"rootfs\"},\"process\":{\"args\":{}}}", "/process/args: expected an array" },
		{ "{\"root\":{\"path\":\"rootfs\"},\"process\":{\"env\":[\"a\",1]}}", "/process/env" },
		{ "{\"root\":{\"path\":\"rootfs\"},\"process\":{\"cwd\":[]}}", "/process/cwd: expected a string" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup(free) char *dir = make_bundle_at(*state, rows[i].config);
		struct bundle b;
		struct err e = ERR_INIT;

		check(i, bundle_load(dir, &b, &e) < 0);
		if (!strstr(e.msg, rows[i].error) || !str_starts(e.msg, "bundle "))
			fail_msg("row %d: %s", (int)i, e.msg);
		bundle_free(&b);
	}
}

static void test_load(void **state)
{
	cleanup(free) char *root = NULL;
	struct bundle b;

	load_bundle_at(
		*state,
		"{\"root\":{\"path\":\"./rootfs/usr/..//\",\"readonly\":true},\"process\":{\"args\":[\"a\",\"\"],"
		"\"env\":[\"A=1\"]}}",
		&b);
	root = path_join(b.dir, "rootfs");
	assert_string_equal(b.rootfs, root);
	assert_true(b.readonly && b.rootfs_fd >= 0);
	assert_int_equal(strv_len(b.args), 2);
	assert_string_equal(b.env[0], "A=1");
	assert_string_equal(b.cwd, "/");
	bundle_free(&b);
}

static void test_hooks(void **state)
{
	static const char config[] = "{\"root\":{\"path\":\"rootfs\"},\"process\":{},\"hooks\":{\"prestart\":[1],"
				     "\"createRuntime\":[2],\"createContainer\":[3],\"startContainer\":[4],"
				     "\"poststart\":[5],\"poststop\":[6],\"other\":[7]}}";
	static const struct {
		unsigned drop;
		const char *left;
	} rows[] = {
		{ 0, "1234567" },
		{ OCI_HOOK_PRESTART, "234567" },
		{ OCI_HOOK_CREATE_RUNTIME | OCI_HOOK_POSTSTOP, "13457" },
		{ OCI_HOOK_CREATE_CONTAINER | OCI_HOOK_START_CONTAINER | OCI_HOOK_POSTSTART, "1267" },
		{ 0x3f, "7" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bundle b;
		char left[16] = "";

		load_bundle_at(*state, config, &b);
		bundle_drop_hooks(&b, rows[i].drop);
		for (struct json_object_iterator it = json_object_iter_begin(json_at(b.config, "/hooks")),
						 end = json_object_iter_end(json_at(b.config, "/hooks"));
		     !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
			struct json_object *list = json_object_iter_peek_value(&it);

			strcat(left, json_object_to_json_string(json_object_array_get_idx(list, 0)));
		}
		check_text(i, left, rows[i].left);
		bundle_free(&b);
	}
}

static void test_own_ids(void **state)
{
	static const struct {
		const char *mappings;
		uint64_t first; /* host id afterwards */
		bool good;
	} rows[] = {
		{ "[{\"containerID\":0,\"hostID\":5,\"size\":1}]", 1234, true },
		{ "[{\"containerID\":7,\"hostID\":5,\"size\":1}]", 1234, true },
		{ "[{\"containerID\":0,\"hostID\":5,\"size\":2}]", 5, true },
		{ "[{\"containerID\":0,\"hostID\":5,\"size\":1},{\"containerID\":1,\"hostID\":9,\"size\":1}]", 5,
		  true },
		{ "[]", 0, true },
		{ "{}", 0, false },
		{ "[{\"containerID\":0,\"hostID\":5,\"size\":\"1\"}]", 5, false },
		{ "[5]", 0, true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup(free) char *config = NULL;
		struct bundle b;
		struct err e = ERR_INIT;
		uint64_t host = 0;

		assert_true(asprintf(&config,
				     "{\"root\":{\"path\":\"rootfs\"},\"process\":{},\"linux\":{\"uidMappings\":%s}}",
				     rows[i].mappings) > 0);
		load_bundle_at(*state, config, &b);
		check(i, (bundle_own_ids(&b, 1234, 1235, &e) == 0) == rows[i].good);
		json_get_u64(b.config, "/linux/uidMappings/0/hostID", UINT64_MAX, &host, NULL);
		check(i, host == rows[i].first);
		bundle_free(&b);
	}
}

static void test_dev(void **state)
{
	static const struct {
		const char *mounts;
		const char *targets; /* destinations afterwards */
	} rows[] = {
		{ "[]", "/dev /dev/pts /dev/shm " },
		{ "[{\"destination\":\"/dev\",\"type\":\"tmpfs\"}]", "/dev " },
		{ "[{\"destination\":\"/dev/\",\"type\":\"bind\"}]", "/dev/ " },
		{ "[{\"destination\":\"dev\"}]", "dev " },
		{ "[{\"destination\":\"/\"}]", "/ " },
		{ "[{\"destination\":\"/dev/shm\"},{\"destination\":\"/device\"}]", "/dev /dev/pts /dev/shm /device " },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup(strbuf) struct strbuf got = STRBUF_INIT;
		cleanup(free) char *config = NULL;
		struct json_object *mounts = NULL;
		struct bundle b;
		struct err e = ERR_INIT;

		assert_true(asprintf(&config, "{\"root\":{\"path\":\"rootfs\"},\"process\":{},\"mounts\":%s}",
				     rows[i].mounts) > 0);
		load_bundle_at(*state, config, &b);
		check(i, bundle_add_dev(&b, &e) == 0);
		check(i, json_get_array(b.config, "/mounts", &mounts, &e) == 0 && mounts);
		for (size_t k = 0; k < json_object_array_length(mounts); k++) {
			const char *at = "";

			json_get_string(json_object_array_get_idx(mounts, k), "/destination", &at, NULL);
			strbuf_addf(&got, "%s ", at);
		}
		check_text(i, got.data, rows[i].targets);
		bundle_free(&b);
	}
}

static void test_write(void **state)
{
	static const char config[] =
		"{\"x\":{},\"n\":18446744073709551615,\"m\":-9223372036854775808,\"f\":1.50,\"e\":[{}],"
		"\"z\":null,\"root\":{\"path\":\"rootfs\",\"odd\":{}},\"process\":{\"user\":{}},"
		"\"a\":\"\\u0001\"}";
	static const char *const kept[] = { "\"x\":{}", "18446744073709551615", "-9223372036854775808", "1.50",
					    "[{}]",	"\"z\":null",		"\"odd\":{}",		"\"user\":{}" };
	cleanup(close) int fd = open(*state, O_DIRECTORY | O_CLOEXEC);
	cleanup(free) char *text = NULL;
	struct bundle b;
	struct stat st;
	size_t out = 0;

	load_bundle_at(*state, config, &b);
	assert_int_equal(bundle_write(&b, fd, NULL), 0);
	assert_int_equal(path_read_file(fd, "config.json", 1 << 20, &text, NULL, &st, NULL), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	for (char *p = text; *p; p++)
		if (*p != ' ' && *p != '\n' && *p != '\t')
			text[out++] = *p;
	text[out] = '\0';
	for (size_t i = 0; i < COUNT(kept); i++)
		check(i, strstr(text, kept[i]));
	/* Never over something that is there. */
	assert_int_equal(bundle_write(&b, fd, NULL), -1);
	bundle_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load_errors), cmocka_unit_test(test_load), cmocka_unit_test(test_hooks),
		cmocka_unit_test(test_own_ids),	    cmocka_unit_test(test_dev),	 cmocka_unit_test(test_write),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
