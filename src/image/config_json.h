/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_IMAGE_CONFIG_JSON_H
#define BERTH_IMAGE_CONFIG_JSON_H

#include <json-c/json_object.h>
#include <stdbool.h>

#include "base/err.h"

/* Who the user is inside: root, which crun and runc both can do, or themselves, which runc 1.1 cannot. */
enum config_userns {
	CONFIG_USERNS_ROOT,
	CONFIG_USERNS_KEEP_ID,
};

struct config_json_options {
	enum config_userns userns;
	const char *root_path; /* of the root file system, as config.json names it */
	bool read_only;
};

/*
 * A config.json for a container as a job's, without privileges: the host's network and host name, namespaces of its own
 * for users, mounts, processes and IPC, one uid and one gid. IMAGE is the image's configuration (OCI image
 * specification, config.md) or NULL. What a user should know is added to NOTES (a strv array).
 */
int config_json_make(int rootfs_fd, struct json_object *image, const struct config_json_options *o,
		     struct json_object **out, char ***notes, struct err *e);

/* Makes the mount points of such a config.json in a root file system that is ours to write, and its working folder. */
int config_json_mount_points(int rootfs_fd, struct json_object *config, struct err *e);

#endif
