/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/check.h"
#include "engine/local/local.h"

enum { SPACE_LOW_MIB = 64 };

static const char *type_name(long type)
{
	static const struct {
		long type;
		const char *name;
	} names[] = {
		{ 0x01021994, "tmpfs" },     { 0xef53, "ext4" }, { 0x58465342, "xfs" },	   { 0x9123683e, "btrfs" },
		{ 0x794c7630, "overlayfs" }, { 0x6969, "NFS" },	 { 0x0bd00bd0, "Lustre" }, { 0x47504653, "GPFS" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].type == type)
			return names[i].name;
	return "another file system";
}

/* What a folder lies on and whether there is room. */
static void add_folder(struct check_run *run, const char *name, const char *path, int fd, const char *variable)
{
	struct statvfs v;
	struct statfs st;
	unsigned long long free_mib;

	if (fstatvfs(fd, &v) < 0 || fstatfs(fd, &st) < 0) {
		finding_add(run, FINDING_FAIL, name, "%s cannot be looked at", path);
		return;
	}
	free_mib = (unsigned long long)v.f_bavail * v.f_frsize >> 20;
	if (v.f_flag & ST_RDONLY)
		finding_hint(finding_add(run, FINDING_FAIL, name, "%s is read-only", path),
			     "let %s name another folder", variable);
	else if (free_mib < SPACE_LOW_MIB)
		finding_hint(finding_add(run, FINDING_WARN, name, "%s has %llu MiB left", path, free_mib),
			     "make room, or let %s name another folder", variable);
	else
		finding_add(run, FINDING_OK, name, "%s, on %s, %llu MiB free%s", path, type_name((long)st.f_type),
			    free_mib, v.f_flag & ST_NOEXEC ? ", no programs may be executed there" : "");
}

static void check_state(struct check_run *run)
{
	cleanup(state) struct state st = STATE_INIT;
	struct job_list jobs = { 0 };
	cleanup(free) uint32_t *ids = NULL;
	size_t n = 0;
	struct err e = ERR_INIT;

	if (state_open(&st, &e) < 0) {
		finding_hint(finding_add(run, FINDING_FAIL, "state folder", "%s", e.msg),
			     "make it yours alone (owner, mode 0700), or let BERTH_STATE_DIR name another folder");
		return;
	}
	add_folder(run, "state folder", st.path, st.fd, "BERTH_STATE_DIR");
	/* What it would say of each record is said below, once. */
	log_set_stderr(LOG_LEVEL_QUIET);
	if (state_list_all(&st, &ids, &n, &e) < 0 || job_list_load(&st, true, &jobs, &e) < 0)
		finding_add(run, FINDING_FAIL, "jobs", "%s", e.msg);
	else if (jobs.n < n)
		finding_hint(finding_add(run, FINDING_WARN, "jobs", "%zu recorded, %zu of them damaged", n, n - jobs.n),
			     "`berth sacct` names them; their folders in %s/jobs may go", st.path);
	else
		finding_add(run, FINDING_OK, "jobs", "%zu recorded", n);
	log_set_stderr(LOG_LEVEL_INFO);
	job_list_free(&jobs);
}

void host_folders(struct check_run *run)
{
	struct err e = ERR_INIT;
	cleanup(close) int fd = state_spool(&run->spool, &e);

	if (fd < 0)
		finding_hint(finding_add(run, FINDING_FAIL, "spool folder", "%s", e.msg),
			     "make it yours alone (owner, mode 0700), or let BERTH_SPOOL_DIR name another folder");
	else
		add_folder(run, "spool folder", run->spool, fd, "BERTH_SPOOL_DIR");
	check_state(run);
}
