/* Signals: from the kernel's handler to the application's.

   Every signal with a handler of the application's, and SEGV, BUS, FPE, ILL
   and TRAP always, comes to the engine's handler first, on the engine's
   signal stack.  By where it found the thread:

     emitted code   the application state is translated into the context; the
                    thread goes on in dispatch_run
     enter routine  the same, the context being the state already
     gate           before the call was issued: it is not issued.  After: its
                    result counts
     engine         the signal is noted

   and signal_deliver, called by dispatch with the thread's vector registers
   live, builds the frame.  A fault in engine code outside of the safe copy
   routines is a bug of the engine's: it says so and exits 70.  */

#ifndef ENGINE_SIGNAL_H
#define ENGINE_SIGNAL_H

#include "engine/thread.h"

/* Take over the signals of the process at birth: actions as the kernel has
   them, handlers for the synchronous ones, the mask of T, its signal
   stack.  */
void signal_init (struct thread *t);

/* Deliver what waits for T, the calling thread, whose context is the
   application's: builds a frame and moves the context to the handler, or does
   the default action.  Called by dispatch when context.interrupted was set, after
   clearing it.  Not called from signal context.  */
void signal_deliver (struct thread *t);

/* The instruction at T's context raises SIG with si_code CODE and si_addr
   ADDR, as trap number TRAPNO with error code ERROR: invalid opcode (6),
   int3 (3, code SI_KERNEL), a fetch that faults (14), #GP (13) …  Delivered
   before the application goes on.  For trap 3 the context is after the
   instruction, else at it.  */
void signal_raise (struct thread *t, int sig, int code, app_addr addr,
                   unsigned trapno, uint64_t error);

/* Send the kick to T: its context.interrupted is set first.  */
void signal_kick (struct thread *t);

/* Bring the mask that the kernel has for the calling thread T in line with
   the application's.  */
void signal_mask_sync (struct thread *t);

/* Block all signals, the synchronous ones too, for the calling thread: around
   clone, and before exit.  Back by signal_mask_sync.  */
void signal_block_everything (void);

/* A child thread T of PARENT, by clone FLAGS, gets its signal state.  False:
   memory is out.  */
MUST_USE bool signal_clone (struct thread *t, const struct thread *parent,
                            uint64_t flags);

/* T is gone: drop its part.  */
void signal_thread_exit (struct thread *t);

#endif
