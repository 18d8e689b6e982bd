/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_LOG_H
#define BERTH_BASE_LOG_H

#include "base/err.h"

/* The levels of oci.conf's FileDebug, StdIODebug and SyslogDebug, in Slurm's order. */
enum log_level {
	LOG_LEVEL_QUIET,
	LOG_LEVEL_FATAL,
	LOG_LEVEL_ERROR,
	LOG_LEVEL_INFO,
	LOG_LEVEL_VERBOSE,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_DEBUG2,
	LOG_LEVEL_DEBUG3,
	LOG_LEVEL_DEBUG4,
	LOG_LEVEL_DEBUG5,
};

int log_level_parse(const char *name, enum log_level *out, struct err *e);
const char *log_level_name(enum log_level level);

/*
 * One log a process, set up by main. PROGRAM (static) begins each line. Until told otherwise, info and above go to
 * stderr. Not for use between fork and exec.
 */
void log_open(const char *program);
void log_set_stderr(enum log_level level);
/* fd is taken; each line is one write of at most 4096 bytes. */
void log_set_file(int fd, enum log_level level);
void log_set_syslog(enum log_level level);

void log_at(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_at(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_info(...) log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_verbose(...) log_at(LOG_LEVEL_VERBOSE, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
