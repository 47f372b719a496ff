/* The pieces of the kernel's border that are written in assembly: the one
   place that issues system calls for the application, copying of application
   memory that may fault, the first and the last instructions of a thread.  */

#ifndef ARCH_GATE_H
#define ARCH_GATE_H

#include "arch/context.h"

/* Issue system call NR with ARGS, unless %gs:CONTEXT_INTERRUPTED is set.
   ARCH_SYSCALL_AGAIN: not issued.  A child of clone, on a stack of its own,
   returns to what arch_child_stack put there.

   A signal handler decides by the PC that it interrupted:
     arch_syscall_check <= PC <= arch_syscall_at   nothing was done, or the
               kernel wants the call to be issued again: go on at
               arch_syscall_again
     arch_syscall_after   done; the result is in %rax  */
long arch_syscall (int64_t nr, const uint64_t args[6]);
extern const uint8_t arch_syscall_check[], arch_syscall_at[],
  arch_syscall_after[], arch_syscall_again[];
#define ARCH_SYSCALL_AGAIN (-512L)

/* Prepare the stack whose top is TOP, so that a child of arch_syscall calls
   START (T) there.  Returns the stack pointer for the child.  */
void *arch_child_stack (void *top, NORETURN void (*start) (void *), void *t);

/* Run START (ARG) on the stack whose top is TOP.  */
NORETURN void arch_call_on_stack (void *top, void (*start) (void *),
                                  void *arg);

/* Store 1 to *DONE and do system call NR (exit or exit_group) with STATUS,
   without touching memory in between.  */
NORETURN void arch_thread_exit (uint32_t *done, long nr, long status);

/* Copy N bytes; returns how many were not copied because of a fault.  A fault
   at a PC in [arch_copy_begin, arch_copy_end) is answered by going on at
   arch_copy_fault with all registers as they are.  */
size_t arch_copy (void *dst, const void *src, size_t n);
extern const uint8_t arch_copy_begin[], arch_copy_end[], arch_copy_fault[];

/* The same for saving the vector registers to IMAGE (aligned to 64, its
   header cleared) and for bringing them to their initial state: components
   by FEATURES.  arch_vector_save is false when it faulted.  */
bool arch_vector_save (void *image, uint64_t features);
bool arch_vector_load (const void *image, uint64_t features);
extern const uint8_t arch_vector_begin[], arch_vector_end[],
  arch_vector_fault[];
void arch_vector_reset (uint64_t features);

/* What the kernel is given as handler: calls signal_handler (SIG, INFO, UC),
   supplied by engine/signal.c, with AC and NT clear.  */
void arch_signal_entry (void);

/* The restorer of the engine's own handler.  */
void arch_signal_return (void);

/* Issue rt_sigreturn with the frame at FRAME (the kernel's rt_sigframe).  */
NORETURN void arch_sigreturn (void *frame);

static inline uint64_t
arch_read_fs_base (void)
{
  uint64_t base;
  __asm__ volatile ("rdfsbase %0" : "=r"(base));
  return base;
}

static inline void
arch_write_fs_base (uint64_t base)
{
  __asm__ volatile ("wrfsbase %0" : : "r"(base));
}

static inline void
arch_write_gs_base (uint64_t base)
{
  __asm__ volatile ("wrgsbase %0" : : "r"(base) : "memory");
}

#endif
