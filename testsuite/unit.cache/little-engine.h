/* An engine small enough for a unit test: one thread, in the test's own
   process.  Functions of the test run from a cache, with %gs as in the real
   one; %fs and so libc stay the test's.  */

#ifndef LITTLE_ENGINE_H
#define LITTLE_ENGINE_H

#include "cache/cache.h"

/* Make the cache, with code memory of at most SIZE bytes (0: no bound).  NEAR
   as in cache_options.  May be called again, to begin anew.  */
void little_init (size_t size, bool near);

/* Call F (A, B) in the cache; the result is its %rax.  */
long little_call (long (*f) (long, long), long a, long b);

/* The registers with which little_call begins, and where it stops.  */
app_pc little_begin (struct arch_regs *regs, long (*f) (long, long), long a,
                     long b);

/* Run from *REGS until control reaches STOP; *REGS is then the state.  */
void little_run (struct arch_regs *regs, app_pc stop);

/* Ticks: how many times the dispatcher was entered.  */
extern unsigned long little_dispatches;

/* The flavour of what runs: FLAVOUR_PLAIN, unless set.  */
extern enum flavour little_flavour;

/* Code may change unseen.  */
extern bool little_verify;

/* Options of the next little_init: the threshold of traces, 0 for none; no
   comparison with the expected targets of indirect branches.  */
extern unsigned little_threshold;
extern bool little_no_compare;

/* What each dispatch does first, if set.  */
extern void (*little_hook) (struct arch_context *c);

/* What is done at an exit in front of a point; the thread goes on there.  */
extern void (*little_point) (struct arch_context *c);

extern struct arch_context *little_context;

#endif
