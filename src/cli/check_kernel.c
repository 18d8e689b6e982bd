/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/check.h"
#include "proc/spawn.h"

enum { SMALL_FILE = 65536, PROBE_MS = 10000 };

/* The first line of a file of /proc or /sys, or NULL. */
static char *read_line(const char *path)
{
	char *text = NULL;

	if (path_read_file(AT_FDCWD, path, SMALL_FILE, &text, NULL, NULL, NULL) < 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static bool file_says(const char *path, const char *value)
{
	cleanup(free) char *line = read_line(path);

	return line && strcmp(line, value) == 0;
}

void host_user(struct check_run *run)
{
	struct err e = ERR_INIT;
	struct finding *f;

	if (user_by_uid(geteuid(), &run->user, &e) < 0) {
		f = finding_add(run, FINDING_FAIL, "user", "%s", e.msg);
		finding_hint(f, "add the user to /etc/passwd, or see to it that `getent passwd %u` answers", geteuid());
		return;
	}
	finding_add(run, FINDING_OK, "user", "%s, uid %u", run->user.name, run->user.uid);
}

void host_kernel(struct check_run *run)
{
	struct utsname u;
	unsigned long major = 0, minor = 0;
	struct finding *f;
	char *end;

	uname(&u);
	major = strtoul(u.release, &end, 10);
	if (*end == '.')
		minor = strtoul(end + 1, NULL, 10);
	/* close_range(2) is the youngest call that we cannot do without. */
	if (major > 5 || (major == 5 && minor >= 9)) {
		finding_add(run, FINDING_OK, "kernel", "%s %s, %s", u.sysname, u.release, u.machine);
		return;
	}
	f = finding_add(run, FINDING_FAIL, "kernel", "%s %s is too old", u.sysname, u.release);
	finding_hint(f, "berth needs Linux 5.9 or later (pidfd, openat2, close_range)");
}

/* Runs ourselves with --probe-namespaces. *words is the caller's. */
static int run_probe(char **words, bool *works, struct err *e)
{
	char *argv[] = { (char *)"berth", (char *)"check", (char *)"--probe-namespaces", NULL };
	char *envp[] = { NULL };
	struct spawn s = { .path = "/proc/self/exe", .argv = argv, .envp = envp, .stdio = { -1, -1, -1 } };
	struct exit_status st;

	if (spawn_capture(&s, SMALL_FILE, PROBE_MS, words, NULL, &st, e) < 0)
		return -1;
	str_trim(*words);
	*works = st.code == 0;
	return 0;
}

/* What is known to forbid user namespaces; false where none of it is set. */
static bool explain_namespaces(struct finding *f)
{
	static const struct {
		const char *file, *value, *hint;
	} switches[] = {
		{ "/proc/sys/user/max_user_namespaces", "0",
		  "user.max_user_namespaces is 0; as root: `sysctl -w user.max_user_namespaces=15000`, and the same "
		  "line "
		  "in /etc/sysctl.d/ to keep it" },
		{ "/proc/sys/kernel/unprivileged_userns_clone", "0",
		  "kernel.unprivileged_userns_clone is 0; as root: `sysctl -w kernel.unprivileged_userns_clone=1`, and "
		  "the same line in /etc/sysctl.d/ to keep it" },
		{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
		  "kernel.apparmor_restrict_unprivileged_userns is 1; as root: load an AppArmor profile with `userns,` "
		  "for the runtime, or `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`" },
		{ "/proc/sys/user/max_mnt_namespaces", "0",
		  "user.max_mnt_namespaces is 0; as root: `sysctl -w user.max_mnt_namespaces=15000`" },
		{ "/proc/sys/user/max_pid_namespaces", "0",
		  "user.max_pid_namespaces is 0; as root: `sysctl -w user.max_pid_namespaces=15000`" },
		{ "/sys/fs/selinux/enforce", "1",
		  "SELinux is enforcing and may forbid them; look for `userns_create` in `ausearch -m avc`" },
	};

	for (size_t i = 0; i < sizeof(switches) / sizeof(*switches); i++) {
		if (file_says(switches[i].file, switches[i].value)) {
			finding_hint(f, "%s", switches[i].hint);
			return true;
		}
	}
	return false;
}

void host_namespaces(struct check_run *run)
{
	const char *name = geteuid() == 0 ? "namespaces" : "user namespaces";
	cleanup(free) char *words = NULL;
	struct err e = ERR_INIT;
	struct finding *f;
	bool works = false;

	if (run_probe(&words, &works, &e) == 0 && works) {
		cleanup(free) char *max = read_line("/proc/sys/user/max_user_namespaces");

		finding_add(run, FINDING_OK, name, "can be made%s%s", max ? ", user.max_user_namespaces is " : "",
			    max ? max : "");
		return;
	}
	f = finding_add(run, FINDING_FAIL, name, "cannot be made: %s", words && *words ? words : e.msg);
	if (!explain_namespaces(f))
		finding_hint(f, "no sysctl forbids them: if this is a container or a sandbox itself, it has to allow "
				"unshare(2) and mount(2) (docker and podman: --security-opt seccomp=unconfined)");
	run->unusable = xstrdup("a container cannot be made without namespaces");
}

static void check_seccomp(struct check_run *run)
{
	cleanup(free) char *actions = read_line("/proc/sys/kernel/seccomp/actions_avail");

	if (actions)
		finding_add(run, FINDING_OK, "seccomp", "filters are available");
	else
		finding_hint(finding_add(run, FINDING_WARN, "seccomp", "the kernel has no filters"),
			     "images that ask for one do not run; CONFIG_SECCOMP_FILTER is what the kernel lacks");
}

void host_security(struct check_run *run)
{
	cleanup(free) char *profile = NULL;
	cleanup(free) char *enforce = read_line("/sys/fs/selinux/enforce");

	if (file_says("/sys/module/apparmor/parameters/enabled", "Y")) {
		profile = read_line("/proc/self/attr/apparmor/current");
		if (!profile)
			profile = read_line("/proc/self/attr/current");
		finding_add(run, FINDING_OK, "AppArmor", "enabled, this process: %s", profile ? profile : "unknown");
	}
	if (enforce)
		finding_add(run, FINDING_OK, "SELinux", "%s", *enforce == '1' ? "enforcing" : "permissive");
	if (!profile && !enforce)
		finding_add(run, FINDING_OK, "security modules", "neither AppArmor nor SELinux");
	check_seccomp(run);
}

static const char *amount(rlim_t n, char buf[24])
{
	if (n == RLIM_INFINITY)
		return "unlimited";
	snprintf(buf, 24, "%llu", (unsigned long long)n);
	return buf;
}

void host_limits(struct check_run *run)
{
	static const struct {
		int resource;
		const char *name, *letter;
		rlim_t least;
	} limits[] = {
		{ RLIMIT_NPROC, "processes", "u", 128 },
		{ RLIMIT_NOFILE, "open files", "n", 256 },
		{ RLIMIT_MEMLOCK, "locked memory", "l", 0 },
	};
	cleanup(strbuf) struct strbuf all = STRBUF_INIT;
	cleanup(strbuf) struct strbuf low = STRBUF_INIT;

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		struct rlimit l;
		char soft[24];

		if (getrlimit((__rlimit_resource_t)limits[i].resource, &l) < 0)
			continue;
		strbuf_addf(&all, "%s%s %s", all.len ? ", " : "", limits[i].name, amount(l.rlim_cur, soft));
		if (l.rlim_cur < limits[i].least)
			strbuf_addf(&low, "%s`ulimit -%s %llu`", low.len ? " and " : "", limits[i].letter,
				    (unsigned long long)limits[i].least);
	}
	if (low.len)
		finding_hint(finding_add(run, FINDING_WARN, "limits", "%s", all.data),
			     "too low for a runtime at ease: %s, or /etc/security/limits.conf", low.data);
	else
		finding_add(run, FINDING_OK, "limits", "%s", all.data);
}
