/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/spec/spec.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "base/str.h"

/* What was read so far; -1: not given. */
struct moment {
	const char *p;
	bool past;
	struct tm now;
	int year, month, day; /* as struct tm counts them */
	int hour, minute, second;
	bool relative_day; /* today, tomorrow: never another year */
};

/* Between MIN and MAX digits. */
static int digits(const char **p, size_t min, size_t max, int *out)
{
	size_t n = strspn(*p, "0123456789");
	int v = 0;

	if (n < min || n > max)
		return -1;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + ((*p)[i] - '0');
	*p += n;
	*out = v;
	return 0;
}

static bool word(const char **p, const char *w)
{
	size_t n = strlen(w);

	if (strncasecmp(*p, w, n) != 0 || isalnum((unsigned char)(*p)[n]))
		return false;
	*p += n;
	return true;
}

static int set_date(struct moment *m, int year, int month, int day)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (m->day >= 0 || month < 1 || month > 12 || day < 1 || day > days[month - 1])
		return -1;
	m->year = year;
	m->month = month - 1;
	m->day = day;
	return 0;
}

static int set_time(struct moment *m, int hour, int minute, int second)
{
	if (m->hour >= 0 || hour > 23 || minute > 59 || second > 59)
		return -1;
	m->hour = hour;
	m->minute = minute;
	m->second = second;
	return 0;
}

static int two_digit_year(int year)
{
	return year < 0 ? -1 : year + 100;
}

/* H:MM[:SS] [AM|PM], P behind the hour's digits. */
static int read_clock(struct moment *m, int hour)
{
	int minute, second = 0;
	const char *p;

	if (*m->p++ != ':' || digits(&m->p, 2, 2, &minute) < 0)
		return -1;
	if (*m->p == ':') {
		m->p++;
		if (digits(&m->p, 2, 2, &second) < 0)
			return -1;
	}
	p = m->p + strspn(m->p, " ");
	if (strncasecmp(p, "am", 2) == 0 || strncasecmp(p, "pm", 2) == 0) {
		if (hour < 1 || hour > 12)
			return -1;
		hour = hour % 12 + (tolower((unsigned char)*p) == 'p' ? 12 : 0);
		m->p = p + 2;
	}
	return set_time(m, hour, minute, second);
}

/* MM/DD[/YY] or MM.DD[.YY], P at the first separator. */
static int read_slashed(struct moment *m, int month)
{
	char sep = *m->p++;
	int day, year = -1;

	if (digits(&m->p, 1, 2, &day) < 0)
		return -1;
	if (*m->p == sep) {
		m->p++;
		if (digits(&m->p, 2, 2, &year) < 0)
			return -1;
	}
	return set_date(m, two_digit_year(year), month, day);
}

/* YYYY-MM-DD, P at the first dash. */
static int read_iso(struct moment *m, int year)
{
	int month, day;

	m->p++;
	if (digits(&m->p, 1, 2, &month) < 0 || *m->p++ != '-' || digits(&m->p, 1, 2, &day) < 0)
		return -1;
	return year < 1970 ? -1 : set_date(m, year - 1900, month, day);
}

static int read_numbers(struct moment *m)
{
	size_t n = strspn(m->p, "0123456789");
	int v;

	if (digits(&m->p, 1, 6, &v) < 0)
		return -1;
	if (*m->p == ':' && n <= 2)
		return read_clock(m, v);
	if ((*m->p == '/' || *m->p == '.') && n <= 2)
		return read_slashed(m, v);
	if (*m->p == '-' && n == 4 && m->p[1 + strspn(m->p + 1, "0123456789")] == '-')
		return read_iso(m, v);
	if (n == 4)
		return set_date(m, -1, v / 100, v % 100);
	if (n == 6)
		return set_date(m, two_digit_year(v % 100), v / 10000, v / 100 % 100);
	return -1;
}

