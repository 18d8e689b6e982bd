/* SPDX-License-Identifier: Apache-2.0 */
#include "config/install.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

/* The folders below PREFIX that hold programs, longest first. */
static const char *const program_dirs[] = { "/libexec/berth/bin", "/libexec/berth", "/bin", "/sbin" };

static char *prefix(void)
{
	char *dir = path_program_dir();

	for (size_t i = 0; dir && i < sizeof(program_dirs) / sizeof(*program_dirs); i++) {
		if (str_ends(dir, program_dirs[i])) {
			dir[strlen(dir) - strlen(program_dirs[i])] = '\0';
			break;
		}
	}
	return dir;
}

static char *below_prefix(const char *dir, const char *name)
{
	cleanup(free) char *p = prefix();

	return p ? xasprintf("%s/%s/%s", p, dir, name) : NULL;
}

char *install_libexec(const char *name)
{
	return below_prefix("libexec/berth", name);
}

char *install_data(const char *name)
{
	return below_prefix("share/berth", name);
}

char *install_sysconf(const char *name)
{
	cleanup(free) char *p = prefix();

	if (p && (!*p || strcmp(p, "/usr") == 0))
		return xasprintf("/etc/berth/%s", name);
	return p ? xasprintf("%s/etc/berth/%s", p, name) : NULL;
}
