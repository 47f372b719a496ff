/* Signals that were sent, and are pending for the application, though the
   kernel, which must never block them, has delivered them: the synchronous
   ones and the kick's number.

   Each thread has a queue, which the handler fills; and there is one for what
   was sent to a process.  What came to a thread that blocks it, and was sent
   to its process, is moved there by pending_share, for whichever thread wants
   it.

   Invariants:
   1. A slot of a thread's queue is filled by that thread's signal handler
      alone, and emptied by that thread alone, outside of it.
   2. `set' has a bit for each signal in the queue; it may have one too many
      for a moment, within pending_take.  */

#ifndef ENGINE_PENDING_H
#define ENGINE_PENDING_H

#include "linux/raw.h"

struct thread;

/* One signal on its way.  */
struct signal_record
{
  struct linux_siginfo info;
  uint64_t trapno, err, cr2;
  bool fault;                   /* raised by an instruction: cannot wait */
};

#define PENDING_N 12

struct pending_slot
{
  uint64_t order;               /* of arrival */
  int32_t tgid;                 /* whose; in the queue of a process */
  bool full;
  bool to_process;              /* sent to the process, not the thread */
  struct signal_record record;
};

struct pending
{
  linux_sigset set;
  bool unshared;                /* it has something that was sent to the
                                   process */
  struct pending_slot slot[PENDING_N];
};

/* The calling thread's handler has got *REC: it is added to P.  One that is
   there already counts once, unless it is a real-time signal; without room it
   is lost.  In signal context.  */
void pending_hold (struct pending *p, const struct signal_record *rec);

/* What is pending here for T, the calling thread, and for its process.  */
linux_sigset pending_own (const struct thread *t);
linux_sigset pending_process (const struct thread *t);

/* Both.  Cheap if there is nothing.  */
linux_sigset pending_set (const struct thread *t);

/* Take the first of SET that is pending for T, or for its process; it goes to
   *REC.  False: there is none.  */
MUST_USE bool pending_take (struct thread *t, linux_sigset set,
                            struct signal_record *rec);

/* Let other threads have what was sent to T's process and is in MASK, which T
   blocks.  No lock is held.  */
void pending_share (struct thread *t, linux_sigset mask);

/* Give all of it to the kernel, which T has made block it.  */
void pending_give_back (struct thread *t);

/* T, in the child of fork, has none.  */
void pending_after_fork (struct thread *t);

#endif
