/* Asking the server: calls through the hub (channel/hub.h has their states).

   Called by the gates of exec and fork, on the engine's stack, with no lock
   held.  A call waits for the server for CALL_LIMIT at the most, and not at
   all once the server is known to be gone.  No allocation.  */

#ifndef ENGINE_CALL_H
#define ENGINE_CALL_H

#include "channel/hub.h"

#define CALL_LIMIT 5            /* seconds */

/* PID (TID is the calling thread) is about to execve, and shall have the
   engine afterwards.  GENERATION counts its images so far (channel birth).
   Returns true, and a number for call_exec_failed in *CALL: the thread is
   traced from now on, and may do nothing but execve and call_exec_failed.
   False: the new image will be native; the reason has been counted.  */
MUST_USE bool call_exec (int pid, int tid, uint32_t generation,
                         unsigned *call);

/* That execve has come back.  Returns when the thread is traced no more.  */
void call_exec_failed (unsigned call);

/* PID, of which TID is the calling thread, is about to dump core, and all its
   other threads are parked.  Returns true, and a number for call_core_wait in
   *CALL: from now on each that takes CHANNEL_LEFT_SIGNAL stays there.  False:
   they cannot be held.  */
MUST_USE bool call_core (int pid, int tid, uint32_t generation,
                         unsigned *call);

/* Wait until all of them have taken it, or will not.  */
void call_core_wait (unsigned call);

/* PID is a child of a fork of PARENT, with a debugger: get it a channel of
   its own in place of C, its copy of the parent's mapping.  False: there is
   none to be had; C is then private and without slots, and the child runs on
   with no debugger.  Without a debugger nothing needs to be called.  */
MUST_USE bool call_fork (struct channel *c, int pid, int parent);

/* PID, a child of vfork of PARENT, whose channel is FROM, shares the memory of
   that: get it a channel of its own at AT.  Null: there is none.  */
MUST_USE struct channel *call_vfork (const struct channel *from, uint64_t at,
                                     int pid, int parent);

/* Count a process that goes native.  */
void call_count_native (enum hub_native_reason reason);

/* The server is there.  */
MUST_USE bool call_server_lives (void);

/* What all processes of the server share about tracing; null: there is no
   server.  */
struct channel_trace *call_trace (void);

/* Wake the server: something in a channel has changed.  C->event is counted
   up too.  */
void call_event (struct channel *c);

#endif
