/* Alignment faults of the engine's own.

   Where the program sets EFLAGS.AC, an access that is not aligned faults.
   What stands in the cache for the debugger or to verify code, and C code that
   it calls, run with the program's flags; so what they read or write may
   fault, and the program would get a signal for nothing.  Such an access is
   made again without the flag, as a single step:

     (none) -> AGAIN    the fault: AC is cleared, TF set, in the frame
     AGAIN -> (none)    the trap behind the access, or any other signal before
                        it: both are put back

   Costs nothing where nothing faults.  Runs in signal context; no locks.  */

#ifndef ENGINE_ALIGNMENT_H
#define ENGINE_ALIGNMENT_H

#include "engine/thread.h"

/* T, the calling thread, was interrupted by SIG with INFO, R being its
   registers, which may be changed.  True: that was this module's affair.  */
MUST_USE bool alignment_signal (struct thread *t, int sig,
                                const struct linux_siginfo *info,
                                struct frame_regs *r);

#endif
