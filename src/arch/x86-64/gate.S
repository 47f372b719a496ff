/* See arch/gate.h.  */

#include <asm/unistd.h>
#include "arch/context.h"

	.text

#define GLOBAL(NAME) \
	.globl NAME; .hidden NAME; NAME:
#define FUNCTION(NAME) \
	.type NAME, @function; GLOBAL (NAME)

/* %rdi number, %rsi arguments.  */
FUNCTION (arch_syscall)
	movq	%rdi, %rax
	movq	%rsi, %r11
	movq	(%r11), %rdi
	movq	8(%r11), %rsi
	movq	16(%r11), %rdx
	movq	24(%r11), %r10
	movq	32(%r11), %r8
	movq	40(%r11), %r9
GLOBAL (arch_syscall_check)
	cmpq	$0, %gs:CONTEXT_INTERRUPTED
	jne	arch_syscall_again
GLOBAL (arch_syscall_at)
	syscall
GLOBAL (arch_syscall_after)
	ret
GLOBAL (arch_syscall_again)
	movq	$-512, %rax
	ret

/* %rdi top, %rsi function, %rdx its argument.  The child's `ret' above goes
   to child_start with the other two on its stack.  */
FUNCTION (arch_child_stack)
	leaq	-32(%rdi), %rax
	andq	$-16, %rax
	leaq	child_start(%rip), %rcx
	movq	%rcx, (%rax)
	movq	%rsi, 8(%rax)
	movq	%rdx, 16(%rax)
	ret
child_start:
	popq	%rax
	popq	%rdi
	xorl	%ebp, %ebp
	andq	$-16, %rsp
	call	*%rax
	ud2

FUNCTION (arch_call_on_stack)
	movq	%rdi, %rsp
	andq	$-16, %rsp
	movq	%rdx, %rdi
	xorl	%ebp, %ebp
	call	*%rsi
	ud2

FUNCTION (arch_thread_exit)
	movq	%rdi, %r8
	movq	%rsi, %rax
	movq	%rdx, %rdi
	movl	$1, (%r8)
	syscall
	ud2

FUNCTION (arch_copy)
	movq	%rdx, %rcx
GLOBAL (arch_copy_begin)
	rep movsb
GLOBAL (arch_copy_end)
GLOBAL (arch_copy_fault)
	movq	%rcx, %rax
	ret

/* %rdi image, %rsi components.  A fault here is answered as in arch_copy by
   the second pair of labels.  */
FUNCTION (arch_vector_save)
	movl	%esi, %eax
	movq	%rsi, %rdx
	shrq	$32, %rdx
	jmp	arch_vector_begin

/* The same, the other way: faults when the image is malformed.  */
FUNCTION (arch_vector_load)
	movl	%esi, %eax
	movq	%rsi, %rdx
	shrq	$32, %rdx
	jmp	2f

GLOBAL (arch_vector_begin)
	xsave64	(%rdi)
	jmp	1f
2:	xrstor64 (%rdi)
GLOBAL (arch_vector_end)
1:	movl	$1, %eax
	ret
GLOBAL (arch_vector_fault)
	xorl	%eax, %eax
	ret

/* All components of %rdi to their initial state, from an image without any:
   512 legacy bytes, of which MXCSR is read, and an empty header.  */
FUNCTION (arch_vector_reset)
	movl	%edi, %eax
	movq	%rdi, %rdx
	shrq	$32, %rdx
	leaq	initial(%rip), %rcx
	xrstor64 (%rcx)
	ret

/* AC, and NT, with which iretq faults.  */
#define FLAGS_UNWANTED 0x44000
#define FLAGS_NT_ID 0x204000
#define FRAME_RFLAGS 176		/* behind the frame's first word */

/* The kernel's call of the engine's handler: as C expects it, but for the
   flags that are not wanted.  */
FUNCTION (arch_signal_entry)
	pushfq
	andl	$~FLAGS_UNWANTED, (%rsp)
	popfq
	jmp	signal_handler

/* rt_sigreturn takes NT and ID not from the frame, but from the registers.  */
	.macro	set_nt_id
	movl	FRAME_RFLAGS(%rsp), %eax
	andl	$FLAGS_NT_ID, %eax
	orl	$2, %eax
	pushq	%rax
	popfq
	.endm

FUNCTION (arch_signal_return)
	set_nt_id
	movl	$__NR_rt_sigreturn, %eax
	syscall
	ud2

/* %rdi frame: the kernel expects %rsp behind its first word.  */
FUNCTION (arch_sigreturn)
	leaq	8(%rdi), %rsp
	set_nt_id
	movl	$__NR_rt_sigreturn, %eax
	syscall
	ud2

	.section .rodata
	.balign	64
initial:
	.zero	24
	.long	0x1f80			/* MXCSR as after reset */
	.long	0xffff			/* its mask */
	.zero	512 - 32
	.zero	64 + 64

	.section .note.GNU-stack,"",@progbits
