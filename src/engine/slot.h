/* A thread's slot in the channel: what the debugger sees of it, and what the
   debugger wants of it.  See channel/channel.h for the states and conditions;
   park.c is the only user.  Functions are called by the thread T itself.  */

#ifndef ENGINE_SLOT_H
#define ENGINE_SLOT_H

#include "engine/thread.h"

/* The debugger wants T stopped, or T has an event for it.  */
bool slot_must_stop (const struct thread *t);

/* Show T's state and wait until the server lets it go; then take what the
   server has changed.  T's context is the application's.  */
void slot_stop (struct thread *t);

/* Around a system call: see park_enter_syscall.  */
void slot_enter_syscall (struct thread *t);
MUST_USE bool slot_leave_syscall (struct thread *t);

/* T leaves for good.  */
void slot_gone (struct thread *t);

#endif
