/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_IMAGE_CHECK_PARTS_H
#define BERTH_IMAGE_CHECK_PARTS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "image/check.h"

/* What the parts of check_bundle share. */

enum check_ns {
	CHECK_NS_PID = 1 << 0,
	CHECK_NS_NETWORK = 1 << 1,
	CHECK_NS_IPC = 1 << 2,
	CHECK_NS_UTS = 1 << 3,
	CHECK_NS_MOUNT = 1 << 4,
	CHECK_NS_USER = 1 << 5,
	CHECK_NS_CGROUP = 1 << 6,
	CHECK_NS_TIME = 1 << 7,
};

struct check {
	struct check_result *result;
	struct json_object *doc;
	const char *dir;
	int rootfs;	     /* descriptor, or -1 */
	unsigned namespaces; /* OR of enum check_ns */
	unsigned joined;     /* those of them that exist already (path) */
};

void check_error(struct check *c, const char *pointer, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void check_warning(struct check *c, const char *pointer, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* An error of json_get_*, which begins with its pointer. */
void check_typed(struct check *c, const struct err *e);

/* Typed values that report what is wrong; NULL or 0 where the value is missing or was wrong. */
const char *check_string(struct check *c, const char *pointer);
const char *check_need_string(struct check *c, const char *pointer);
char **check_strings(struct check *c, const char *pointer); /* for strv_free */
void check_bool(struct check *c, const char *pointer);
struct json_object *check_object(struct check *c, const char *pointer);
size_t check_array(struct check *c, const char *pointer); /* its length */
/* False where it is missing or wrong. */
bool check_u32(struct check *c, const char *pointer, uint32_t *out);

/* True where ID is one of /linux/uidMappings (WHICH "uid") or gidMappings ("gid"), or no mapping is asked for. */
bool check_is_mapped(struct check *c, const char *which, uint32_t id);

void check_namespaces(struct check *c);
void check_linux(struct check *c);
void check_process(struct check *c);
void check_mounts(struct check *c);
void check_hooks(struct check *c);

#endif
