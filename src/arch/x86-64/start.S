/* The engine's first instructions, and its last.  */

#define BOOT_STACK_SIZE 65536

	.text

#define GLOBAL(NAME) \
	.globl NAME; .hidden NAME; NAME:

/* Where the server sends a process: %rdi is the channel; the other registers
   and the stack are the program's, and nothing of them is touched.  See
   engine/start.h.

   First the pages that the image's file has nothing for are made anonymous:
   one of the memfd would be filled there and then copied.  The boot stack is
   among them.  If that fails they do as they are.  */
	.globl	engine_start
	.type	engine_start, @function
	.hidden	__bss_start
	.hidden	_end
engine_start:
	movq	%rdi, %rbx
	leaq	__bss_start + 4095(%rip), %rdi
	andq	$-4096, %rdi
	leaq	_end + 4095(%rip), %rsi
	andq	$-4096, %rsi
	subq	%rdi, %rsi
	movl	$3, %edx		/* PROT_READ | PROT_WRITE */
	movl	$0x32, %r10d		/* MAP_PRIVATE | FIXED | ANONYMOUS */
	movq	$-1, %r8
	xorl	%r9d, %r9d
	movl	$9, %eax		/* mmap */
	syscall
	movq	%rbx, %rdi
	leaq	boot_stack + BOOT_STACK_SIZE(%rip), %rsp
	xorl	%ebp, %ebp
	cld
	call	engine_begin
	ud2

/* See arch/native.h.  An interrupt frame is built on the engine's stack and
   the general registers below it: iretq then loads rip, rflags and rsp at
   once.

     rsp ->  r15 r14 r13 r12 r11 r10 r9 r8 rdi rsi rbp rbx rdx rcx rax
             rip cs rflags rsp ss

   struct arch_regs: gpr at 0, rip at 128, rflags at 136, cs at 168, ss at
   170.  */
	.type	arch_go_native, @function
GLOBAL (arch_go_native)
	movzwl	170(%rdi), %eax
	pushq	%rax
	pushq	4*8(%rdi)
	pushq	136(%rdi)
	movzwl	168(%rdi), %eax
	pushq	%rax
	pushq	128(%rdi)
	pushq	0*8(%rdi)
	pushq	1*8(%rdi)
	pushq	2*8(%rdi)
	pushq	3*8(%rdi)
	pushq	5*8(%rdi)
	pushq	6*8(%rdi)
	pushq	7*8(%rdi)
	pushq	8*8(%rdi)
	pushq	9*8(%rdi)
	pushq	10*8(%rdi)
	pushq	11*8(%rdi)
	pushq	12*8(%rdi)
	pushq	13*8(%rdi)
	pushq	14*8(%rdi)
	pushq	15*8(%rdi)
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rbp
	popq	%rbx
	popq	%rdx
	popq	%rcx
	popq	%rax
	iretq

	.bss
	.balign	4096
boot_stack:
	.skip	BOOT_STACK_SIZE

	.section .note.GNU-stack, "", @progbits
