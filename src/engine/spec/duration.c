/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/spec/spec.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "base/str.h"

/* Reads digits and moves *s behind them. */
static int field(const char **s, uint64_t *out)
{
	char digits[12];
	size_t n = strspn(*s, "0123456789");

	if (n == 0 || n >= sizeof(digits))
		return -1;
	memcpy(digits, *s, n);
	digits[n] = '\0';
	*s += n;
	return parse_u64(digits, 0, UINT32_MAX, out, NULL);
}

static int fields(const char *s, uint64_t *total)
{
	static const uint64_t with_days[] = { 3600, 60, 1 };
	static const uint64_t without[][3] = { { 60 }, { 60, 1 }, { 3600, 60, 1 } };
	uint64_t days = 0, v[3];
	const uint64_t *unit = with_days;
	size_t n = 0;

	if (strchr(s, '-')) {
		if (field(&s, &days) < 0 || *s++ != '-')
			return -1;
		days++; /* so that 0- differs from none */
	}
	for (;;) {
		if (n == 3 || field(&s, &v[n++]) < 0)
			return -1;
		if (!*s)
			break;
		if (*s++ != ':')
			return -1;
	}
	if (days == 0)
		unit = without[n - 1];
	*total = days > 0 ? (days - 1) * 86400 : 0;
	for (size_t i = 0; i < n; i++)
		*total += v[i] * unit[i];
	return 0;
}

int spec_duration(const char *s, uint32_t *out, struct err *e)
{
	uint64_t total;

	if (strcasecmp(s, "unlimited") == 0 || strcasecmp(s, "infinite") == 0 || strcmp(s, "-1") == 0) {
		*out = SPEC_UNLIMITED;
		return 0;
	}
	if (fields(s, &total) < 0)
		return err_set(e,
			       "'%.64s' is not a time: expected MINUTES, MINUTES:SECONDS, HOURS:MINUTES:SECONDS, "
			       "DAYS-HOURS[:MINUTES[:SECONDS]] or UNLIMITED",
			       s);
	if (total >= SPEC_UNLIMITED)
		return err_set(e, "'%.64s' is longer than 136 years; UNLIMITED is the word for no limit", s);
	*out = total == 0 ? SPEC_UNLIMITED : (uint32_t)total;
	return 0;
}

const char *spec_duration_text(uint32_t seconds, char buf[32])
{
	unsigned d = seconds / 86400, h = seconds / 3600 % 24, m = seconds / 60 % 60, s = seconds % 60;

	if (seconds == SPEC_UNLIMITED)
		snprintf(buf, 32, "UNLIMITED");
	else if (d > 0)
		snprintf(buf, 32, "%u-%02u:%02u:%02u", d, h, m, s);
	else if (h > 0)
		snprintf(buf, 32, "%u:%02u:%02u", h, m, s);
	else
		snprintf(buf, 32, "%u:%02u", m, s);
	return buf;
}
