/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TASK_REQUEST_H
#define BERTH_TASK_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * What berth-task(8) is asked to run: one task in one container. The text form is a sequence of NUL-terminated
 * "key=value" records, the first "berth-request=1", the last "end=1"; see berth-task(8), REQUEST. It is written by the
 * engines and the SPANK plugin, as the user, and read by berth-task as the same user.
 */
struct request {
	char *bundle;	    /* bundle=: what --container named, absolute; with IgnoreFileConfigJson whatever the runtime
			       understands */
	char *container_id; /* container-id=: of --container-id, or NULL */
	char **argv;	    /* arg=: one record a word; none: the image's own command */
	char **env;	    /* env=: NAME=value; the task's environment */
	char **explicit_env;	  /* export=: names that the user set explicitly for the container (PATH, LD_*) */
	char *work_dir;		  /* chdir=: the job's working directory, absolute */
	uint32_t job, step, task; /* job=, step=, task= */
	char *node;		  /* node= */
	char *spool;		  /* spool=: the step's spool folder: exists, 0700, the user's */
	char *config;		  /* config=: oci.conf to use; NULL: searched for */
	char *script;  /* script=: a batch script, which argv[0] stands for, to make visible inside; or NULL */
	bool embedded; /* embedded=1: the embedded engine's search for oci.conf */
	bool pty;      /* pty=1: stdio is a terminal; the container gets one of its own, controlling */
	char *mark;    /* mark=: NAME=value put into the environment of everything that is started, to find it by */
	char *passwd;  /* passwd=: the user's passwd(5) line; NULL: looked up */
	char **groups; /* group=: group(5) lines of the user's groups */
	pid_t parent;  /* parent=: end the container when this process, our parent, ends; 0: do not */
};

/* Parses text of at most 64 MiB. Unknown keys, missing ones, and text after the end are errors that name the record. */
int request_parse(const char *text, size_t len, struct request *out, struct err *e);
/* The text form: *len bytes, for free(). */
char *request_format(const struct request *r, size_t *len);
void request_free(struct request *r);
void cleanup_request(struct request *r);

#define REQUEST_MAX ((size_t)64 << 20)

#endif
