/* Instructions that have no form in the cache, done by the engine: popf and
   iret that may set the trap flag, far returns within 64-bit code, string
   instructions whose source is in %gs.  Privileged ones raise what they would,
   sysenter what it does under a kernel without 32-bit programs.  What else
   comes here is refused.  */

#ifndef ENGINE_EMULATE_H
#define ENGINE_EMULATE_H

#include "engine/thread.h"

enum emulate_result
{
  EMULATE_DONE,                 /* the context is behind it, or within a
                                   repeated one that was interrupted */
  EMULATE_FAULT,                /* the signal has been raised */
  EMULATE_REFUSED
};

/* Do the instruction at T's context.  */
MUST_USE enum emulate_result emulate (struct thread *t);

#endif
