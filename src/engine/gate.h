/* The system-call gate: the one way of the application's calls to the kernel.

   syscall_gate is called by dispatch with the application's state in the
   thread's context, at the address after the `syscall' instruction.  It looks
   the number up in one table; a call is passed on, or done by a function of
   its own (memory-calls, signal-calls, thread, process, exec).  The call
   itself is issued at one place, arch/x86-64/syscall.S, whose labels tell a
   signal handler whether it was issued.

   Runs on the engine's stack.  No lock is held during a call.  */

#ifndef ENGINE_GATE_H
#define ENGINE_GATE_H

#include "engine/thread.h"

/* Do the system call that T's context asks for.  On return the context says
   where the application goes on: normally rax is the result, rcx is rip, r11
   is rflags.  A call that a signal or a stop kept from being issued leaves
   the context at the `syscall' instruction with all registers as they were.
   Does not return after exit and after a successful exec.  */
void syscall_gate (struct thread *t);

/* Whether stores that the kernel makes for the application are told of
   (events.h, store).  */
void gate_watch (bool on);
MUST_USE bool gate_watches (void);

/* The application asks for what is in T's context: NR, arguments.  */
static inline int64_t
gate_number (const struct thread *t)
{
  return (int32_t) t->context.gpr[ARCH_RAX];
}

/* Argument N, from 0, of the call.  */
static inline uint64_t
gate_arg (const struct thread *t, unsigned n)
{
  static const uint8_t reg[] = { ARCH_RDI, ARCH_RSI, ARCH_RDX,
                                 ARCH_R10, ARCH_R8,  ARCH_R9 };
  return t->context.gpr[reg[n]];
}

/* Issue the call of T's context, or NR with ARGS.  GATE_AGAIN: not issued, or
   interrupted and to be issued again; the call's function hands it on.  */
#define GATE_AGAIN (-512L)
long gate_issue (struct thread *t);
long gate_issue_args (struct thread *t, int64_t nr, const uint64_t args[6]);

/* What a function of the table does with a call: the result for rax, or
   GATE_AGAIN, or GATE_CONTEXT when it has set the whole context.  */
#define GATE_CONTEXT (-513L)
typedef long gate_function (struct thread *t);

/* Read N bytes of the application at ADDR to DST, or write N at SRC to it;
   false when that faults (what was copied until then stays copied).  Reading
   is safe anywhere, signal context included; writing may take the cache
   lock.  */
MUST_USE bool safe_read (void *dst, app_addr addr, size_t n);
MUST_USE bool safe_write (app_addr addr, const void *src, size_t n);

/* Read a string of the application, at most SIZE bytes with the zero.
   Returns its length, -RAW_EFAULT, or SIZE when it is longer.  */
long safe_read_string (char *dst, app_addr addr, size_t size);

/* [START, END) holds something of the engine's.  */
MUST_USE bool engine_owns (uint64_t start, uint64_t end);

#endif
