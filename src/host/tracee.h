/* A process held by ptrace: what birth and exec do with one.

   A tracee is in a ptrace stop whenever one of these functions is called and
   when it returns.  All signals are blocked from tracee_hold to tracee_let_go,
   so that nothing but a kill comes between; a SIGSTOP, which nothing blocks,
   is kept and sent again at the end.  Only the thread of the server that
   seized a tracee may call, with SIGCHLD blocked.  */

#ifndef HOST_TRACEE_H
#define HOST_TRACEE_H

#include "arch/inject.h"

#define TRACEE_REFUSALS(X)                                                    \
  X (OK, "done")                                                              \
  X (GONE, "the process is gone")                                             \
  X (LATE, "the process does not answer")                                     \
  X (FOREIGN, "it is not a 64-bit program")                                   \
  X (NO_MEMORY_ACCESS, "the memory of the process cannot be reached")

enum tracee_refusal
{
#define TRACEE_REFUSAL(NAME, TEXT) TRACEE_##NAME,
  TRACEE_REFUSALS (TRACEE_REFUSAL)
#undef TRACEE_REFUSAL
};

struct tracee
{
  int pid;                      /* of the thread */
  int mem;                      /* /proc/PID/mem */
  uint64_t syscall_at;          /* a system call instruction in there */
  uint64_t sigmask;             /* the program's */
  bool stop_pending;
  bool patched;                 /* the instruction is ours, over `under' */
  uint8_t under[INJECT_SYSCALL_SIZE];
  struct arch_regs regs;        /* where it is to go on */
};

/* The ptrace options that every tracee is seized with.  */
extern const unsigned long tracee_options;

/* Wait until thread PID changes its state, for at most LIMIT milliseconds,
   and put its wait status into *STATUS.  */
MUST_USE enum tracee_refusal tracee_wait (int pid, int *status, int limit);

/* Hold PID, which is at its PTRACE_EVENT_EXEC stop: it ends the system call
   and is then at its first instruction, with its registers in T->regs.  On a
   refusal other than GONE the caller has to detach it.  */
MUST_USE enum tracee_refusal tracee_hold (struct tracee *t, int pid);

/* Make T issue system call NR with the N arguments ARGS; what the kernel
   answered goes to *RESULT.  */
MUST_USE enum tracee_refusal tracee_call (struct tracee *t, int64_t *result,
                                          long nr, const uint64_t *args,
                                          unsigned n);

/* Copy N bytes from (to) T's memory; false: not all of them.  */
MUST_USE bool tracee_read (const struct tracee *t, uint64_t addr, void *buffer,
                           size_t n);
MUST_USE bool tracee_write (const struct tracee *t, uint64_t addr,
                            const void *buffer, size_t n);

/* Let T run on with T->regs, traced no more.  T->mem stays open if KEEP_MEM,
   and is the caller's then.  */
void tracee_let_go (struct tracee *t, bool keep_mem);

#endif