static int read_part(struct moment *m)
{
	static const struct {
		const char *name;
		int hour;
	} hours[] = { { "midnight", 0 }, { "noon", 12 }, { "fika", 15 }, { "teatime", 16 } };

	for (size_t i = 0; i < sizeof(hours) / sizeof(hours[0]); i++) {
		if (word(&m->p, hours[i].name))
			return set_time(m, hours[i].hour, 0, 0);
	}
	for (int days = 0; days < 2; days++) {
		if (word(&m->p, days ? "tomorrow" : "today")) {
			m->relative_day = true;
			if (set_date(m, m->now.tm_year, m->now.tm_mon + 1, m->now.tm_mday) < 0)
				return -1;
			m->day += days; /* mktime carries it over a month's end */
			return 0;
		}
	}
	return read_numbers(m);
}

static int to_time(struct moment *m, time_t now, time_t *out)
{
	bool date = m->day >= 0, year = m->year >= 0;
	struct tm t = { .tm_isdst = -1 };
	time_t result;

	t.tm_year = year ? m->year : m->now.tm_year;
	t.tm_mon = date ? m->month : m->now.tm_mon;
	t.tm_mday = date ? m->day : m->now.tm_mday;
	t.tm_hour = m->hour >= 0 ? m->hour : 0;
	t.tm_min = m->hour >= 0 ? m->minute : 0;
	t.tm_sec = m->hour >= 0 ? m->second : 0;
	for (int again = 0; again < 2; again++) {
		struct tm copy = t;

		result = mktime(&copy);
		if (result == (time_t)-1)
			return -1;
		if (result >= now || m->past || m->relative_day || (date && year))
			break;
		if (date)
			t.tm_year++;
		else
			t.tm_mday++;
	}
	*out = result;
	return 0;
}

/* now, now+5, now-2days: S behind "now". */
static int from_now(const char *s, time_t now, time_t *out)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = {
		{ "seconds", 1 }, { "minutes", 60 }, { "hours", 3600 }, { "days", 86400 }, { "weeks", 604800 },
	};
	int64_t unit = 1, sign;
	int count;

	s += strspn(s, " ");
	if (!*s) {
		*out = now;
		return 0;
	}
	if (*s != '+' && *s != '-')
		return -1;
	sign = *s++ == '-' ? -1 : 1;
	s += strspn(s, " ");
	if (digits(&s, 1, 9, &count) < 0)
		return -1;
	s += strspn(s, " ");
	if (*s) {
		unit = 0;
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
			if (strncasecmp(units[i].name, s, strlen(s)) == 0)
				unit = units[i].seconds;
		}
	}
	if (unit == 0)
		return -1;
	*out = now + (time_t)(sign * unit * count);
	return 0;
}

static int parse(const char *s, time_t now, bool past, time_t *out)
{
	struct moment m = { .p = s, .past = past, .year = -1, .month = -1, .day = -1, .hour = -1 };
	uint64_t uts;

	if (strncasecmp(s, "uts=", 4) == 0) {
		if (parse_u64(s + 4, 0, INT32_MAX * UINT64_C(1000), &uts, NULL) < 0)
			return -1;
		*out = (time_t)uts;
		return 0;
	}
	if (strncasecmp(s, "now", 3) == 0)
		return from_now(s + 3, now, out);
	localtime_r(&now, &m.now);
	if (read_part(&m) < 0)
		return -1;
	if (*m.p) {
		if (!strchr(m.day >= 0 ? "T -" : " ", *m.p))
			return -1;
		m.p += *m.p == ' ' ? strspn(m.p, " ") : 1;
		if (read_part(&m) < 0 || *m.p)
			return -1;
	}
	return to_time(&m, now, out);
}

int spec_moment(const char *s, time_t now, bool past, time_t *out, struct err *e)
{
	if (parse(s, now, past, out) < 0)
		return err_set(e,
			       "'%.64s' is no point in time: expected such as 16:00, 2030-01-20T12:34:00, tomorrow, "
			       "noon or now+1hour",
			       s);
	return 0;
}
