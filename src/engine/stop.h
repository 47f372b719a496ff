/* Stops for the debugger: the engine's side of the protocol that
   channel/channel.h describes, for each thread's slot.

   Without a debugger (options.debug is 0) no thread has a slot, and every
   function here does nothing.

   A child of vfork runs in its parent's memory, and has a channel and a slot
   of its own there while the debugger wants to see it.  The points are those
   of the channel that was caught up with last: such a child's, or its
   parent's.

   A stop of this kind and a stop of all threads by park.h are two things: the
   thread that waits here counts as parked there.

   Invariants:
   1. A slot is written to by its own thread; but for `stop' of a vfork's
      parent, which its child writes.
   2. While the state is STOPPED or SYSCALL, registers and vector image in the
      slot are the thread's.
   3. Commands and changes of points are caught up with under catch_up_lock
      before a thread that was stopped enters the cache.  */

#ifndef ENGINE_STOP_H
#define ENGINE_STOP_H

#include "engine/thread.h"

/* What is told of points: called under the lock when points_generation has
   moved.  Registered once, at start.  */
void stop_on_points (void (*changed) (struct channel *c));

/* T is the first thread of a program.  */
void stop_begin (struct thread *t);

/* T, the calling thread, is at the first instruction of a program that another
   has made itself by exec: the debugger sees that, and then, if it wants that,
   the return of the call.  */
void stop_exec_returns (struct thread *t);

/* Give T, which is new, a slot.  The caller holds thread_lock, or has the
   only thread.  Not for a child of vfork, which shares its parent's channel
   and is a process of its own.  */
void stop_thread_born (struct thread *t);

/* CHILD, which another thread than its own has made, got the id TID: the
   server may see it, though it has not begun.  The caller holds
   thread_lock.  */
void stop_thread_made (struct thread *child, int tid);

/* T, the calling thread, is a child of vfork at its first steps: let the
   debugger see it, and its parent's event, if it wants that.  */
void stop_vfork_child (struct thread *t);

/* CHILD, of a vfork of the calling thread T, is gone from this memory, as
   process PID: its channel is.  */
void stop_vfork_done (struct thread *t, struct thread *child, int pid);

/* T, the calling thread, has an id and is about to run: the server may see
   it.  */
void stop_thread_begins (struct thread *t);

/* T is gone, or never ran: its slot is free.  */
void stop_thread_gone (struct thread *t);

/* In the child of fork, T, which has a channel of its own if
   options.debug.  */
void stop_after_fork (struct thread *t);

/* The debugger sees T, which can stop for it.  It does not see a child of
   clone with CLONE_VM that is a process of its own, which has the points of
   the memory that it runs in.  */
MUST_USE bool stop_is_seen (const struct thread *t);

/* The calling thread T, in dispatch, with its context the application's:
   stops while its slot or the server wants that.  */
void stop_check (struct thread *t);

/* T has come to the event WHY (stop_addr ADDR, stop_arg ARG): stop, and
   return when it shall go on.  The context may have changed.  */
void stop_report (struct thread *t, enum channel_stop why, uint64_t addr,
                  uint64_t arg);

/* The same, from inside a system call that has done its work but not come back
   (the result is set later): a step from there ends behind the call.  */
void stop_report_in_call (struct thread *t, enum channel_stop why,
                          uint64_t arg);

/* The first, later: at T's next look.  */
void stop_post (struct thread *t, enum channel_stop why, uint64_t addr,
                uint64_t arg);

/* T is about to get signal REC: show it to the debugger unless it does not
   care, and lets T continue: one that steps wants to see every signal.
   False: it shall not be delivered; else *REC is what to deliver.  */
MUST_USE bool stop_signal (struct thread *t, struct signal_record *rec);

/* Around a system call that may block.  stop_enter_syscall is false when T has
   to stop before it.  */
MUST_USE bool stop_enter_syscall (struct thread *t);
void stop_leave_syscall (struct thread *t);

/* The debugger has written registers of T while it was in a system call: they
   are T's context now, and the result of the call is nobody's.  */
MUST_USE bool stop_take_registers (struct thread *t);

/* The debugger wants to see system call NR of T.  */
MUST_USE bool stop_catches (const struct thread *t, int64_t nr);

/* The debugger wants the event WANT (enum channel_wants) of T.  */
MUST_USE bool stop_wants (const struct thread *t, unsigned want);

/* Save the vector registers of T, the calling thread, to IMAGE of SIZE bytes,
   aligned to 64.  Returns how many bytes that took; 0: there is no room, or
   they cannot be had.  */
uint32_t stop_save_vector (struct thread *t, uint8_t *image, size_t size);

/* Where T's records go: null if there is no debugger to see them.  */
struct ring *stop_records (const struct thread *t);

/* Wake the server of T.  */
void stop_wake_server (const struct thread *t);

/* [START, END) is the engine's: the debugger shall not see it.  Before the
   first other thread is there, or under the cache lock.  */
void stop_hide (uint64_t start, uint64_t end);

/* The process of T ends with STATUS, in wait's format.  */
void stop_process_exit (const struct thread *t, int status);

#endif
