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
   while it is in there.  park_leave_syscall parks when a stop is on.  */
void park_enter_syscall (struct thread *t);
void park_leave_syscall (struct thread *t);

/* Stop all other threads for the calling thread T; when it returns true none
   of them is in the cache or in the engine's builder.  False: another thread
   is stopping the world, T has parked meanwhile, and shall look again.  */
MUST_USE bool park_all (struct thread *t);

/* End of what park_all began.  */
void park_release (struct thread *t);

/* The process of T, the calling thread, is about to dump core: all its other
   threads leave the engine, each in its application's state, so that the core
   shows nothing else.  The server holds them there.  Returns when it does;
   without it they stay parked, and the core shows the engine in them.  Does
   not return if another thread was faster.  */
void park_expel (struct thread *t);

/* T's process is doing so.  */
MUST_USE bool park_expelled (const struct thread *t);

/* The calling thread T of such a process leaves: its context is the
   application's, in system call NR or, -1, in none.  */
NORETURN void park_leave_for_core (struct thread *t, int64_t nr);

/* T, the calling thread, leaves for good.  */
void park_thread_gone (struct thread *t);

/* In the child of fork, whose only thread is T.  */
void park_after_fork (struct thread *t);

#endif
