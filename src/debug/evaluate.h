/* Agent expressions that the engine itself evaluates, out of the cache: the
   conditions of watchpoints, which belong to no instruction.

   They are compiled into memory of their own, all anew each time when the
   watchpoints change; that memory is writable or executable, never both.

   Changed only while no thread is in the cache; evaluated without a lock.  */

#ifndef DEBUG_EVALUATE_H
#define DEBUG_EVALUATE_H

#include "debug/condition.h"

struct thread;

/* Forget what was compiled, and begin anew.  False: there is no memory.  */
MUST_USE bool evaluate_begin (void);

/* Compile the expressions of L; their numbers are *FIRST and those after it.
   Returns the refusal of the first that cannot be, and then none is.  */
MUST_USE enum bytecode_refusal evaluate_add (const struct condition_list *l,
                                             unsigned *first);

/* They can be evaluated from now on.  */
void evaluate_end (void);

/* Any of the N expressions from number FIRST on is true for the state in the
   context of T, the calling thread; or cannot be evaluated.  */
MUST_USE bool evaluate_any (struct thread *t, unsigned first, unsigned n);

/* PC has faulted.  Where to go on, if it is a read of an expression; else
   0.  May run in signal context.  */
uint64_t evaluate_fault (uint64_t pc);

#endif
