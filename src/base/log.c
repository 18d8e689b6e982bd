/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = { "quiet", "fatal",  "error",	"info",	  "verbose",
					   "debug", "debug2", "debug3", "debug4", "debug5" };

static struct {
	const char *program;
	enum log_level to_stderr, to_file, to_syslog;
	int file;
} the_log = { .program = "berth", .to_stderr = LOG_LEVEL_INFO, .file = -1 };

int log_level_parse(const char *name, enum log_level *out, struct err *e)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(*level_names); i++) {
		if (strcasecmp(name, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return 0;
		}
	}
	return err_set(e, "'%.32s' is not a log level (quiet, fatal, error, info, verbose, debug, debug2 to debug5)",
		       name);
}

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

void log_open(const char *program)
{
	the_log.program = program;
}

void log_set_stderr(enum log_level level)
{
	the_log.to_stderr = level;
}

void log_set_file(int fd, enum log_level level)
{
	if (the_log.file >= 0)
		close(the_log.file);
	the_log.file = fd;
	the_log.to_file = level;
}

void log_set_syslog(enum log_level level)
{
	the_log.to_syslog = level;
	if (level != LOG_LEVEL_QUIET)
		openlog(the_log.program, LOG_PID, LOG_USER);
}

static void write_line(int fd, const char *line, size_t len)
{
	/* A log that cannot be written has nowhere to say so. */
	while (write(fd, line, len) < 0 && errno == EINTR)
		;
}

static void log_to_file(const char *text)
{
	char line[4096];
	struct timespec now;
	struct tm tm;
	int n;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	n = (int)strftime(line, sizeof(line), "[%Y-%m-%dT%H:%M:%S", &tm);
	n += snprintf(line + n, sizeof(line) - (size_t)n, ".%03ld] %s[%d]: %s\n", now.tv_nsec / 1000000,
		      the_log.program, getpid(), text);
	if (n >= (int)sizeof(line)) {
		n = sizeof(line) - 1;
		line[n - 1] = '\n';
	}
	write_line(the_log.file, line, (size_t)n);
}

void log_at(enum log_level level, const char *fmt, ...)
{
	char text[3072], line[3200];
	va_list ap;

	if (level > the_log.to_stderr && (the_log.file < 0 || level > the_log.to_file) && level > the_log.to_syslog)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (level <= the_log.to_stderr) {
		const char *kind = level <= LOG_LEVEL_ERROR ? "error: " : level >= LOG_LEVEL_DEBUG ? "debug: " : "";
		int n = snprintf(line, sizeof(line), "%s: %s%s\n", the_log.program, kind, text);

		write_line(STDERR_FILENO, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
	}
	if (the_log.file >= 0 && level <= the_log.to_file)
		log_to_file(text);
	if (the_log.to_syslog != LOG_LEVEL_QUIET && level <= the_log.to_syslog)
		syslog(level <= LOG_LEVEL_ERROR	    ? LOG_ERR
		       : level <= LOG_LEVEL_VERBOSE ? LOG_INFO
						    : LOG_DEBUG,
		       "%s", text);
}
