/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"
#include "proc/exit.h"
#include "proc/procfs.h"

/* More than the kernel lets anybody execute with. */
#define MAX_ENVIRON (64 << 20)

int reap_become_subreaper(struct err *e)
{
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_sys(e, errno, "become a subreaper");
	return 0;
}

/* Parents of all processes, read in one pass: /proc/PID/task/TID/children is not in every kernel. */
struct family {
	struct member {
		pid_t pid, parent;
		bool ours, zombie, spared;
	} * members;
	size_t n;
};

static int parent_of(pid_t pid, pid_t *parent, bool *zombie)
{
	cleanup(close) int fd = -1;
	char path[32], buf[512], *p;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	if (n <= 0)
		return -1;
	buf[n] = '\0';
	p = strrchr(buf, ')');
	if (!p || strlen(p) < 5)
		return -1;
	*zombie = p[2] == 'Z';
	*parent = (pid_t)strtol(p + 4, NULL, 10);
	return 0;
}

static int read_family(struct family *f, struct err *e)
{
	cleanup(closedir) DIR *d = opendir("/proc");
	struct dirent *entry;
	size_t cap = 0;

	*f = (struct family){ 0 };
	if (!d)
		return err_sys(e, errno, "read /proc");
	while ((entry = readdir(d))) {
		struct member m = { 0 };
		uint32_t pid;

		if (parse_u32(entry->d_name, 1, INT32_MAX, &pid, NULL) < 0)
			continue;
		m.pid = (pid_t)pid;
		if (parent_of(m.pid, &m.parent, &m.zombie) < 0)
			continue;
		if (f->n == cap) {
			struct member *more = reallocarray(f->members, cap ? 2 * cap : 256, sizeof(*more));

			if (!more)
				return err_sys(e, ENOMEM, "read /proc");
			f->members = more;
			cap = cap ? 2 * cap : 256;
		}
		f->members[f->n++] = m;
	}
	return 0;
}

/* Marks what descends from ROOT. Pids wrap, so parents may come after their children: until nothing changes. */
static void mark_descendants(struct family *f, pid_t root, pid_t except, bool (*spare)(pid_t pid))
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t i = 0; i < f->n; i++) {
			struct member *m = &f->members[i];

			if (m->ours || m->spared || m->pid == except)
				continue;
			for (size_t k = 0; !m->ours && k < f->n; k++)
				m->ours = m->parent == root || (f->members[k].ours && f->members[k].pid == m->parent);
			if (m->ours && spare && !m->zombie && spare(m->pid)) {
				m->ours = false;
				m->spared = true;
			}
			changed = changed || m->ours;
		}
	}
}

static int kill_round(pid_t except, bool (*spare)(pid_t pid), size_t *alive, struct err *e)
{
	struct family f;
	int r = read_family(&f, e);

	*alive = 0;
	if (r == 0) {
		mark_descendants(&f, getpid(), except, spare);
		/* Stopped first, so that nothing forks between being seen and being killed. */
		for (size_t i = 0; i < f.n; i++)
			if (f.members[i].ours && !f.members[i].zombie)
				kill(f.members[i].pid, SIGSTOP);
		for (size_t i = 0; i < f.n; i++) {
			if (!f.members[i].ours)
				continue;
			if (f.members[i].zombie) {
				waitpid(f.members[i].pid, NULL, WNOHANG | __WALL);
				continue;
			}
			kill(f.members[i].pid, SIGKILL);
			++*alive;
		}
	}
	free(f.members);
	return r;
}

int reap_signal_descendants(int sig, struct err *e)
{
	struct family f;
	int r = read_family(&f, e);

	if (r == 0) {
		mark_descendants(&f, getpid(), 0, NULL);
		for (size_t i = 0; i < f.n; i++)
			if (f.members[i].ours && !f.members[i].zombie)
				kill(f.members[i].pid, sig);
	}
	free(f.members);
	return r;
}

static int kill_descendants(pid_t except, bool (*spare)(pid_t pid), int timeout_ms, struct err *e)
{
	int64_t deadline = clock_ms() + timeout_ms;
	size_t alive;
	siginfo_t any;

	/* The usual case, for the price of one call: orphans come to us, so without a child there is no descendant. */
	if (waitid(P_ALL, 0, &any, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 && errno == ECHILD)
		return 0;
	for (;;) {
		if (kill_round(except, spare, &alive, e) < 0)
			return -1;
		if (!alive)
			return 0;
		if (clock_ms() > deadline)
			return err_set(e, "%zu processes do not end", alive);
		/* The kernel takes them apart in a moment; no event tells when a grandchild of ours is gone. */
		poll(NULL, 0, 1);
	}
}

int reap_kill_descendants(pid_t except, int timeout_ms, struct err *e)
{
	return kill_descendants(except, NULL, timeout_ms, e);
}

int reap_kill_descendants_but(bool (*spare)(pid_t pid), int timeout_ms, struct err *e)
{
	return kill_descendants(0, spare, timeout_ms, e);
}

static bool environ_holds(int proc_fd, uint32_t pid, const char *entry)
{
	cleanup(free) char *text = NULL;
	cleanup(close) int fd = -1;
	char path[32];
	size_t len;

	snprintf(path, sizeof(path), "%u/environ", pid);
	fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fd_read_all(fd, MAX_ENVIRON, &text, &len, NULL) < 0)
		return false;
	for (const char *at = text; at < text + len; at += strlen(at) + 1)
		if (strcmp(at, entry) == 0)
			return true;
	return false;
}

int reap_kill_below(pid_t root, uint64_t before, const char *entry, struct err *e)
{
	cleanup(close) int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct family f;
	int r = read_family(&f, e);

	if (r == 0)
		mark_descendants(&f, root, 0, NULL);
	for (size_t i = 0; r == 0 && i < f.n; i++) {
		const struct member *m = &f.members[i];
		struct proc_id id;

		if (!m->ours || m->zombie || proc_identify(m->pid, &id) < 0)
			continue;
		if (id.start < before || environ_holds(proc_fd, (uint32_t)m->pid, entry))
			kill(m->pid, SIGKILL);
	}
	free(f.members);
	return r;
}

static int kill_marked_round(const char *entry, size_t *found, struct err *e)
{
	cleanup(closedir) DIR *d = opendir("/proc");
	struct dirent *de;

	if (!d)
		return err_sys(e, errno, "read /proc");
	*found = 0;
	while ((de = readdir(d))) {
		cleanup(close) int pidfd = -1;
		uint32_t pid;

		if (parse_u32(de->d_name, 1, INT32_MAX, &pid, NULL) < 0 || (pid_t)pid == getpid())
			continue;
		pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
		if (pidfd < 0 || !environ_holds(dirfd(d), pid, entry))
			continue;
		if (syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) == 0)
			++*found;
	}
	return 0;
}

int reap_kill_marked(const char *entry, struct err *e)
{
	size_t found = 0, total = 0;

	/* Again until a round finds none: one of them may have forked while the first round was under way. */
	for (int round = 0; round < 1000; round++) {
		if (kill_marked_round(entry, &found, e) < 0)
			return -1;
		if (!found)
			return (int)total;
		total += found;
		poll(NULL, 0, 1);
	}
	return err_set(e, "processes marked %s do not end", entry);
}
