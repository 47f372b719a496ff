/* The ways into a random program, out of it, and past it at a checkpoint.

   saved_state: 16 general registers by number, flags, and at 192 the area of
   xsave.  The checkpoint stores nothing on the program's stack.  */

#define GPR(N) saved_state + 8 * (N)(%rip)
#define FLAGS saved_state + 128(%rip)
#define VECTORS saved_state + 192(%rip)

	.text
	.globl	stub_run, stub_finish, stub_checkpoint

	.macro	features
	movl	$0xe7, %eax
	xorl	%edx, %edx
	.endm

/* void stub_run (uint64_t pc): with the state in saved_state.  */
stub_run:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, host_rsp(%rip)
	movq	%rdi, target(%rip)
resume:
	features
	xrstor64 VECTORS
	pushq	FLAGS
	popfq
	movq	GPR (0), %rax
	movq	GPR (1), %rcx
	movq	GPR (2), %rdx
	movq	GPR (3), %rbx
	movq	GPR (4), %rsp
	movq	GPR (5), %rbp
	movq	GPR (6), %rsi
	movq	GPR (7), %rdi
	movq	GPR (8), %r8
	movq	GPR (9), %r9
	movq	GPR (10), %r10
	movq	GPR (11), %r11
	movq	GPR (12), %r12
	movq	GPR (13), %r13
	movq	GPR (14), %r14
	movq	GPR (15), %r15
	jmp	*target(%rip)

stub_checkpoint:
	movq	%rax, GPR (0)
	movq	%rcx, GPR (1)
	movq	%rdx, GPR (2)
	movq	%rbx, GPR (3)
	movq	%rsp, GPR (4)
	movq	%rbp, GPR (5)
	movq	%rsi, GPR (6)
	movq	%rdi, GPR (7)
	movq	%r8, GPR (8)
	movq	%r9, GPR (9)
	movq	%r10, GPR (10)
	movq	%r11, GPR (11)
	movq	%r12, GPR (12)
	movq	%r13, GPR (13)
	movq	%r14, GPR (14)
	movq	%r15, GPR (15)
	movq	(%rsp), %rax
	movq	%rax, target(%rip)
	movq	host_rsp(%rip), %rsp
	pushfq
	popq	FLAGS
	pushq	$2
	popfq
	features
	xsave64	VECTORS
	andq	$-16, %rsp
	call	checkpoint
	addq	$8, GPR (4)
	jmp	resume

stub_finish:
	movq	host_rsp(%rip), %rsp
	pushq	$2
	popfq
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

	.local	host_rsp, target
	.comm	host_rsp, 8, 8
	.comm	target, 8, 8
	.section .note.GNU-stack, "", @progbits
