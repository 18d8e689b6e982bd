/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sacct_fields.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* Width: negative is flush left. What only jobs have is empty in the lines of steps. */
static const struct sacct_field fields[] = {
	{ "Account", 10, false, value_account },
	{ "AllocCPUS", 10, false, value_alloc_cpus },
	{ "AllocNodes", 10, false, value_nodes },
	{ "AllocTRES", 10, true, value_nothing },
	{ "Cluster", 10, false, value_cluster },
	{ "Comment", 14, true, value_comment },
	{ "Constraints", 15, true, value_features },
	{ "Container", 10, false, value_container },
	{ "ContainerID", 11, false, value_container_id },
	{ "CPUTime", 10, false, value_cpu_time },
	{ "CPUTimeRAW", 10, false, value_cpu_time_raw },
	{ "DerivedExitCode", 15, true, value_derived_exit },
	{ "Elapsed", 10, false, value_elapsed },
	{ "ElapsedRaw", 10, false, value_elapsed_raw },
	{ "Eligible", 19, true, value_eligible },
	{ "End", 19, false, value_end },
	{ "ExitCode", 8, false, value_exit },
	{ "GID", 6, true, value_gid },
	{ "Group", 9, true, value_group },
	{ "JobID", -12, false, value_id },
	{ "JobIDRaw", -12, false, value_id_raw },
	{ "JobName", 10, false, value_name },
	{ "NCPUS", 10, false, value_alloc_cpus },
	{ "NNodes", 8, false, value_nodes },
	{ "NodeList", 15, false, value_node },
	{ "NTasks", 8, false, value_step_tasks },
	{ "Partition", 10, true, value_partition },
	{ "Priority", 10, true, value_priority },
	{ "QOS", 10, true, value_qos },
	{ "Reason", 22, true, value_reason },
	{ "ReqCPUS", 8, false, value_req_cpus },
	{ "ReqMem", 10, true, value_memory },
	{ "ReqNodes", 8, true, value_nodes },
	{ "Reservation", 20, true, value_reservation },
	{ "Restarts", 8, true, value_restarts },
	{ "Start", 19, false, value_start },
	{ "State", 10, false, value_state_by },
	{ "StdErr", 20, false, value_stderr },
	{ "StdIn", 20, false, value_stdin },
	{ "StdOut", 20, false, value_stdout },
	{ "Submit", 19, false, value_submit },
	{ "SubmitLine", 20, false, value_submit_line },
	{ "Timelimit", 10, true, value_time_limit_long },
	{ "TimelimitRaw", 12, true, value_time_limit_minutes },
	{ "UID", 6, true, value_uid },
	{ "User", 9, true, value_user },
	{ "WCKey", 10, true, value_wckey },
	{ "WorkDir", 20, true, value_work_dir },
};

/* Fields of Slurm's for what is not measured here: shown empty, so that a site's scripts work. */
static const char *const unmeasured[] = {
	"AdminComment",
	"AssocID",
	"AveCPU",
	"AveCPUFreq",
	"AveDiskRead",
	"AveDiskWrite",
	"AvePages",
	"AveRSS",
	"AveVMSize",
	"BlockID",
	"ConsumedEnergy",
	"ConsumedEnergyRaw",
	"DBIndex",
	"Flags",
	"Layout",
	"MaxDiskRead",
	"MaxDiskReadNode",
	"MaxDiskReadTask",
	"MaxDiskWrite",
	"MaxDiskWriteNode",
	"MaxDiskWriteTask",
	"MaxPages",
	"MaxPagesNode",
	"MaxPagesTask",
	"MaxRSS",
	"MaxRSSNode",
	"MaxRSSTask",
	"MaxVMSize",
	"MaxVMSizeNode",
	"MaxVMSizeTask",
	"McsLabel",
	"MinCPU",
	"MinCPUNode",
	"MinCPUTask",
	"Planned",
	"QOSRAW",
	"ReqCPUFreq",
	"ReqCPUFreqGov",
	"ReqCPUFreqMax",
	"ReqCPUFreqMin",
	"ReqTRES",
	"ReservationId",
	"Reserved",
	"ResvCPU",
	"ResvCPURAW",
	"Suspended",
	"SystemComment",
	"SystemCPU",
	"TotalCPU",
	"TRESUsageInAve",
	"TRESUsageInMax",
	"TRESUsageInMaxNode",
	"TRESUsageInMaxTask",
	"TRESUsageInMin",
	"TRESUsageInMinNode",
	"TRESUsageInMinTask",
	"TRESUsageInTot",
	"TRESUsageOutAve",
	"TRESUsageOutMax",
	"TRESUsageOutMaxNode",
	"TRESUsageOutMaxTask",
	"TRESUsageOutMin",
	"TRESUsageOutMinNode",
	"TRESUsageOutMinTask",
	"TRESUsageOutTot",
	"UserCPU",
	"WCKeyID",
};

static const struct sacct_field nothing = { "", 10, false, value_nothing };

