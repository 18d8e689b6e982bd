/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/str.h"

static int read_proc(pid_t pid, const char *file, char *buf, size_t cap)
{
	cleanup(close) int fd = -1;
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, buf, cap - 1);
	if (n <= 0)
		return -1;
	buf[n] = '\0';
	return 0;
}

/* STATE may be NULL. */
static int read_stat(pid_t pid, uint64_t *start, char *state)
{
	char buf[1024];
	char *p;

	if (read_proc(pid, "stat", buf, sizeof(buf)) < 0)
		return -1;
	/* The name in parentheses may hold anything, so count fields from its end: the state is the third. */
	p = strrchr(buf, ')');
	if (!p || p[1] != ' ')
		return -1;
	p += 2;
	if (state)
		*state = *p;
	for (int field = 3; field < 22; field++) {
		p = strchr(p, ' ');
		if (!p)
			return -1;
		p++;
	}
	*start = strtoull(p, NULL, 10);
	return 0;
}

int proc_identify(pid_t pid, struct proc_id *out)
{
	uint64_t start;

	if (pid <= 0 || read_stat(pid, &start, NULL) < 0)
		return -1;
	*out = (struct proc_id){ .pid = pid, .start = start };
	return 0;
}

bool proc_alive(const struct proc_id *id)
{
	uint64_t start;
	char state;

	return id->pid > 0 && read_stat(id->pid, &start, &state) == 0 && start == id->start && state != 'Z' &&
	       state != 'X';
}

int proc_open(const struct proc_id *id)
{
	long fd = syscall(SYS_pidfd_open, id->pid, 0);

	/* Looked at after opening: what the descriptor names can no longer be replaced. */
	if (fd >= 0 && !proc_alive(id)) {
		close((int)fd);
		errno = ESRCH;
		return -1;
	}
	return (int)fd;
}

uint64_t proc_now(void)
{
	const uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * ticks + (uint64_t)t.tv_nsec * ticks / 1000000000;
}

const char *proc_boot_id(void)
{
	static char id[37];

	if (!*id) {
		cleanup(close) int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

		if (fd < 0 || read(fd, id, 36) != 36)
			*id = '\0';
	}
	return id;
}

static uint64_t mask_of(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at ? strtoull(at + strlen(name), NULL, 16) : 0;
}

int proc_signals(pid_t pid, struct proc_signals *out)
{
	cleanup(free) char *buf = NULL;
	char path[32], *nspid;

	/* As long as the user's list of groups. */
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (path_read_file(AT_FDCWD, path, 1 << 20, &buf, NULL, NULL, NULL) < 0)
		return -1;
	out->caught = mask_of(buf, "\nSigCgt:\t");
	out->ignored = mask_of(buf, "\nSigIgn:\t");
	out->blocked = mask_of(buf, "\nSigBlk:\t");
	nspid = strstr(buf, "\nNSpid:\t");
	out->namespace_init = false;
	if (nspid) {
		size_t n = strcspn(nspid + 1, "\n");

		/* "NSpid: 4711 1": the last number is its pid in its own namespace. */
		out->namespace_init = n > 2 && memcmp(nspid + 1 + n - 2, "\t1", 2) == 0;
	}
	return 0;
}
