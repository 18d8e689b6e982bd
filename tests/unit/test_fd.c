/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

static char big[1 << 20];

static void *write_big(void *arg)
{
	struct err e = ERR_INIT;

	assert_int_equal(fd_write_all(*(int *)arg, big, sizeof(big), &e), 0);
	close(*(int *)arg);
	return NULL;
}

/* More than a pipe holds: short writes and reads on both sides. */
static void test_all_of_it(void **state)
{
	cleanup(free) char *got = NULL;
	struct err e = ERR_INIT;
	pthread_t writer;
	size_t len;
	int p[2];

	(void)state;
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 31);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(pthread_create(&writer, NULL, write_big, &p[1]), 0);
	assert_int_equal(fd_read_all(p[0], sizeof(big), &got, &len, &e), 0);
	pthread_join(writer, NULL);
	assert_int_equal(len, sizeof(big));
	assert_memory_equal(got, big, sizeof(big));
	assert_int_equal(got[len], 0);
	close(p[0]);
}

static void test_limits(void **state)
{
	static const size_t sizes[] = { 0, 1, 4094, 4095, 4096, 4097, 8191, 8192 };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		for (int over = 0; over < 2; over++) {
			cleanup(free) char *got = NULL;
			struct err e = ERR_INIT;
			size_t len = 4711;
			int p[2];

			assert_int_equal(pipe2(p, O_CLOEXEC), 0);
			assert_int_equal(fd_write_all(p[1], big, sizes[i] + (size_t)over, &e), 0);
			close(p[1]);
			check(i, fd_read_all(p[0], sizes[i], &got, &len, &e) == (over ? -1 : 0));
			check(i, len == (over ? 4711 : sizes[i]));
			close(p[0]);
		}
	}
}

static void test_errors(void **state)
{
	struct err e = ERR_INIT;
	char *got = NULL;
	cleanup(close) int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(fd_write_all(full, "x", 1, &e), -1);
	assert_int_equal(e.code, ENOSPC);
	assert_int_equal(fd_write_all(-1, "x", 1, &e), -1);
	assert_int_equal(fd_write_all(-1, "", 0, &e), 0);
	assert_int_equal(fd_read_all(-1, 1, &got, NULL, &e), -1);
	assert_null(got);
}

static size_t open_fds(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_pass_descriptor(void **state)
{
	cleanup(close) int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct err e = ERR_INIT;
	char text[8] = "";
	int s[2], got;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	assert_int_equal(fd_send(s[0], "hi", 2, null, &e), 0);
	assert_int_equal(fd_send(s[0], "none", 4, -1, &e), 0);
	assert_int_equal(fd_recv(s[1], text, sizeof(text), &got, &e), 2);
	assert_true(got >= 0);
	assert_int_equal(fcntl(got, F_GETFD), FD_CLOEXEC);
	close(got);
	assert_int_equal(fd_recv(s[1], text, sizeof(text), &got, &e), 4);
	assert_int_equal(got, -1);
	close(s[0]);
	assert_int_equal(fd_recv(s[1], text, sizeof(text), &got, &e), 0);
	assert_int_equal(fd_send(s[1], "x", 1, -1, &e), -1);
	assert_int_equal(e.code, EPIPE);
	close(s[1]);
}

/* A peer that sends more descriptors than asked for must not fill our table. */
static void test_surplus_descriptors(void **state)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(3 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf, .msg_controllen = sizeof(control.buf)
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	struct err e = ERR_INIT;
	size_t before;
	char text[8];
	int s[2], got;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(3 * sizeof(int));
	memcpy(CMSG_DATA(c), (int[]){ s[0], s[0], s[1] }, 3 * sizeof(int));
	assert_int_equal(sendmsg(s[0], &msg, 0), 1);
	before = open_fds();
	assert_int_equal(fd_recv(s[1], text, sizeof(text), &got, &e), 1);
	assert_int_equal(open_fds(), before + 1);
	assert_true(got >= 0);
	close(got);
	close(s[0]);
	close(s[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_it),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_pass_descriptor),
		cmocka_unit_test(test_surplus_descriptors),
	};

	signal(SIGPIPE, SIG_DFL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
