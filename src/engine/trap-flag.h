/* The application's trap flag: SIGTRAP after each instruction.

   The processor's own flag stays clear, for it would stop behind each
   instruction of the cache.  While it is set in the context, the thread runs
   fragments of one instruction (dispatch), and trap_flag_done raises what the
   processor would.

     enter: the flag leaves the context for T->trapping
     leave: it comes back

   A repeated string instruction is made to do one element at a time.  */

#ifndef ENGINE_TRAP_FLAG_H
#define ENGINE_TRAP_FLAG_H

#include "engine/thread.h"

/* The flag is set in T's context.  */
MUST_USE bool trap_flag_is_set (const struct thread *t);

/* T is about to enter the cache with its flag set, for one instruction.  */
void trap_flag_enter (struct thread *t);

/* T has left the cache.  True: it was entered so.  */
MUST_USE bool trap_flag_leave (struct thread *t);

/* T, of which trap_flag_leave was true, has done the instruction at FROM.  */
void trap_flag_done (struct thread *t, app_pc from);

#endif
