/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TESTS_BUNDLE_H
#define BERTH_TESTS_BUNDLE_H

#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "oci/bundle.h"
#include "oci/json.h"

/* For tests of what is made of a bundle: DIR/b with this config.json and a root file system of these folders. */

static inline void make_at(const char *dir, const char *name, const char *text)
{
	cleanup(free) char *path = path_join(dir, name);

	unlink(path);
	if (path_write_new(AT_FDCWD, path, text, strlen(text), 0644, NULL) < 0)
		fail_msg("cannot write %s", path);
}

static inline void make_rootfs_at(const char *bundle)
{
	static const char *const folders[] = { "rootfs/etc", "rootfs/dev", "rootfs/tmp", "rootfs/usr/bin",
					       "rootfs/real/deep" };

	for (size_t i = 0; i < COUNT(folders); i++) {
		cleanup(free) char *path = path_join(bundle, folders[i]);

		assert_int_equal(path_mkdirs(path, 0755, NULL), 0);
	}
	make_at(bundle, "rootfs/etc/passwd", "root:x:0:0::/:/bin/sh\n");
}

static inline char *make_bundle_at(const char *dir, const char *config)
{
	char *bundle = path_join(dir, "b");

	path_remove_tree(AT_FDCWD, bundle, NULL);
	assert_int_equal(path_mkdirs(bundle, 0755, NULL), 0);
	make_rootfs_at(bundle);
	make_at(bundle, "config.json", config);
	return bundle;
}

static inline void load_bundle_at(const char *dir, const char *config, struct bundle *b)
{
	cleanup(free) char *bundle = make_bundle_at(dir, config);
	struct err e = ERR_INIT;

	if (bundle_load(bundle, b, &e) < 0)
		fail_msg("%s", e.msg);
}

#endif
