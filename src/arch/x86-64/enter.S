/* See arch/enter.h.  %gs:0 is the thread's struct arch_context.  */

#include "arch/context.h"

	.text

/* AC: unaligned access is no fault in the engine.  NT: iretq faults.  */
#define FLAGS_UNWANTED 0x44000

#define EACH_BUT_RSP_RDI(DO) \
	DO (%rax, 0); DO (%rcx, 1); DO (%rdx, 2); DO (%rbx, 3); \
	DO (%rbp, 5); DO (%rsi, 6); DO (%r8, 8); DO (%r9, 9); \
	DO (%r10, 10); DO (%r11, 11); DO (%r12, 12); DO (%r13, 13); \
	DO (%r14, 14); DO (%r15, 15)
#define LOAD(R, N) movq CONTEXT_GPR (N)(%rdi), R
#define SAVE(R, N) movq R, %gs:CONTEXT_GPR (N)

#define GLOBAL(NAME) \
	.globl NAME; .hidden NAME; NAME:

GLOBAL (arch_enter_begin)
	.type	arch_enter, @function
GLOBAL (arch_enter)
	movq	CONTEXT_ENGINE_RSP(%rdi), %rsp
	cmpq	$0, CONTEXT_INTERRUPTED(%rdi)
	jne	1f
	pushq	CONTEXT_RFLAGS(%rdi)
	popfq
	EACH_BUT_RSP_RDI (LOAD)
	movq	CONTEXT_GPR (4)(%rdi), %rsp
	movq	CONTEXT_GPR (7)(%rdi), %rdi
	jmp	*%gs:CONTEXT_NEXT
GLOBAL (arch_enter_held)
	movq	%gs:CONTEXT_CONSTANT, %r10
	jmp	*%gs:CONTEXT_RESUME
GLOBAL (arch_enter_end)
1:	movl	$2, %esi		/* ARCH_EXIT_RESUMED */
	call	arch_dispatch
	ud2

/* A lookup found no fragment: %rcx and %rdx are spilled, the application's
   target is in the context.  */
GLOBAL (arch_lookup_miss)
	movq	%gs:CONTEXT_GPR (1), %rcx
	movq	%gs:CONTEXT_GPR (2), %rdx
	movq	$1, %gs:CONTEXT_EXIT	/* ARCH_EXIT_INDIRECT */
	jmp	arch_leave

GLOBAL (arch_lookup_miss_held)
	movq	%gs:CONTEXT_GPR (1), %rcx
	movq	%gs:CONTEXT_GPR (2), %rdx
	movq	$1, %gs:CONTEXT_EXIT	/* ARCH_EXIT_INDIRECT */

GLOBAL (arch_leave_held)
	movq	%gs:CONTEXT_GPR (10), %r10
	movq	%gs:CONTEXT_GPR (11), %r11

GLOBAL (arch_leave)
	EACH_BUT_RSP_RDI (SAVE)
	SAVE (%rsp, 4)
	SAVE (%rdi, 7)
	movq	%gs:CONTEXT_ENGINE_RSP, %rsp
	pushfq
	popq	%gs:CONTEXT_RFLAGS
	cld
	testl	$FLAGS_UNWANTED, %gs:CONTEXT_RFLAGS
	jz	2f
	pushq	$2
	popfq
2:
	movq	%gs:0, %rdi
	movq	%gs:CONTEXT_EXIT, %rsi
	call	arch_dispatch
	ud2

	/* What the expression has no registers for lies below
	   CONTEXT_ENGINE_RSP.  */
	.type	arch_evaluate, @function
GLOBAL (arch_evaluate)
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%gs:CONTEXT_ENGINE_RSP
	movq	%rsp, %gs:CONTEXT_SPILL (3)
	leaq	-64(%rsp), %rax
	andq	$-16, %rax
	movq	%rax, %gs:CONTEXT_ENGINE_RSP
	jmp	*%rsi
GLOBAL (arch_evaluate_yes)
	movl	$1, %eax
	jmp	4f
GLOBAL (arch_evaluate_error)
	movl	$2, %eax
	jmp	4f
GLOBAL (arch_evaluate_no)
	xorl	%eax, %eax
4:	movq	%gs:CONTEXT_SPILL (3), %rsp
	popq	%gs:CONTEXT_ENGINE_RSP
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	cld
	ret

	.type	arch_serialise, @function
GLOBAL (arch_serialise)
	movq	%rsp, %rax
	movl	%ss, %ecx
	pushq	%rcx
	pushq	%rax
	pushfq
	movl	%cs, %ecx
	pushq	%rcx
	leaq	3f(%rip), %rcx
	pushq	%rcx
	iretq
3:	ret

	.type	arch_restart, @function
GLOBAL (arch_restart)
	movq	CONTEXT_ENGINE_RSP(%rdi), %rsp
	call	arch_dispatch
	ud2

	.section .note.GNU-stack,"",@progbits
