/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "config/oci_conf.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *const command[] = { (char *)"c", (char *)"d e", NULL };
	const struct pattern_values values = { .argv = command, .bundle = "/b", .user = "u" };
	cleanup(oci_conf) struct oci_conf *c = NULL;
	struct err e = ERR_INIT;

	if (oci_conf_parse("f", (const char *)data, size, &c, &e) < 0) {
		/* Every error names a position, in one line. */
		if (strncmp(e.msg, "f:", 2) != 0 || strspn(e.msg + 2, "0123456789") == 0)
			abort();
		return 0;
	}
	if (!c->op[OCI_OP_RUN] && !(c->op[OCI_OP_CREATE] && c->op[OCI_OP_START]))
		abort();
	for (unsigned key = 0; key < OCI_KEY_COUNT; key++) {
		cleanup(free) char *value = oci_conf_value(c, (enum oci_key)key);
		const struct pattern *p = oci_conf_pattern(c, (enum oci_key)key);

		if (!value)
			abort();
		if (p && key != OCI_KEY_CONTAINER_PATH && key != OCI_KEY_MOUNT_SPOOL_DIR) {
			cleanup(strv) char **argv = pattern_argv(p, &values);

			if (!argv)
				abort();
		}
	}
	return 0;
}
