/* The remote call frame: the registers with which a stopped process is made
   to issue a system call, or to go on somewhere else.  For the server only;
   the tracing itself is src/host's.  */

#ifndef ARCH_INJECT_H
#define ARCH_INJECT_H

#include "arch/regs.h"

#define INJECT_MAX_ARGS 6
#define INJECT_SYSCALL_SIZE 2           /* bytes of the instruction */

extern const uint8_t inject_syscall_code[INJECT_SYSCALL_SIZE];

/* Copy REGS from and to the kernel's layout (struct user_regs_struct of
   <sys/user.h>, USER).  */
void inject_regs_get (struct arch_regs *regs, const void *user);
void inject_regs_set (void *user, const struct arch_regs *regs);

/* Whether REGS are those of a program that the engine can run: 64-bit.  */
bool inject_regs_fit (const struct arch_regs *regs);

/* Make REGS those of a thread about to execute the system call instruction
   at AT: call NR with the N arguments ARGS.  */
void inject_syscall (struct arch_regs *regs, uint64_t at, long nr,
                     const uint64_t *args, unsigned n);

/* What that call returned: REGS are those right behind it.  */
int64_t inject_result (const struct arch_regs *regs);

/* Make REGS those with which the engine starts: at ENTRY, with its channel at
   CHANNEL.  The stack pointer is left alone: the engine takes its own.  */
void inject_start (struct arch_regs *regs, uint64_t entry, uint64_t channel);

#endif
