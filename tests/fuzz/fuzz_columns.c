/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "cli/sacct_fields.h"
#include "cli/squeue_columns.h"
#include "fuzz.h"

static void squeue(const char *format, bool by_name, const struct list_row *row)
{
	cleanup(strbuf) struct strbuf b = STRBUF_INIT;
	struct squeue_columns c;
	int rc = by_name ? squeue_columns_names(format, false, &c, NULL)
			 : squeue_columns_letters(format, false, &c, NULL);

	if (rc == 0)
		squeue_columns_line(&b, &c, false, row);
	squeue_columns_free(&c);
}

static void sacct(const char *format, const struct list_row *row)
{
	cleanup(strbuf) struct strbuf b = STRBUF_INIT;
	struct sacct_columns c = { 0 };

	if (sacct_columns_add(&c, format, NULL) == 0) {
		sacct_columns_titles(&b, &c);
		sacct_columns_row(&b, &c, row);
	}
	sacct_columns_free(&c);
}

/* The first byte chooses between -o and -O of squeue and -o of sacct. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(free) char *s = xstrndup(size > 0 ? (const char *)data + 1 : "", size > 0 ? size - 1 : 0);
	struct job j = { .id = 7, .array_task = ARRAY_NONE, .name = s, .work_dir = s, .start = 1, .cpu_list = "0-3" };
	struct list_row row = { .job = &j, .now = 5 };
	struct list_filter f = { 0 };

	switch (size > 0 ? data[0] : 0) {
	case 'o':
	case 'O':
		squeue(s, data[0] == 'O', &row);
		break;
	case 'a':
		row.accounting = true;
		sacct(s, &row);
		break;
	case 'j':
		list_filter_ids(&f, s, NULL);
		list_filter_free(&f);
		break;
	}
	return 0;
}
