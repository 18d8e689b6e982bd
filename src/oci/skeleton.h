/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_OCI_SKELETON_H
#define BERTH_OCI_SKELETON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * Folders that stand in for those of a root file system which lack a mount point: each holds an empty file or folder
 * for every entry of the original, a copy of every link, and the missing mount points. Binding the originals' entries
 * onto theirs shows the original with the mount points added. Nothing is made in the root file system.
 */
struct skeleton;

/* All borrowed until skeleton_free. DIR is made by skeleton_make once it is needed. */
struct skeleton *skeleton_new(const char *rootfs, int rootfs_fd, const char *dir);
void skeleton_free(struct skeleton *s);

/* True where a skeleton of this folder of the root file system can be made. */
bool skeleton_possible(int rootfs_fd, const char *folder);

/* PATH, whose links are resolved, is missing from the byte AT on (that of a slash). */
void skeleton_add(struct skeleton *s, const char *path, size_t at, bool is_file);

/*
 * Makes the folders. EMIT is told each pair to be bound, in order: a host path and its place in the container.
 * IS_TARGET says which places something is mounted on later, so that binding there first can be spared. *root (the
 * caller's, else NULL) is what the root file system has to be replaced by. A folder with too many entries, or one that
 * cannot be read, is passed over.
 */
typedef bool skeleton_target_fn(void *arg, const char *path);
typedef void skeleton_emit_fn(void *arg, const char *source, const char *target);
int skeleton_make(struct skeleton *s, skeleton_target_fn *is_target, void *target_arg, skeleton_emit_fn *emit,
		  void *emit_arg, char **root, struct err *e);

#endif