/* An exact name, else the first that NAME begins, as in Slurm. */
static const char *find(const char *name, const struct sacct_field **out)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strcasecmp(fields[i].name, name) == 0) {
			*out = &fields[i];
			return fields[i].name;
		}
	}
	*out = &nothing;
	for (size_t i = 0; i < sizeof(unmeasured) / sizeof(unmeasured[0]); i++) {
		if (strcasecmp(unmeasured[i], name) == 0)
			return unmeasured[i];
	}
	for (size_t i = 0; len > 0 && i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strncasecmp(fields[i].name, name, len) == 0) {
			*out = &fields[i];
			return fields[i].name;
		}
	}
	return NULL;
}

static void add_column(struct sacct_columns *c, const struct sacct_field *field, const char *title, int width)
{
	c->columns = xrealloc(c->columns, c->n + 1, sizeof(*c->columns));
	c->columns[c->n++] = (struct sacct_column){ .field = field, .title = title, .width = width };
}

/* NAME or NAME%[-]WIDTH */
static int add_named(struct sacct_columns *c, char *part, struct err *e)
{
	char *percent = strchr(part, '%');
	const struct sacct_field *field;
	const char *title;
	long width;

	if (percent)
		*percent++ = '\0';
	if (strcasecmp(part, "ALL") == 0) {
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			add_column(c, &fields[i], fields[i].name, fields[i].width);
		return 0;
	}
	title = find(part, &field);
	if (!title)
		return err_set(e, "Invalid field requested: \"%.64s\"; sacct --helpformat lists them", part);
	width = field->width;
	if (percent) {
		char *end;

		width = strtol(percent, &end, 10);
		if (*end || end == percent || width == 0 || width > 4096 || width < -4096)
			return err_set(e, "'%.16s' is no width of a column", percent);
	}
	add_column(c, field, title, (int)width);
	return 0;
}

int sacct_columns_add(struct sacct_columns *c, const char *names, struct err *e)
{
	cleanup(strv) char **parts = str_split(names, ",");

	for (char **p = parts; p && *p; p++) {
		if (**p && add_named(c, *p, e) < 0)
			return -1;
	}
	return 0;
}

void sacct_columns_free(struct sacct_columns *c)
{
	free(c->columns);
	*c = (struct sacct_columns){ 0 };
}

/* A value that does not fit ends with a plus. */
static void add_padded(struct strbuf *b, const char *text, int width, bool title)
{
	size_t columns = (size_t)abs(width), len = strlen(text), shown = len > columns ? columns - !title : len;

	for (size_t i = len; width > 0 && i < columns; i++)
		strbuf_addc(b, ' ');
	for (size_t i = 0; i < shown; i++)
		strbuf_addc(b, iscntrl((unsigned char)text[i]) ? '?' : text[i]);
	if (len > columns && !title)
		strbuf_addc(b, '+');
	for (size_t i = len; width < 0 && i < columns; i++)
		strbuf_addc(b, ' ');
	strbuf_addc(b, ' ');
}

static void add_plain(struct strbuf *b, const char *text)
{
	for (; *text; text++)
		strbuf_addc(b, iscntrl((unsigned char)*text) ? '?' : *text);
}

static void add_line(struct strbuf *b, const struct sacct_columns *c, const char *const *texts, bool titles)
{
	for (size_t i = 0; i < c->n; i++) {
		if (!c->delimiter) {
			add_padded(b, texts[i], c->columns[i].width, titles);
			continue;
		}
		add_plain(b, texts[i]);
		if (i + 1 < c->n || c->trailing)
			strbuf_adds(b, c->delimiter);
	}
	strbuf_addc(b, '\n');
}

void sacct_columns_titles(struct strbuf *b, const struct sacct_columns *c)
{
	const char **titles = xcalloc(c->n + 1, sizeof(*titles));

	for (size_t i = 0; i < c->n; i++)
		titles[i] = c->columns[i].title;
	add_line(b, c, titles, true);
	free(titles);
	if (c->delimiter)
		return;
	for (size_t i = 0; i < c->n; i++) {
		for (int k = abs(c->columns[i].width); k > 0; k--)
			strbuf_addc(b, '-');
		strbuf_addc(b, ' ');
	}
	strbuf_addc(b, '\n');
}

void sacct_columns_row(struct strbuf *b, const struct sacct_columns *c, const struct list_row *row)
{
	cleanup(strv) char **texts = strv_copy(NULL);

	for (size_t i = 0; i < c->n; i++) {
		struct strbuf text = STRBUF_INIT;

		if (!row->step || !c->columns[i].field->jobs_only)
			c->columns[i].field->value(&text, row);
		strv_push_own(&texts, strbuf_take(&text));
	}
	add_line(b, c, (const char *const *)texts, false);
}

void sacct_fields_print(FILE *out)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		fprintf(out, "%-19s%s", fields[i].name, ++n % 4 == 0 ? "\n" : " ");
	for (size_t i = 0; i < sizeof(unmeasured) / sizeof(unmeasured[0]); i++)
		fprintf(out, "%-19s%s", unmeasured[i], ++n % 4 == 0 ? "\n" : " ");
	fputc('\n', out);
}
