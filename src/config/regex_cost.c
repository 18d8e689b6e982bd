/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "config/oci_keys.h"

/*
 * glibc compiles a repetition by copying what is repeated, and walks through nested ones again and again, so that a
 * short expression may take all memory or time there is. This counts: what stands in sequence adds up, nested or
 * doubled repetitions multiply.
 */

enum { MAX_LENGTH = 4096, MAX_GROUPS = 64, MAX_COST = 20000, MAX_REPEAT = 255 };

/* Of a bracket expression's bytes, from "[" to "]". */
static size_t bracket_len(const char *s)
{
	size_t n = 1 + (s[1] == '^');

	n += s[n] == ']';
	while (s[n] && s[n] != ']') {
		if (s[n] == '[' && s[n + 1] && strchr(":.=", s[n + 1])) {
			const char close[] = { s[n + 1], ']', '\0' };
			const char *end = strstr(s + n + 2, close);

			n = end ? (size_t)(end - s) + 2 : n + 1;
			continue;
		}
		n++;
	}
	return n + (s[n] == ']');
}

/* How often what is before S is copied; *len is the repetition's length, 0 where there is none. */
static unsigned long repeat(const char *s, size_t *len)
{
	unsigned long low, high;
	char *end;

	*len = *s && strchr("*?+{", *s) ? 1 : 0;
	if (*s != '{')
		return 2;
	low = strtoul(s + 1, &end, 10);
	high = *end == ',' ? strtoul(end + 1, &end, 10) : low;
	*len = (size_t)(end - s) + (*end == '}');
	if (low > MAX_REPEAT || high > MAX_REPEAT)
		return MAX_COST + 1;
	return (low > high ? low : high) + 1;
}

static size_t atom_len(const char *s)
{
	if (*s == '[')
		return bracket_len(s);
	return *s == '\\' && s[1] ? 2 : 1;
}

bool oci_regex_is_bounded(const char *s)
{
	unsigned long total[MAX_GROUPS] = { 0 }, cost;
	size_t depth = 0, len;

	if (strlen(s) > MAX_LENGTH)
		return false;
	while (*s) {
		if (*s == '(') {
			if (++depth == MAX_GROUPS)
				return false;
			total[depth] = 0;
			s++;
			continue;
		}
		if (*s == ')' && depth > 0) {
			cost = total[depth--] + 1;
			s++;
		} else {
			cost = 1;
			s += atom_len(s);
		}
		for (unsigned long n = repeat(s, &len); len > 0; n = repeat(s, &len)) {
			cost *= n;
			if (cost > MAX_COST)
				return false;
			s += len;
		}
		total[depth] += cost;
		if (total[depth] > MAX_COST)
			return false;
	}
	return true;
}
