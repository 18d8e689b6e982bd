/* SPDX-License-Identifier: Apache-2.0 */
#include "image/source.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/str.h"

#define FORMS "a folder, a tar file, -, oci:LAYOUT[:TAG], docker://REFERENCE, docker-archive:FILE or debian:SUITE"

static int image(const char *text, const char *rest, struct source *out, struct err *e)
{
	if (!*rest)
		return err_set(e, "'%s' names no image", text);
	*out = (struct source){ SOURCE_IMAGE, text };
	return 0;
}

static int debian(const char *suite, struct source *out, struct err *e)
{
	for (const char *p = suite; *p; p++)
		if (!isalnum((unsigned char)*p) && !(p > suite && strchr("-._+", *p)))
			return err_set(e, "'%.64s' is no Debian suite, such as bookworm or stable", suite);
	if (!*suite)
		return err_set(e, "debian: without a suite, such as debian:bookworm");
	*out = (struct source){ SOURCE_DEBIAN, suite };
	return 0;
}

/* Folders that hold an image or a bundle in place of a root file system. */
static int refuse_other_folders(const char *path, struct err *e)
{
	cleanup(free) char *layout = path_join(path, "oci-layout");
	cleanup(free) char *config = path_join(path, "config.json");
	cleanup(free) char *rootfs = path_join(path, "rootfs");

	if (access(layout, F_OK) == 0)
		return err_set(e, "%s is an OCI image layout; write oci:%s", path, path);
	if (access(config, F_OK) == 0 && access(rootfs, F_OK) == 0)
		return err_set(e, "%s is a bundle already; its root file system is %s", path, rootfs);
	return 0;
}

int source_parse(const char *text, struct source *out, struct err *e)
{
	struct stat st;

	if (strcmp(text, "-") == 0) {
		*out = (struct source){ SOURCE_STDIN, text };
		return 0;
	}
	if (str_starts(text, "docker://"))
		return image(text, text + strlen("docker://"), out, e);
	if (str_starts(text, "docker-archive:"))
		return image(text, text + strlen("docker-archive:"), out, e);
	if (str_starts(text, "oci:"))
		return image(text, text + strlen("oci:"), out, e);
	if (str_starts(text, "debian:"))
		return debian(text + strlen("debian:"), out, e);
	if (stat(text, &st) < 0) {
		if (errno == ENOENT && strstr(text, "://"))
			return err_set(e, "'%s' is none of " FORMS, text);
		return err_sys(e, errno, "%s", *text ? text : "--from=''");
	}
	if (!S_ISDIR(st.st_mode)) {
		*out = (struct source){ SOURCE_TAR, text };
		return 0;
	}
	if (refuse_other_folders(text, e) < 0)
		return -1;
	*out = (struct source){ SOURCE_FOLDER, text };
	return 0;
}
