/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/spec/filename.h"
#include "engine/spec/spec.h"
#include "fuzz.h"

/* What an array is written as reads as the same array. */
static void fuzz_array(const char *s)
{
	struct spec_array a, again;
	char *text;

	if (spec_array(s, &a, NULL) < 0)
		return;
	text = spec_array_text(&a);
	if (spec_array(text, &again, NULL) < 0 || again.n != a.n || again.limit != a.limit ||
	    memcmp(again.ids, a.ids, a.n * sizeof(*a.ids)) != 0)
		abort();
	free(text);
	spec_array_free(&a);
	spec_array_free(&again);
}

static void fuzz_duration(const char *s)
{
	uint32_t seconds, again;
	char buf[32];

	if (spec_duration(s, &seconds, NULL) < 0)
		return;
	if (spec_duration(spec_duration_text(seconds, buf), &again, NULL) < 0 || again != seconds)
		abort();
}

static void fuzz_export(const char *s)
{
	char *env[] = { "A=1", "SLURM_B=2", NULL };
	struct spec_export x;

	if (spec_export(s, &x, NULL) < 0)
		return;
	strv_free(spec_export_apply(&x, env));
	spec_export_free(&x);
}

static void fuzz_filename(const char *s)
{
	static const struct filename_vars vars = { .step = "0", .node_name = "n", .user = "u", .job_name = "j" };
	char *out = NULL;

	if (filename_expand(s, &vars, &out, NULL) == 0)
		free(out);
	filename_per_task(s);
}

/* The first byte says which of the languages the rest is in. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(free) char *s = xstrndup(size > 0 ? (const char *)data + 1 : "", size > 0 ? size - 1 : 0);
	struct spec_depend d;
	struct spec_jobid j;
	struct spec_signal sig;
	uint64_t mb;
	uint32_t n;
	time_t t;

	switch (size > 0 ? data[0] : 0) {
	case 'a':
		fuzz_array(s);
		break;
	case 'b':
		spec_moment(s, 1908100800, size % 2, &t, NULL);
		break;
	case 'd':
		if (spec_depend(s, &d, NULL) == 0)
			spec_depend_free(&d);
		break;
	case 'e':
		fuzz_export(s);
		break;
	case 'f':
		fuzz_filename(s);
		break;
	case 'j':
		if (spec_jobid(s, &j, NULL) == 0)
			spec_jobid_free(&j);
		break;
	case 'm':
		if (spec_memory(s, &mb, NULL) == 0 && mb > UINT64_C(1) << 43)
			abort();
		break;
	case 'n':
		if (spec_count(s, 1, 1 << 20, &n, NULL) == 0 && (n == 0 || n > 1 << 20))
			abort();
		break;
	case 's':
		if (spec_signal(s, &sig, NULL) == 0 && sig.sig <= 0)
			abort();
		break;
	case 't':
		fuzz_duration(s);
		break;
	}
	return 0;
}
