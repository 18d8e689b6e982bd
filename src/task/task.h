/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TASK_TASK_H
#define BERTH_TASK_TASK_H

#include "config/oci_conf.h"
#include "oci/bundle.h"
#include "proc/exit.h"
#include "proc/user.h"
#include "task/folder.h"
#include "task/request.h"

/* One task on its way: request -> prepared -> running -> finished -> cleaned. */
struct task {
	struct request request;
	struct oci_conf *conf;
	struct user user;
	struct task_folder folder;
	struct bundle bundle; /* not loaded with IgnoreFileConfigJson */
	char *bundle_path;    /* %b */
	char *rootfs_path;    /* %r */
	char **argv;	      /* %@ */
	char **runtime_env;   /* what the runtime runs with */
	int listen_fd;	      /* berth-init connects here; -1: no proof is possible */
};

#define TASK_INIT ((struct task){ .folder = TASK_FOLDER_INIT, .bundle = BUNDLE_INIT, .listen_fd = -1 })

/* Holds back every signal that is for the container; task_run delivers them. */
void task_block_signals(void);

/* The replacements of this task's patterns; everything is borrowed from it. */
struct pattern_values task_values(const struct task *t);

/*
 * Loads the configuration, makes the task's folder and, unless IgnoreFileConfigJson, the generated bundle in it. On
 * failure the folder is gone again.
 */
int task_prepare(struct task *t, struct err *e);

/*
 * Runs the container to its end and blocks for that long. 0 with *out, also where the container could not be set up
 * (which was reported then). Runtime state and processes are gone afterwards.
 */
int task_run(struct task *t, struct exit_status *out, struct err *e);

/* Removes the folder, unless DisableCleanup, and frees everything. */
void task_finish(struct task *t);

#endif
