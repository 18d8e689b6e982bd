/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <signal.h>
#include <stdbool.h>

#include "base/num.h"

static const struct {
	const char *text;
	uint64_t min, max;
	int result;
	uint64_t value;
} numbers[] = {
	{ "0", 0, 0, 0, 0 },
	{ "1", 1, 64, 0, 1 },
	{ "64", 1, 64, 0, 64 },
	{ "0064", 1, 64, 0, 64 },
	{ "65", 1, 64, -1, 0 },
	{ "0", 1, 64, -1, 0 },
	{ "", 0, 64, -1, 0 },
	{ "-1", 0, UINT64_MAX, -1, 0 },
	{ "+1", 0, UINT64_MAX, -1, 0 },
	{ " 1", 0, UINT64_MAX, -1, 0 },
	{ "1 ", 0, UINT64_MAX, -1, 0 },
	{ "1x", 0, UINT64_MAX, -1, 0 },
	{ "0x10", 0, UINT64_MAX, -1, 0 },
	{ "1e3", 0, UINT64_MAX, -1, 0 },
	{ "4294967295", 0, UINT64_MAX, 0, UINT32_MAX },
	{ "4294967296", 0, UINT64_MAX, 0, 1ULL << 32 },
	{ "18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX },
	{ "18446744073709551616", 0, UINT64_MAX, -1, 0 },
	{ "99999999999999999999999999", 0, UINT64_MAX, -1, 0 },
	{ "\xd9\xa1", 0, UINT64_MAX, -1, 0 },
};

static void test_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		struct err e = ERR_INIT;
		uint64_t n = 4711;
		uint32_t n32 = 4711;
		bool fits = numbers[i].max <= UINT32_MAX;

		check(i, parse_u64(numbers[i].text, numbers[i].min, numbers[i].max, &n, &e) == numbers[i].result);
		check(i, n == (numbers[i].result ? 4711 : numbers[i].value));
		check(i, !*e.msg == !numbers[i].result);
		if (!fits)
			continue;
		check(i, parse_u32(numbers[i].text, (uint32_t)numbers[i].min, (uint32_t)numbers[i].max, &n32, &e) ==
				 numbers[i].result);
		check(i, n32 == (numbers[i].result ? 4711 : numbers[i].value));
	}
}

static void test_message(void **state)
{
	struct err e = ERR_INIT;
	uint32_t n;

	(void)state;
	assert_int_equal(parse_u32("12x", 1, 64, &n, &e), -1);
	assert_string_equal(e.msg, "'12x' is not a number from 1 to 64");
}

static void test_signals(void **state)
{
	const struct {
		const char *text;
		int sig; /* 0: refused */
	} rows[] = {
		{ "TERM", SIGTERM },
		{ "term", SIGTERM },
		{ "SIGTERM", SIGTERM },
		{ "sigterm", SIGTERM },
		{ "15", SIGTERM },
		{ "KILL", SIGKILL },
		{ "USR1", SIGUSR1 },
		{ "IO", SIGIO },
		{ "POLL", SIGPOLL },
		{ "IOT", SIGABRT },
		{ "CLD", SIGCHLD },
		{ "RTMIN", SIGRTMIN },
		{ "SIGRTMIN+1", SIGRTMIN + 1 },
		{ "rtmax", SIGRTMAX },
		{ "RTMAX-1", SIGRTMAX - 1 },
		{ "RTMIN+30", SIGRTMAX },
		{ "64", SIGRTMAX },
		{ "RTMIN+31", 0 },
		{ "RTMAX-31", 0 },
		{ "RTMIN-1", 0 },
		{ "RTMAX+1", 0 },
		{ "RTMIN+", 0 },
		{ "RTMIN1", 0 },
		{ "0", 0 },
		{ "65", 0 },
		{ "", 0 },
		{ "SIG", 0 },
		{ "SIG9", 0 },
		{ "TERM ", 0 },
		{ "FOO", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = ERR_INIT;
		int sig = 4711;

		check(i, parse_signal(rows[i].text, &sig, &e) == (rows[i].sig ? 0 : -1));
		check(i, sig == (rows[i].sig ? rows[i].sig : 4711));
	}
}

static void test_signal_names(void **state)
{
	(void)state;
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		char buf[16];
		int back = 0;

		check(sig, parse_signal(signal_name(sig, buf), &back, NULL) == 0);
		check(sig, back == sig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_signal_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
