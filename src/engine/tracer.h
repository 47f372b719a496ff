/* A process that traces threads of its own address space.

   A child of clone with CLONE_VM may attach to the threads of its parent:
   LeakSanitizer does, to look at their registers and stacks.  It runs from the
   same cache, so that a thread must not be stopped while it holds a lock of
   the engine; and what it reads as a thread's registers must be the
   application's.

   Registers cannot be set: -EIO.  Vector registers are the application's
   anyway.  */

#ifndef ENGINE_TRACER_H
#define ENGINE_TRACER_H

#include "engine/thread.h"

/* ptrace as T's context asks for, if it is about another thread of this
   address space; false: it is not, and nothing was done.  *RESULT is what the
   call returns.  */
MUST_USE bool tracer_call (struct thread *t, long *result);

#endif
