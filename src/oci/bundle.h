/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_OCI_BUNDLE_H
#define BERTH_OCI_BUNDLE_H

#include <stdbool.h>
#include <sys/types.h>

#include <json-c/json_object.h>

#include "base/err.h"

/*
 * A bundle's configuration (OCI runtime specification, config.md) on its way from the user's bundle to the generated
 * one. The user's bundle is only read.
 */
struct bundle {
	char *dir; /* the user's bundle, absolute, links resolved */
	struct json_object *config;
	char *rootfs; /* root.path, absolute, links resolved */
	int rootfs_fd;
	bool readonly; /* root.readonly */
	char **env;    /* process.env */
	char **args;   /* process.args */
	char *cwd;     /* process.cwd */
};

#define BUNDLE_INIT ((struct bundle){ .rootfs_fd = -1 })

/*
 * Reads DIR/config.json and opens the root file system. Errors name the file and the JSON pointer, and what to do
 * next. The result is for bundle_free.
 */
int bundle_load(const char *dir, struct bundle *out, struct err *e);
void bundle_free(struct bundle *b);
void cleanup_bundle(struct bundle *b);

/* Takes the hooks of these kinds (OR of enum oci_hook) out. */
void bundle_drop_hooks(struct bundle *b, unsigned kinds);

/*
 * A mapping of one id, all that a user may have without subordinate ids, is made to name the caller's id: a bundle that
 * somebody else prepared then serves every user. Other mappings stay.
 */
int bundle_own_ids(struct bundle *b, uid_t uid, gid_t gid, struct err *e);

/*
 * Where nothing is mounted on /dev, a runtime makes its device files in the root file system, which is the user's: the
 * usual file systems are then mounted there.
 */
int bundle_add_dev(struct bundle *b, struct err *e);

/* Writes the configuration as DIR_FD/config.json, 0600. */
int bundle_write(struct bundle *b, int dir_fd, struct err *e);

#endif
