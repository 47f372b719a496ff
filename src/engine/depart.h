/* A process of the tree that another one traces leaves the engine.

   The tracer, which runs under the engine too, asks before its
   PTRACE_ATTACH or PTRACE_SEIZE: by signal CHANNEL_KICK_SIGNAL with the code
   CHANNEL_DEPART_CODE, which only processes of the tree can know how to send.
   What it sees of the answer is the `door', a variable at the same address in
   each process of the tree.

   Of a process:

     FOLLOWED -> DEPARTING   some thread of it has taken that signal
     DEPARTING -> FOLLOWED   it cannot, as its memory is shared with another
                             process, or it has a debugger: counted
     DEPARTING -> NATIVE     all its threads wait in depart, in no system call
                             and with all signals blocked

   and then each loads the program's state and is gone.  A system call that had
   to be left begins anew, natively.  */

#ifndef ENGINE_DEPART_H
#define ENGINE_DEPART_H

#include "engine/thread.h"

/* The process begins, or T is the only thread of a child of fork.  */
void depart_init (void);
void depart_after_fork (struct thread *t);

/* SIG with INFO has come, in signal context.  True: that was the
   signal above, and has been noted.  */
MUST_USE bool depart_signal (int sig, const struct linux_siginfo *info);

/* The calling thread shall leave, or refuse to.  */
MUST_USE bool depart_wanted (void);

/* The calling thread T leaves; its context is the application's, in no system
   call.  Returns if the process cannot.  No lock is held.  */
void depart (struct thread *t);

/* Make the process of the thread TID, if it is another one of the tree, leave
   the engine: for T, which is about to trace it.  False: it cannot.  */
MUST_USE bool depart_ask (struct thread *t, int tid);

#endif
