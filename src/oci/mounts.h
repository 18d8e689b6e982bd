/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_OCI_MOUNTS_H
#define BERTH_OCI_MOUNTS_H

#include <stdbool.h>

#include "base/err.h"
#include "oci/bundle.h"

/*
 * Mounts of our own beside those of config.json, and the mount points of all of them. A runtime makes a missing mount
 * point in the root file system, which is the user's and stays as it is; so the folder that lacks one is replaced by a
 * skeleton: a folder of ours with an empty place for each of its entries, onto which the entry itself is bound, and the
 * missing mount point besides. Only where `/` itself lacks one does root.path change.
 */
struct mount_plan;

/*
 * SKELETON is a folder that mounts_apply makes (0700's worth of ours, on the host) once one is needed; its parent
 * exists. B must outlive the plan.
 */
struct mount_plan *mount_plan_new(struct bundle *b, const char *skeleton);
void mount_plan_free(struct mount_plan *p);
void cleanup_mount_plan(struct mount_plan **p);

/* True where PATH exists in the container: in the root file system, or in what config.json mounts over it. */
bool mount_plan_has(struct mount_plan *p, const char *path);
/* True where config.json mounts something at PATH or above it. */
bool mount_plan_covers(struct mount_plan *p, const char *path);
/* True where a tmpfs of the container's own is mounted at PATH or above it: nothing made there stays. */
bool mount_plan_private(struct mount_plan *p, const char *path);

/*
 * True where a bind to TARGET needs no mount point to be made in the root file system or in a folder of the host that
 * config.json binds.
 */
bool mount_plan_can(struct mount_plan *p, const char *target);

/* Binds the host's SOURCE, a folder or a file, to TARGET, an absolute path inside, after all mounts of config.json. */
void mount_plan_bind(struct mount_plan *p, const char *source, const char *target, bool readonly);

/*
 * Puts it all into the bundle's configuration. A mount point whose folder holds too much for a skeleton, or cannot be
 * read, is left to the runtime.
 */
int mount_plan_apply(struct mount_plan *p, struct err *e);

#endif
