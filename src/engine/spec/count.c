/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/spec/spec.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"

/* The number before a suffix; *suffix is the rest of S. */
static int leading_number(const char *s, uint64_t max, uint64_t *out, const char **suffix)
{
	char digits[24];
	size_t n = strspn(s, "0123456789");

	if (n == 0 || n >= sizeof(digits))
		return -1;
	memcpy(digits, s, n);
	digits[n] = '\0';
	*suffix = s + n;
	return parse_u64(digits, 0, max, out, NULL);
}

int spec_memory(const char *s, uint64_t *out, struct err *e)
{
	static const uint64_t max_mb = UINT64_C(1) << 43; /* its bytes fit in 63 bits */
	const char *suffix;
	uint64_t n;

	if (leading_number(s, max_mb * 1024, &n, &suffix) < 0)
		goto bad;
	/* "4GB" is what half of the scripts in the wild say. */
	if (*suffix && suffix[1] && strcasecmp(suffix + 1, "b") != 0)
		goto bad;
	switch (toupper((unsigned char)*suffix)) {
	case 'K':
		n = n / 1024 + (n % 1024 > 0);
		break;
	case '\0':
	case 'M':
		break;
	case 'G':
		n = n > max_mb >> 10 ? UINT64_MAX : n << 10;
		break;
	case 'T':
		n = n > max_mb >> 20 ? UINT64_MAX : n << 20;
		break;
	default:
		goto bad;
	}
	if (n > max_mb)
		return err_set(e, "'%.64s' is more memory than 64 bits can count", s);
	*out = n;
	return 0;
bad:
	return err_set(e, "'%.64s' is not an amount of memory: expected a number and K, M (the default), G or T", s);
}

int spec_count(const char *s, uint32_t min, uint32_t max, uint32_t *out, struct err *e)
{
	const char *suffix;
	uint64_t n;

	if (leading_number(s, UINT32_MAX, &n, &suffix) == 0) {
		if (strcasecmp(suffix, "k") == 0)
			n <<= 10;
		else if (strcasecmp(suffix, "m") == 0)
			n <<= 20;
		else if (*suffix)
			n = UINT64_MAX;
		if (n >= min && n <= max) {
			*out = (uint32_t)n;
			return 0;
		}
	}
	return err_set(e, "'%.64s' is not a number from %u to %u", s, min, max);
}

int spec_signal(const char *s, struct spec_signal *out, struct err *e)
{
	struct spec_signal r = { .seconds = 60 };
	const char *name = s, *at;
	char sig[32];

	if ((*name == 'B' || *name == 'R') && name[1] == ':') {
		r.batch_only = *name == 'B';
		name += 2;
	}
	at = strchrnul(name, '@');
	if ((size_t)(at - name) >= sizeof(sig))
		return err_set(e, "'%.64s': expected [B:]SIGNAL[@SECONDS]", s);
	memcpy(sig, name, (size_t)(at - name));
	sig[at - name] = '\0';
	if (parse_signal(sig, &r.sig, e) < 0 || (*at && parse_u32(at + 1, 0, 65535, &r.seconds, e) < 0))
		return err_wrap(e, "'%.64s'", s);
	*out = r;
	return 0;
}
