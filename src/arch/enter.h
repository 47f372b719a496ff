/* The way into emitted code and out of it.

   The engine's C code and emitted code never call each other: each jumps, and
   the engine's stack starts afresh at its top.  So a signal handler can send
   a thread from anywhere in emitted code to the dispatcher, and nothing of
   value is ever on the engine's stack while the cache runs.

   Emitted code leaves by jmp *%gs:CONTEXT_LEAVE with the application's
   registers live and the number of the exit in %gs:CONTEXT_EXIT.  */

#ifndef ARCH_ENTER_H
#define ARCH_ENTER_H

#include "arch/context.h"

/* Numbers of exits that belong to no fragment; those of fragments are
   higher.  */
enum arch_exit
{
  ARCH_EXIT_NONE,
  ARCH_EXIT_INDIRECT,           /* context.target is not in the table */
  ARCH_EXIT_RESUMED,            /* not an exit: rip holds the state */
  ARCH_EXIT_WATCH,              /* in front of the instruction at
                                   context.target, which may touch what is
                                   watched; at context.resume, if not 0, is
                                   code that does it, with all registers the
                                   application's, and then leaves by: */
  ARCH_EXIT_WATCHED,            /* it is done; context.target is next, and
                                   context.resume goes on there */
  ARCH_EXIT_FIRST = 64
};

/* Load the application's registers from C, whose thread this is, and run at
   C->next; or call arch_dispatch if C->interrupted is set.  Between the two
   symbols the whole state is in *C.  Locks: none held.  */
NORETURN void arch_enter (struct arch_context *c);
/* For C->next, with C->resume the code to run: a flavour that holds registers
   expects C->constant in one of them.  */
extern const uint8_t arch_enter_held[];
extern const uint8_t arch_enter_begin[], arch_enter_end[];

/* Where emitted code goes; not to be called from C.  Between these symbols
   the thread counts as being in the engine.  */
extern const uint8_t arch_leave[], arch_lookup_miss[];
/* The same from flavours that hold registers.  */
extern const uint8_t arch_leave_held[], arch_lookup_miss_held[];

/* Run CODE, an agent expression's (agent/agent.h), for the state in C, and
   return what it comes to by which of the three exits it takes: not 0 for yes
   and for an error.  Of its registers it preserves what C wants preserved.
   CONTEXT_SPILL (3) is changed.  */
uint64_t arch_evaluate (struct arch_context *c, const uint8_t *code);
extern const uint8_t arch_evaluate_yes[], arch_evaluate_no[],
  arch_evaluate_error[];

/* Called on a fresh engine stack by arch_leave, and by whoever abandons a
   stack: supplied by engine/dispatch.c.  EXIT is a number as above.  */
NORETURN void arch_dispatch (struct arch_context *c, uint64_t exit);

/* The processor's time, which goes on at a constant rate.  */
static inline uint64_t
arch_ticks (void)
{
  uint32_t low, high;
  __asm__ volatile ("rdtsc" : "=a"(low), "=d"(high));
  return (uint64_t) high << 32 | low;
}

/* A * B / C, which fits, though A * B need not.  */
static inline uint64_t
arch_scale (uint64_t a, uint64_t b, uint64_t c)
{
  uint64_t high;
  __asm__ ("mulq %2\n\tdivq %3"
           : "+a"(a), "=&d"(high) : "r"(b), "r"(c) : "cc");
  return a;
}

/* Wait until what was written to code memory before is what the processor
   executes (SDM volume 3, 8.1.3: a serialising instruction, iret).  */
void arch_serialise (void);

/* Abandon the present stack and go to arch_dispatch on the engine's.  */
NORETURN void arch_restart (struct arch_context *c, uint64_t exit);

#endif
