/* SPDX-License-Identifier: Apache-2.0 */
#include "task/slurm_mounts.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/log.h"
#include "base/path.h"
#include "base/str.h"
#include "config/install.h"
#include "oci/runtime.h"
#include "proc/spawn.h"

static void add_path(struct mount_plan *plan, const char *path, bool readonly)
{
	if (access(path, F_OK) < 0)
		return;
	if (!mount_plan_can(plan, path)) {
		log_verbose("MountSlurm: no place for %s in the image", path);
		return;
	}
	mount_plan_bind(plan, path, path, readonly);
}

static void add_slurm(struct task *t, struct mount_plan *plan)
{
	static const char *const commands[] = { "srun",	 "sbatch", "salloc", "squeue",	"scancel", "sinfo",
						"sacct", "sstat",  "sbcast", "sattach", "scontrol" };
	static const char *const paths[] = { "/etc/slurm", "/etc/slurm-llnl", "/run/slurm", "/run/munge",
					     "/var/run/munge" };
	const char *conf = env_get(t->request.env, "SLURM_CONF");

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		cleanup(free) char *path = spawn_find(commands[i], RUNTIME_PATH);

		if (path)
			add_path(plan, path, true);
	}
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		add_path(plan, paths[i], true);
	if (conf && *conf == '/')
		add_path(plan, conf, true);
}

void slurm_mounts_add(struct task *t, struct mount_plan *plan)
{
	cleanup(free) char *prefix = install_libexec("../..");
	const char *state = env_get(t->request.env, "BERTH_STATE_DIR");
	char real[PATH_MAX];

	if (!t->request.embedded) {
		add_slurm(t, plan);
		return;
	}
	/* The whole of /usr is not ours to replace. */
	if (prefix && realpath(prefix, real) && strcmp(real, "/usr") != 0 && strcmp(real, "/") != 0)
		add_path(plan, real, true);
	if (state && *state == '/')
		add_path(plan, state, false);
}
