/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CONFIG_OCI_KEYS_H
#define BERTH_CONFIG_OCI_KEYS_H

#include "config/lexer.h"
#include "config/oci_conf.h"

/* The table behind oci.conf's keys, and how each value is read. */

struct oci_key_info;

/* *offset: of what is wrong, in the value. */
typedef int oci_key_set_fn(struct oci_conf *c, const struct oci_key_info *k, const char *value, size_t *offset,
			   struct err *e);

struct oci_key_info {
	const char *name;
	oci_key_set_fn *set;
	size_t field;	   /* offset in struct oci_conf */
	size_t flag;	   /* of a second field, for regular expressions */
	const char *deflt; /* as it would be written */
	const char *accepts;
};

extern const struct oci_key_info oci_keys[OCI_KEY_COUNT];

/* The key that NAME means, in any case and either spelling; OCI_KEY_COUNT where there is none. */
enum oci_key oci_key_find(const char *name);
/* The known key that is nearest to NAME, or NULL where none is near. */
const char *oci_key_nearest(const char *name);
/* The operation behind a RunTime key, or OCI_OP_COUNT. */
enum oci_op oci_key_op(enum oci_key key);

/* False where compiling this extended regular expression could take more than a few megabytes. */
bool oci_regex_is_bounded(const char *s);

/*
 * Fills in Exec, Pause and Resume where they are not set and the other operations are those of a runtime whose verbs
 * are known.
 */
void oci_conf_derive(struct oci_conf *c);

#endif
