/* The entry of the engine's image: %rdi is the channel, %rsp is not ours.  */

	.text
	.globl	engine_start
	.type	engine_start, @function
engine_start:
	cld
	leaq	boot_stack_end(%rip), %rsp
	xorl	%ebp, %ebp
	call	start_main
	ud2

	.bss
	.balign	16
	.zero	16384
boot_stack_end:

	.section .note.GNU-stack,"",@progbits
