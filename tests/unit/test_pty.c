/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "proc/pty.h"
#include "proc/spawn.h"

static void test_size_and_settings(void **state)
{
	struct winsize w = { .ws_row = 33, .ws_col = 99 }, got;
	struct termios t, before;
	struct err e = ERR_INIT;
	struct pty_raw raw = PTY_RAW_INIT;
	int m[2], s[2];

	(void)state;
	assert_int_equal(pty_open(-1, &m[0], &s[0], &e), 0);
	assert_int_equal(ioctl(m[0], TIOCSWINSZ, &w), 0);
	assert_int_equal(tcgetattr(s[0], &t), 0);
	t.c_lflag &= ~(tcflag_t)ECHO;
	assert_int_equal(tcsetattr(s[0], TCSANOW, &t), 0);
	assert_int_equal(pty_open(s[0], &m[1], &s[1], &e), 0);
	assert_int_equal(ioctl(s[1], TIOCGWINSZ, &got), 0);
	assert_int_equal(got.ws_row, 33);
	assert_int_equal(got.ws_col, 99);
	assert_int_equal(tcgetattr(s[1], &t), 0);
	assert_false(t.c_lflag & ECHO);
	assert_int_equal(fcntl(m[1], F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(s[1], F_GETFD), FD_CLOEXEC);
	/* What is no terminal is left alone. */
	pty_copy_size(-1, s[1]);
	assert_int_equal(pty_raw_on(&raw, -1, &e), 0);
	pty_raw_off(&raw);
	assert_int_equal(tcgetattr(s[0], &before), 0);
	assert_int_equal(pty_raw_on(&raw, s[0], &e), 0);
	assert_int_equal(tcgetattr(s[0], &t), 0);
	assert_false(t.c_lflag & (ICANON | ISIG));
	pty_raw_off(&raw);
	pty_raw_off(&raw);
	assert_int_equal(tcgetattr(s[0], &t), 0);
	assert_memory_equal(&t.c_lflag, &before.c_lflag, sizeof(t.c_lflag));
	for (int i = 0; i < 2; i++) {
		close(m[i]);
		close(s[i]);
	}
}

static void on_done(void *arg)
{
	loop_stop(arg);
}

static int slow_reader; /* descriptor of the other end of OUT */
static size_t slow_bytes;

static void read_slowly(void *arg)
{
	char buf[1500];
	ssize_t n;

	while ((n = read(slow_reader, buf, sizeof(buf))) > 0)
		slow_bytes += (size_t)n;
	loop_after(arg, 1, read_slowly, arg);
}

/* Runs SCRIPT on a terminal with INPUT as what is typed, and gives what it shows. */
static char *on_terminal(const char *script, const char *input, size_t *slow)
{
	char *const argv[] = { "sh", "-c", (char *)(size_t)script, NULL };
	char *const env[] = { "PATH=/usr/bin:/bin", "TERM=dumb", NULL };
	cleanup(loop) struct loop *l = NULL;
	struct spawn s = SPAWN_INIT;
	struct pty_relay *relay = NULL;
	struct child c = CHILD_INIT;
	struct strbuf text = STRBUF_INIT;
	struct exit_status st;
	struct err e = ERR_INIT;
	int m, slave, in[2], out[2];
	char buf[4096];
	ssize_t n;

	assert_int_equal(pty_open(-1, &m, &slave, &e), 0);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(write(in[1], input, strlen(input)), strlen(input));
	close(in[1]);
	s.path = "/bin/sh";
	s.argv = argv;
	s.envp = env;
	s.stdio[0] = s.stdio[1] = s.stdio[2] = slave;
	s.new_session = s.controlling_tty = true;
	assert_int_equal(loop_new(&l, &e), 0);
	assert_int_equal(spawn_start(&s, &c, &e), 0);
	close(slave);
	assert_int_equal(pty_relay_new(l, m, in[0], out[1], on_done, l, &relay, &e), 0);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	if (slow) {
		slow_reader = out[0];
		slow_bytes = 0;
		loop_after(l, 1, read_slowly, l);
	}
	assert_int_equal(loop_run(l, &e), 0);
	pty_relay_free(relay);
	assert_int_equal(child_wait(&c, &st, &e), 0);
	close(out[1]);
	while ((n = read(out[0], buf, sizeof(buf))) > 0)
		strbuf_add(&text, buf, (size_t)n);
	if (slow)
		*slow = slow_bytes + text.len;
	close(in[0]);
	close(out[0]);
	close(m);
	return strbuf_take(&text);
}

static void test_relay(void **state)
{
	static const struct {
		const char *script, *input, *shown;
	} rows[] = {
		{ "echo hello; echo err >&2", "", "hello\r\nerr\r\n" },
		{ "tty >/dev/null && test -t 0 && test -t 1 && echo yes", "", "yes\r\n" },
		{ "stty -echo; echo ready; cat", "", "ready\r\n" },
		/* The end of what is typed reaches the program, in the middle of a line too. */
		{ "stty -echo; wc -c", "three\n", "6\r\n" },
		{ "stty -echo; wc -c", "three", "5\r\n" },
		{ "stty -echo; read x; echo got $x", "line\n", "got line\r\n" },
		{ "exit 3", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup(free) char *text = on_terminal(rows[i].script, rows[i].input, NULL);

		/* What is typed before echo is turned off is shown; what matters is the end. */
		check(i, str_ends(text, rows[i].shown));
	}
}

/* More than all buffers hold, to a reader slower than the writer: nothing is lost, and the loop is never held up. */
static void test_slow_reader(void **state)
{
	size_t bytes = 0;
	cleanup(free) char *rest = on_terminal("head -c 300000 /dev/zero | tr '\\0' x", "", &bytes);

	(void)state;
	assert_int_equal(bytes, 300000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size_and_settings),
		cmocka_unit_test(test_relay),
		cmocka_unit_test(test_slow_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
