/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void mark_cut(struct err *e, int wanted)
{
	if (wanted >= (int)sizeof(e->msg))
		memcpy(e->msg + sizeof(e->msg) - 4, "...", 4);
}

int err_set(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -1;
	e->code = 0;
	va_start(ap, fmt);
	mark_cut(e, vsnprintf(e->msg, sizeof(e->msg), fmt, ap));
	va_end(ap);
	return -1;
}

int err_sys(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;
	size_t len;

	if (!e)
		return -1;
	e->code = code;
	va_start(ap, fmt);
	mark_cut(e, vsnprintf(e->msg, sizeof(e->msg), fmt, ap));
	va_end(ap);
	len = strlen(e->msg);
	mark_cut(e, (int)len + snprintf(e->msg + len, sizeof(e->msg) - len, ": %s", strerror(code)));
	return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char old[sizeof(e->msg)];
	va_list ap;
	size_t len;

	if (!e)
		return -1;
	memcpy(old, e->msg, sizeof(old));
	va_start(ap, fmt);
	mark_cut(e, vsnprintf(e->msg, sizeof(e->msg), fmt, ap));
	va_end(ap);
	len = strlen(e->msg);
	mark_cut(e, (int)len + snprintf(e->msg + len, sizeof(e->msg) - len, ": %s", old));
	return -1;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	va_list ap;
	size_t len;

	if (!e)
		return -1;
	len = strlen(e->msg);
	len += (size_t)snprintf(e->msg + len, sizeof(e->msg) - len, "; ");
	if (len >= sizeof(e->msg)) {
		mark_cut(e, (int)len);
		return -1;
	}
	va_start(ap, fmt);
	mark_cut(e, (int)len + vsnprintf(e->msg + len, sizeof(e->msg) - len, fmt, ap));
	va_end(ap);
	return -1;
}
