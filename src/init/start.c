/* SPDX-License-Identifier: Apache-2.0 */
#include "init/sys.h"

/* Where the kernel enters: the stack holds argc, argv, NULL, the environment, NULL. */

#ifdef INIT_WITH_LIBC

int main(int argc, char **argv, char **envp)
{
	return init_main(argc, argv, envp);
}

#else

#if defined(__x86_64__)
__asm__(".text\n"
	".global _start\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call start_c\n");
#else
__asm__(".text\n"
	".global _start\n"
	"_start:\n"
	"	mov x29, #0\n"
	"	mov x30, #0\n"
	"	mov x0, sp\n"
	"	bl start_c\n");
#endif

_Noreturn void start_c(long *stack);

_Noreturn void start_c(long *stack)
{
	int argc = (int)stack[0];
	char **argv = (char **)(stack + 1);

	for (;;)
		sys_call(SYS_exit_group, init_main(argc, argv, argv + argc + 1), 0, 0, 0, 0, 0);
}

#endif
