/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/cpus.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"

static int parse_range(char *text, cpu_set_t *out, struct err *e)
{
	char *dash = strchr(text, '-');
	uint32_t first, last;

	if (dash)
		*dash = '\0';
	if (parse_u32(text, 0, CPU_SETSIZE - 1, &first, e) < 0)
		return -1;
	last = first;
	if (dash && parse_u32(dash + 1, first, CPU_SETSIZE - 1, &last, e) < 0)
		return -1;
	for (uint32_t cpu = first; cpu <= last; cpu++)
		CPU_SET(cpu, out);
	return 0;
}

int cpus_parse(const char *text, cpu_set_t *out, struct err *e)
{
	cleanup(strv) char **ranges = str_split(text, ",");
	cpu_set_t set;

	CPU_ZERO(&set);
	for (char **r = ranges; r && *r; r++)
		if (parse_range(*r, &set, e) < 0)
			return err_wrap(e, "CPU list '%.64s'", text);
	*out = set;
	return 0;
}

char *cpus_format(const cpu_set_t *set)
{
	struct strbuf b = STRBUF_INIT;

	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		size_t last = cpu;

		if (!CPU_ISSET(cpu, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		strbuf_addf(&b, last > cpu ? "%s%zu-%zu" : "%s%zu", b.len ? "," : "", cpu, last);
		cpu = last;
	}
	return strbuf_take(&b);
}

int cpus_take(cpu_set_t *from, uint32_t n, cpu_set_t *out)
{
	CPU_ZERO(out);
	if ((uint32_t)CPU_COUNT(from) < n)
		return -1;
	for (size_t cpu = 0; n; cpu++) {
		if (CPU_ISSET(cpu, from)) {
			CPU_CLR(cpu, from);
			CPU_SET(cpu, out);
			n--;
		}
	}
	return 0;
}

void cpus_share(const cpu_set_t *set, uint32_t index, uint32_t count, cpu_set_t *out)
{
	uint32_t total = (uint32_t)CPU_COUNT(set), at = 0;
	uint32_t size = total / count ? total / count : 1;
	uint32_t first = total ? index * size % total : 0;

	/* What does not divide evenly stays unused, so that all shares are alike; alone means all. */
	if (count == 1)
		size = total;
	CPU_ZERO(out);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, set))
			continue;
		if (at >= first && at < first + size)
			CPU_SET(cpu, out);
		at++;
	}
}

void cpus_widest(cpu_set_t *out)
{
	cpu_set_t before, all;

	/* A process may always widen its binding to what its cpuset allows; the kernel cuts off the rest. */
	memset(&all, 0xff, sizeof(all));
	if (sched_getaffinity(0, sizeof(before), &before) < 0) {
		CPU_ZERO(&before);
		CPU_SET(0, &before);
	}
	*out = before;
	if (sched_setaffinity(0, sizeof(all), &all) == 0) {
		sched_getaffinity(0, sizeof(*out), out);
		sched_setaffinity(0, sizeof(before), &before);
	}
}

void cpus_usable(cpu_set_t *out)
{
	static cpu_set_t known;
	static bool is_known;

	if (!is_known) {
		if (getenv("BERTH_MARK") || sched_getaffinity(0, sizeof(known), &known) < 0)
			cpus_widest(&known);
		is_known = true;
	}
	*out = known;
}

int machine_read(struct machine *out, struct err *e)
{
	const char *list = getenv("BERTH_CPUS");
	struct sysinfo si;

	if (list && *list) {
		if (cpus_parse(list, &out->cpus, e) < 0)
			return err_wrap(e, "BERTH_CPUS");
	} else {
		cpus_usable(&out->cpus);
	}
	out->mem = sysinfo(&si) == 0 ? (uint64_t)si.totalram * si.mem_unit : 0;
	return 0;
}
