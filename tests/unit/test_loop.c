/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "proc/loop.h"

struct seen {
	struct loop *loop;
	int p[2], q[2];
	int calls, sigs[8], timers[8], n_timers;
	pid_t sender;
	int fresh[2];
};

static void on_read(void *arg, int fd, uint32_t events)
{
	struct seen *s = arg;
	char c;

	s->calls++;
	if (read(fd, &c, 1) != 1)
		loop_remove(s->loop, fd);
	if (s->calls == 3)
		loop_stop(s->loop);
}

static void test_descriptors(void **state)
{
	cleanup(loop) struct loop *l = NULL;
	struct err e = ERR_INIT;
	struct seen s = { 0 };
	int p[2];

	(void)state;
	assert_int_equal(loop_new(&l, &e), 0);
	s.loop = l;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(loop_add(l, p[0], EPOLLIN, on_read, &s, &e), 0);
	assert_int_equal(loop_add(l, p[0], EPOLLIN, on_read, &s, &e), -1);
	assert_int_equal(loop_add(l, -1, EPOLLIN, on_read, &s, &e), -1);
	assert_int_equal(loop_once(l, 0, &e), 0);
	assert_int_equal(s.calls, 0);
	assert_int_equal(write(p[1], "abc", 3), 3);
	assert_int_equal(loop_change(l, p[0], 0, &e), 0);
	assert_int_equal(loop_once(l, 0, &e), 0);
	assert_int_equal(s.calls, 0);
	assert_int_equal(loop_change(l, p[0], EPOLLIN, &e), 0);
	assert_int_equal(loop_run(l, &e), 0);
	assert_int_equal(s.calls, 3);
	close(p[1]);
	assert_int_equal(loop_once(l, 0, &e), 0);
	assert_int_equal(s.calls, 4);
	assert_int_equal(loop_change(l, p[0], EPOLLIN, &e), -1); /* removed by the callback */
	loop_remove(l, p[0]);
	loop_remove(l, 4000);
	loop_remove(l, -1);
	close(p[0]);
}

/* A file never blocks, so epoll refuses it; for us it is always ready. */
static void test_plain_file(void **state)
{
	cleanup(close) int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	cleanup(loop) struct loop *l = NULL;
	struct err e = ERR_INIT;
	struct seen s = { 0 };

	(void)state;
	assert_int_equal(loop_new(&l, &e), 0);
	s.loop = l;
	assert_int_equal(loop_add(l, fd, EPOLLIN, on_read, &s, &e), 0);
	assert_int_equal(loop_run(l, &e), 0);
	assert_int_equal(s.calls, 3);
	assert_int_equal(loop_change(l, fd, 0, &e), 0);
	assert_int_equal(loop_once(l, 0, &e), 0);
	assert_int_equal(s.calls, 3);
	loop_remove(l, fd);
	assert_int_equal(loop_once(l, 0, &e), 0);
}

static void never(void *arg, int fd, uint32_t events)
{
	fail_msg("an event for a descriptor that has none: %d", fd);
}

/* Whichever is called first removes the other one and puts a new pipe under its number. */
static void replace_other(void *arg, int fd, uint32_t events)
{
	struct seen *s = arg;
	int other = fd == s->p[0] ? s->q[0] : s->p[0];
	struct err e = ERR_INIT;

	if (s->calls++)
		return;
	loop_remove(s->loop, other);
	assert_int_equal(pipe2(s->fresh, O_CLOEXEC), 0);
	assert_int_equal(dup2(s->fresh[0], other), other);
	assert_int_equal(loop_add(s->loop, other, EPOLLIN, never, NULL, &e), 0);
}

static void test_reused_number(void **state)
{
	cleanup(loop) struct loop *l = NULL;
	struct err e = ERR_INIT;
	struct seen s = { 0 };

	(void)state;
	assert_int_equal(loop_new(&l, &e), 0);
	s.loop = l;
	assert_int_equal(pipe2(s.p, O_CLOEXEC), 0);
	assert_int_equal(pipe2(s.q, O_CLOEXEC), 0);
	assert_int_equal(loop_add(l, s.p[0], EPOLLIN, replace_other, &s, &e), 0);
	assert_int_equal(loop_add(l, s.q[0], EPOLLIN, replace_other, &s, &e), 0);
	assert_int_equal(write(s.p[1], "x", 1), 1);
	assert_int_equal(write(s.q[1], "x", 1), 1);
	assert_int_equal(loop_once(l, 0, &e), 0);
	assert_int_equal(s.calls, 1);
	for (int i = 0; i < 2; i++) {
		close(s.p[i]);
		close(s.q[i]);
		close(s.fresh[i]);
	}
}

static struct seen *timer_seen;

static void on_timer(void *arg)
{
	timer_seen->timers[timer_seen->n_timers++] = *(int *)arg;
	if (timer_seen->n_timers == 3)
		loop_stop(timer_seen->loop);
}

static void test_timers(void **state)
{
	static int one = 1, two = 2, three = 3, four = 4;
	cleanup(loop) struct loop *l = NULL;
	struct err e = ERR_INIT;
	struct seen s = { 0 };
	int64_t start = clock_ms();
	int id;

	(void)state;
	timer_seen = &s;
	assert_int_equal(loop_new(&l, &e), 0);
	s.loop = l;
	assert_true(loop_after(l, 60, on_timer, &three) > 0);
	assert_true(loop_after(l, 0, on_timer, &one) > 0);
	id = loop_after(l, 30, on_timer, &four);
	assert_true(loop_after(l, 30, on_timer, &two) > 0);
	assert_true(loop_after(l, 1000000000000, on_timer, &four) > 0);
	loop_cancel(l, id);
	loop_cancel(l, id);
	loop_cancel(l, 0);
	assert_int_equal(loop_run(l, &e), 0);
	assert_true(clock_ms() - start >= 60);
	assert_int_equal(s.n_timers, 3);
	assert_int_equal(s.timers[0], 1);
	assert_int_equal(s.timers[1], 2);
	assert_int_equal(s.timers[2], 3);
}

static void on_signal(void *arg, int sig, pid_t sender)
{
	struct seen *s = arg;

	s->sigs[s->calls++] = sig;
	s->sender = sender;
}

static void test_signals(void **state)
{
	struct loop *l = NULL;
	struct err e = ERR_INIT;
	struct seen s = { 0 };
	sigset_t set, now;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	assert_int_equal(loop_new(&l, &e), 0);
	assert_int_equal(loop_signals(l, &set, on_signal, &s, &e), 0);
	raise(SIGUSR1);
	raise(SIGTERM);
	assert_int_equal(loop_once(l, 1000, &e), 0);
	assert_int_equal(s.calls, 2);
	assert_int_equal(s.sigs[0] + s.sigs[1], SIGUSR1 + SIGTERM);
	assert_int_equal(s.sender, getpid());
	loop_free(l);
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &now), 0);
	assert_false(sigismember(&now, SIGUSR1));
	loop_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors),   cmocka_unit_test(test_plain_file),
		cmocka_unit_test(test_reused_number), cmocka_unit_test(test_timers),
		cmocka_unit_test(test_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
