/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_IMAGE_SOURCE_H
#define BERTH_IMAGE_SOURCE_H

#include "base/err.h"

/* What a bundle is made from. */
enum source_kind {
	SOURCE_FOLDER, /* a root file system */
	SOURCE_TAR,    /* of one, compressed or not */
	SOURCE_STDIN,  /* the same on stdin */
	SOURCE_IMAGE,  /* what skopeo(1) calls a transport: oci:, docker://, docker-archive: */
	SOURCE_DEBIAN, /* a suite for mmdebstrap(1) */
};

struct source {
	enum source_kind kind;
	const char *text; /* the path, skopeo's name or the suite; borrowed from the text that was parsed */
};

/* A path that is not there, or is neither a folder nor a file, is an error that says what is accepted. */
int source_parse(const char *text, struct source *out, struct err *e);

#endif
