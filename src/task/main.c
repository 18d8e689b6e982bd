/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "base/path.h"
#include "init/protocol.h"
#include "proc/exit.h"
#include "task/logging.h"
#include "task/task.h"

enum { OPT_REQUEST = 1, OPT_REQUEST_FD, OPT_CLEANUP, OPT_CONFIG, OPT_HELP, OPT_VERSION, OPT_DUMP };

static const struct option options[] = {
	{ "request", required_argument, NULL, OPT_REQUEST },
	{ "request-fd", required_argument, NULL, OPT_REQUEST_FD },
	{ "cleanup", required_argument, NULL, OPT_CLEANUP },
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "dump-options", no_argument, NULL, OPT_DUMP },
	{ 0 },
};

static void usage(FILE *to)
{
	fputs("Usage: berth-task --request FILE | --request-fd N [--config FILE]\n"
	      "       berth-task --cleanup FOLDER\n"
	      "Runs one task in one container, as the request says; started by berth's engines.\n\n"
	      "  --request FILE    read the request from FILE\n"
	      "  --request-fd N    read the request from descriptor N\n"
	      "  --config FILE     use this oci.conf\n"
	      "  --cleanup FOLDER  end and remove what a killed berth-task left in a spool folder\n"
	      "  --help            print this and exit\n"
	      "  --version         print the version and exit\n\n"
	      "See berth-task(8).\n",
	      to);
}

struct arguments {
	const char *request, *cleanup, *config;
	int request_fd;
};

/* 0 to go on, else the exit status plus 1. */
static int parse_arguments(int argc, char **argv, struct arguments *a, struct err *e)
{
	uint32_t fd;
	int c;

	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (c) {
		case OPT_REQUEST:
			a->request = optarg;
			break;
		case OPT_REQUEST_FD:
			if (parse_u32(optarg, 0, INT32_MAX, &fd, e) < 0)
				return err_wrap(e, "--request-fd");
			a->request_fd = (int)fd;
			break;
		case OPT_CLEANUP:
			a->cleanup = optarg;
			break;
		case OPT_CONFIG:
			a->config = optarg;
			break;
		case OPT_HELP:
			usage(stdout);
			exit(0);
		case OPT_VERSION:
			puts("berth-task " BERTH_VERSION);
			exit(0);
		case OPT_DUMP:
			for (const struct option *o = options; o->name; o++)
				if (o->val != OPT_DUMP)
					printf("berth-task\t--%s\t%s\n", o->name, o->has_arg ? "ARG" : "");
			exit(0);
		default:
			return err_set(e, "unknown option; see berth-task --help");
		}
	}
	if (optind < argc)
		return err_set(e, "unexpected argument '%s'; see berth-task --help", argv[optind]);
	if ((a->request != NULL) + (a->request_fd >= 0) + (a->cleanup != NULL) != 1)
		return err_set(e, "one of --request, --request-fd and --cleanup is needed; see berth-task --help");
	return 0;
}

static int read_request(const struct arguments *a, struct request *out, struct err *e)
{
	cleanup(free) char *text = NULL;
	size_t len;

	if (a->request) {
		if (path_read_file(AT_FDCWD, a->request, REQUEST_MAX, &text, &len, NULL, e) < 0)
			return err_wrap(e, "request");
	} else {
		int r = fd_read_all(a->request_fd, REQUEST_MAX, &text, &len, e);

		close(a->request_fd);
		if (r < 0)
			return err_wrap(e, "request on descriptor %d", a->request_fd);
	}
	return request_parse(text, len, out, e);
}

static int run(const struct arguments *a)
{
	struct task t = TASK_INIT;
	struct exit_status st = { .code = EXIT_NO_CONTAINER };
	struct err e = ERR_INIT;
	enum conf_search search;
	mode_t mask;

	/* From here on a signal waits for the container instead of ending us with a folder half made. */
	task_block_signals();
	/* Modes are what the code says; the user's mask is for what the runtime starts. */
	mask = umask(0022);
	if (read_request(a, &t.request, &e) < 0)
		goto failed;
	search = t.request.embedded ? CONF_SEARCH_EMBEDDED : CONF_SEARCH_SITE;
	if (oci_conf_find(search, a->config ? a->config : t.request.config, t.request.env, &t.conf, &e) < 0)
		goto failed;
	logging_set_up(&t);
	if (task_prepare(&t, &e) < 0)
		goto failed;
	umask(mask);
	if (task_run(&t, &st, &e) < 0)
		goto failed;
	task_finish(&t);
	return st.code;
failed:
	log_error("%s", e.msg);
	task_finish(&t);
	return EXIT_NO_CONTAINER;
}

int main(int argc, char **argv)
{
	struct arguments a = { .request_fd = -1 };
	struct err e = ERR_INIT;

	fd_open_standard();
	exit_statuses_are_kept();
	log_open("berth-task");
	if (parse_arguments(argc, argv, &a, &e) < 0) {
		log_error("%s", e.msg);
		return EXIT_NO_CONTAINER;
	}
	if (!a.cleanup)
		return run(&a);
	if (task_folder_clean_up(a.cleanup, &e) < 0) {
		log_error("%s", e.msg);
		return 1;
	}
	return 0;
}
