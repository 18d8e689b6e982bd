/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_IMAGE_IMAGE_USER_H
#define BERTH_IMAGE_IMAGE_USER_H

#include <stdint.h>

#include "base/err.h"

/* A user of an image, looked up in the image's own /etc/passwd, with the image as root of every path. */
struct image_user {
	uint32_t uid;
	char *home; /* NULL where the image does not know the user */
};

/* USER is as in an image's configuration: "", "name", "uid", each with an optional ":group" (which is not looked at).
 */
int image_user_find(int rootfs_fd, const char *user, struct image_user *out, struct err *e);

#endif
