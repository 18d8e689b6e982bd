/* SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out, struct err *e)
{
	uint64_t n;
	char *end;

	if (!*s || s[strspn(s, "0123456789")])
		goto bad;
	errno = 0;
	n = strtoull(s, &end, 10);
	if (errno || *end || n < min || n > max)
		goto bad;
	*out = n;
	return 0;
bad:
	return err_set(e, "'%.64s' is not a number from %" PRIu64 " to %" PRIu64, s, min, max);
}

int parse_u32(const char *s, uint32_t min, uint32_t max, uint32_t *out, struct err *e)
{
	uint64_t n;

	if (parse_u64(s, min, max, &n, e) < 0)
		return -1;
	*out = (uint32_t)n;
	return 0;
}

static int realtime_signal(const char *name, int *out)
{
	uint32_t n = 0;
	bool from_max = strncasecmp(name, "RTMAX", 5) == 0;
	int sig;

	if (!from_max && strncasecmp(name, "RTMIN", 5) != 0)
		return -1;
	name += 5;
	if (*name) {
		if (*name != (from_max ? '-' : '+') || parse_u32(name + 1, 0, 64, &n, NULL) < 0)
			return -1;
	}
	sig = from_max ? SIGRTMAX - (int)n : SIGRTMIN + (int)n;
	if (sig < SIGRTMIN || sig > SIGRTMAX)
		return -1;
	*out = sig;
	return 0;
}

/* Second names, which sigabbrev_np does not give. */
static const struct {
	const char *name;
	int sig;
} aliases[] = { { "IO", SIGIO }, { "IOT", SIGABRT }, { "CLD", SIGCHLD } };

int parse_signal(const char *s, int *out, struct err *e)
{
	const char *name = strncasecmp(s, "SIG", 3) == 0 ? s + 3 : s;
	uint32_t n;

	if (parse_u32(s, 1, (uint32_t)SIGRTMAX, &n, NULL) == 0) {
		*out = (int)n;
		return 0;
	}
	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++) {
		if (strcasecmp(aliases[i].name, name) == 0) {
			*out = aliases[i].sig;
			return 0;
		}
	}
	for (int sig = 1; sig < 32; sig++) {
		const char *abbrev = sigabbrev_np(sig);

		if (abbrev && strcasecmp(abbrev, name) == 0) {
			*out = sig;
			return 0;
		}
	}
	if (realtime_signal(name, out) == 0)
		return 0;
	return err_set(e, "'%.32s' is not a signal (a name such as TERM or a number from 1 to %d)", s, SIGRTMAX);
}

const char *signal_name(int sig, char buf[16])
{
	const char *name = sig < 32 ? sigabbrev_np(sig) : NULL;

	if (name)
		return name;
	if (sig >= SIGRTMIN && sig <= SIGRTMAX)
		snprintf(buf, 16, "RTMIN+%d", sig - SIGRTMIN);
	else
		snprintf(buf, 16, "%d", sig);
	return buf;
}
