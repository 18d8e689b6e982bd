/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/local/local.h"
#include "engine/local/recover.h"

int local_wait(struct engine *en, uint32_t job, struct job *out, struct err *e)
{
	struct state *st = local_state(en);
	cleanup(close) int dir = state_job_dir(st, job, e), ino = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[48], buf[4096];

	if (dir < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/.", dir);
	if (ino < 0 || inotify_add_watch(ino, path, IN_MOVED_TO) < 0)
		return err_sys(e, errno, "watch job %" PRIu32, job);
	for (;;) {
		cleanup(close) int owner = -1;
		struct pollfd fds[2] = { { .fd = ino, .events = POLLIN } };

		if (job_load(st, job, out, e) < 0)
			return -1;
		if (job_state_ended(out->state))
			return 0;
		/* A supervisor that is killed writes nothing. */
		owner = out->owner.id.pid ? proc_open(&out->owner.id) : -1;
		if (out->owner.id.pid && owner < 0 && recover(st, e) < 0)
			return -1;
		fds[1] = (struct pollfd){ .fd = owner, .events = POLLIN };
		job_free(out);
		poll(fds, 2, fds[1].fd < 0 && fds[0].fd >= 0 ? 1000 : -1);
		while (read(ino, buf, sizeof(buf)) > 0)
			;
	}
}
