/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * pairs [-n ROUNDS] [-w ROUNDS] [-s STATUS] [-l] ::: NAME [VARIABLE=VALUE]... COMMAND... ::: NAME COMMAND...
 *
 * Times commands against each other on a machine that does other things besides: each round runs every command once,
 * in an order that turns from round to round, so that all of them meet the same weather; what counts is the median of
 * the differences within a round. "{}" in a word stands for a number that no other run has.
 *
 *   -n  rounds that count (20)      -w  rounds before them (2)
 *   -s  the exit status that every run must have (0)
 *   -l  measure the end instead of the whole: from the moment that the command wrote to its stdout, in nanoseconds
 *       of the monotonic clock, until its exit was seen
 *
 * Prints for each command, separated by tabs: name; minimum, median and 95th percentile in milliseconds; the medians
 * of the differences to the first command, in milliseconds, and of the ratios to it.
 */

enum { MAX_COMMANDS = 16 };

struct command {
	const char *name;
	char **argv;
	double *ms; /* by round */
};

struct bench {
	struct command commands[MAX_COMMANDS];
	size_t n, rounds, warm_up;
	int status;
	bool latency;
	unsigned long runs;
};

extern char **environ;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "pairs: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void *need(void *p)
{
	if (!p)
		die("memory");
	return p;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static char **fill_in(char *const *argv, unsigned long run)
{
	size_t n = 0;
	char **out;

	while (argv[n])
		n++;
	out = need(calloc(n + 1, sizeof(*out)));
	for (size_t i = 0; i < n; i++) {
		const char *at = strstr(argv[i], "{}");

		if (!at)
			out[i] = need(strdup(argv[i]));
		else if (asprintf(&out[i], "%.*s%d-%lu%s", (int)(at - argv[i]), argv[i], getpid(), run, at + 2) < 0)
			die("memory");
	}
	return out;
}

/* What was written to the pipe, as a number of nanoseconds. */
static uint64_t read_stamp(int fd)
{
	char text[64];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	if (n <= 0) {
		errno = n ? errno : ENODATA;
		die("the command's time stamp");
	}
	text[n] = '\0';
	return strtoull(text, NULL, 10);
}

static void check_status(const struct bench *b, const struct command *c, pid_t pid)
{
	int st;

	if (waitpid(pid, &st, 0) < 0)
		die("wait");
	if (WIFEXITED(st) && WEXITSTATUS(st) == b->status)
		return;
	fprintf(stderr, "pairs: %s: ended with %s %d, not with status %d\n", c->name,
		WIFEXITED(st) ? "status" : "signal", WIFEXITED(st) ? WEXITSTATUS(st) : WTERMSIG(st), b->status);
	exit(2);
}

static char **environment(char **words)
{
	size_t n = 0, k = 0;
	char **env;

	while (environ[n])
		n++;
	while (words[k] && strchr(words[k], '='))
		k++;
	env = need(calloc(n + k + 1, sizeof(*env)));
	/* The first of a name counts. */
	memcpy(env, words, k * sizeof(*env));
	memcpy(env + k, environ, n * sizeof(*env));
	return env;
}

static double run_once(struct bench *b, const struct command *c)
{
	char **words = fill_in(c->argv, b->runs++), **env = environment(words), **argv = words;
	struct pollfd ended = { .fd = -1, .events = POLLIN };
	posix_spawn_file_actions_t actions;
	uint64_t start, end;
	int out[2];
	pid_t pid;

	while (*argv && strchr(*argv, '='))
		argv++;
	if (pipe2(out, O_CLOEXEC) < 0)
		die("pipe");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	start = now_ns();
	errno = posix_spawnp(&pid, argv[0], &actions, NULL, argv, env);
	if (errno)
		die(argv[0] ? argv[0] : "a command");
	ended.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	while (poll(&ended, 1, -1) < 1)
		;
	end = now_ns();
	check_status(b, c, pid);
	close(out[1]);
	if (b->latency)
		start = read_stamp(out[0]);
	close(out[0]);
	close(ended.fd);
	posix_spawn_file_actions_destroy(&actions);
	for (size_t i = 0; words[i]; i++)
		free(words[i]);
	free(words);
	free(env);
	return (double)(int64_t)(end - start) / 1e6;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts V. */
static double quantile(double *v, size_t n, double q)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[(size_t)((double)(n - 1) * q + 0.5)];
}

static void report(const struct bench *b)
{
	double *sorted = need(calloc(b->rounds, sizeof(double)));
	double *diff = need(calloc(b->rounds, sizeof(double)));
	double *ratio = need(calloc(b->rounds, sizeof(double)));

	for (size_t i = 0; i < b->n; i++) {
		const struct command *c = &b->commands[i], *first = &b->commands[0];

		for (size_t r = 0; r < b->rounds; r++) {
			sorted[r] = c->ms[r];
			diff[r] = c->ms[r] - first->ms[r];
			ratio[r] = c->ms[r] / first->ms[r];
		}
		printf("%s\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\n", c->name, quantile(sorted, b->rounds, 0),
		       quantile(sorted, b->rounds, 0.5), quantile(sorted, b->rounds, 0.95),
		       quantile(diff, b->rounds, 0.5), quantile(ratio, b->rounds, 0.5));
	}
	free(sorted);
	free(diff);
	free(ratio);
}

static size_t count_of(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n > 1000000) {
		errno = EINVAL;
		die(text);
	}
	return n;
}

/* NAME COMMAND... between separators; the separators become the ends of the vectors. */
static void take_commands(struct bench *b, char **words)
{
	while (*words && strcmp(*words, ":::") == 0 && words[1] && words[2] && b->n < MAX_COMMANDS) {
		struct command *c = &b->commands[b->n++];

		*words = NULL;
		c->name = words[1];
		c->argv = words + 2;
		c->ms = need(calloc(b->rounds + 1, sizeof(double)));
		for (words++; *words && strcmp(*words, ":::") != 0;)
			words++;
	}
}

int main(int argc, char **argv)
{
	struct bench b = { .rounds = 20, .warm_up = 2 };
	int c;

	while ((c = getopt(argc, argv, "+n:w:s:l")) != -1) {
		switch (c) {
		case 'n':
			b.rounds = count_of(optarg);
			break;
		case 'w':
			b.warm_up = count_of(optarg);
			break;
		case 's':
			b.status = (int)count_of(optarg);
			break;
		case 'l':
			b.latency = true;
			break;
		default:
			return 2;
		}
	}
	take_commands(&b, argv + optind);
	if (!b.n || !b.rounds) {
		fputs("usage: pairs [-n ROUNDS] [-w ROUNDS] [-s STATUS] [-l] ::: NAME COMMAND... ::: ...\n", stderr);
		return 2;
	}
	for (size_t r = 0; r < b.warm_up + b.rounds; r++) {
		for (size_t i = 0; i < b.n; i++) {
			struct command *now = &b.commands[(i + r) % b.n];
			double ms = run_once(&b, now);

			if (r >= b.warm_up)
				now->ms[r - b.warm_up] = ms;
		}
	}
	report(&b);
	return 0;
}
