/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <fcntl.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "image/layout.h"

#define HEX "0123456789abcdef0123456789abcdef"

static void test_digest(void **state)
{
	static const struct {
		const char *digest, *path;
	} rows[] = {
		{ "sha256:" HEX HEX, "blobs/sha256/" HEX HEX },
		{ "sha256:" HEX, "blobs/sha256/" HEX },
		{ "sha256:0123", NULL },
		{ "sha256:../../../../../../../../../../../../etc/passwd", NULL },
		{ "../x:" HEX HEX, NULL },
		{ "sha256:" HEX HEX "/x", NULL },
		{ "sha256:" HEX "G", NULL },
		{ ":" HEX, NULL },
		{ HEX, NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup(free) char *path = layout_blob_path(rows[i].digest);

		check_text(i, path, rows[i].path);
	}
}

static void put(int dir, const char *name, const char *text)
{
	unlinkat(dir, name, 0);
	assert_int_equal(path_write_new(dir, name, text, strlen(text), 0600, NULL), 0);
}

static void test_load(void **state)
{
	cleanup(close) int dir = open(*state, O_DIRECTORY | O_CLOEXEC);
	cleanup(layout) struct layout l = LAYOUT_INIT;
	cleanup(free) char *blobs = path_join(*state, "blobs/sha256");
	struct err e = ERR_INIT;

	assert_int_equal(path_mkdirs(blobs, 0700, &e), 0);
	put(dir, "index.json", "{\"manifests\":[]}");
	assert_int_equal(layout_load(dir, &l, &e), -1);
	assert_string_equal(e.msg, "index.json: /manifests/0/digest: expected a digest");
	put(dir, "index.json", "{\"manifests\":[{\"digest\":\"sha256:" HEX "\"}]}");
	put(dir, "blobs/sha256/" HEX, "{\"config\":{\"digest\":\"sha256:" HEX "00\"},\"layers\":[{}]}");
	put(dir, "blobs/sha256/" HEX "00", "{\"config\":{}}");
	assert_int_equal(layout_load(dir, &l, &e), -1);
	assert_string_equal(e.msg, "the image's manifest: /layers/0/digest: expected a digest");
	put(dir, "blobs/sha256/" HEX,
	    "{\"config\":{\"digest\":\"sha256:" HEX "00\"},\"layers\":[{\"digest\":\"sha256:" HEX "11\"}]}");
	assert_int_equal(layout_load(dir, &l, &e), 0);
	assert_string_equal(l.layers[0], "blobs/sha256/" HEX "11");
	assert_null(l.layers[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
