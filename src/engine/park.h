/* Stopping all threads, and letting them go on.

   A stop asks every thread to leave the cache (kick) and waits until each is
   parked or inside a system call, where its state is in its slot and it
   parks when it returns.  Used by the debugger's stops, by death with a core,
   and by the cache when code memory must be quiet.

   thread_lock guards the state; a thread parks in park_check only, which
   dispatch calls with no lock held.  */

#ifndef ENGINE_PARK_H
#define ENGINE_PARK_H

#include "engine/thread.h"

/* The calling thread T, in dispatch, with its context the application's:
   waits here while a stop is on.  */
void park_check (struct thread *t);

/* Another thread than T, the calling one, stops the world.  */
MUST_USE bool park_wanted (const struct thread *t);

/* Around a system call of T that may block: its context is valid for others
   while it is in there.  park_leave_syscall parks when a stop of the engine's
   is on; one of the debugger's is seen to by the next park_check.  True from
   it: the debugger has given T other registers, which its context now holds,
   and the result of the call does not count.  */
void park_enter_syscall (struct thread *t);
MUST_USE bool park_leave_syscall (struct thread *t);

/* Around a wait of T's own, with its context valid: T counts as parked.  */
void park_idle_begin (struct thread *t);
void park_idle_end (struct thread *t);

/* Stop all other threads for the calling thread T; when it returns true none
   of them is in the cache or in the engine's builder.  False: another thread
   is stopping the world, T has parked meanwhile, and shall look again.  */
MUST_USE bool park_all (struct thread *t);

/* End of what park_all began.  */
void park_release (struct thread *t);

/* T, the calling thread, leaves for good.  */
void park_thread_gone (struct thread *t);

/* With a debugger (slot.c); without one these do nothing.  */

/* T, which does not run yet, gets a slot in the channel if there is one.  */
void park_thread_born (struct thread *t);

/* The process ends with STATUS, in the format of wait(2).  */
void park_process_exit (int status);

/* Stop because of the calling thread T, whose context is the application's:
   WHY, and what goes with it.  Returns when the server has let T go; its
   context may have changed.  */
void park_report (struct thread *t, enum channel_stop why, uint64_t addr,
                  uint64_t arg);

/* The same for a signal that T is about to get.  Returns the number of the
   signal to be delivered instead (0: none) with *INFO as the debugger left
   it.  */
MUST_USE int park_report_signal (struct thread *t,
                                 struct linux_siginfo *info);

/* In the child of fork, whose only thread is T.  */
void park_after_fork (struct thread *t);

#endif
