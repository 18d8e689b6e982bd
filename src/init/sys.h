/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_INIT_SYS_H
#define BERTH_INIT_SYS_H

#include <stddef.h>
#include <sys/syscall.h>

/*
 * System calls for a program without a C library, whose start is most of what such a small program costs. Results are
 * those of the kernel: a negative one is an error's number. start.c calls init_main; where the machine is not known
 * here, the C library does, and makes the calls.
 */
int init_main(int argc, char **argv, char **envp);

#if defined(__x86_64__)

static inline long sys_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

#elif defined(__aarch64__)

static inline long sys_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}

#else

#define INIT_WITH_LIBC 1

#include <errno.h>
#include <unistd.h>

static inline long sys_call(long number, long a, long b, long c, long d, long e, long f)
{
	long result = syscall(number, a, b, c, d, e, f);

	return result < 0 ? -errno : result;
}

#endif

#endif
