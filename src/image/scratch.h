/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_IMAGE_SCRATCH_H
#define BERTH_IMAGE_SCRATCH_H

#include "base/err.h"

/*
 * A private folder `.NAME.berth-XXXX` beside the folder NAME that is to be made: what is ready in it is renamed, which
 * others see as one step. It is locked while its owner lives; one without a lock was left by a killed run.
 */
struct scratch {
	int parent, fd; /* of the folder that NAME is made in; of the scratch folder, holding the lock */
	char *target;	/* NAME, without its path */
	char *name;	/* of the scratch folder in its parent */
	char *path;	/* the same, absolute */
};

#define SCRATCH_INIT ((struct scratch){ .parent = -1, .fd = -1 })

/* TARGET must not be there, or be an empty folder. Removes what earlier runs left. */
int scratch_make(const char *target, struct scratch *s, struct err *e);
/* Puts the folder MEMBER of the scratch folder in the target's place. */
int scratch_publish(struct scratch *s, const char *member, struct err *e);
/* Removes the scratch folder. */
int scratch_remove(struct scratch *s, struct err *e);
void cleanup_scratch(struct scratch *s);

#endif
