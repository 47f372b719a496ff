/* Processes: clone, fork, vfork and exit.

   A child with memory of its own (fork) goes on in a copy of everything: it
   forgets the other threads and gives the cache memory of its own.  A child
   that shares memory, thread or not, gets a thread block and starts at
   child_main on its own engine stack.

   The functions for the gate are named in calls.def.  */

#ifndef ENGINE_PROCESS_H
#define ENGINE_PROCESS_H

#include "engine/thread.h"

/* Wait until the last child of fork has its own copy of the code memory.  The
   caller holds the cache lock.  */
void process_wait_for_copy (void);

/* The process T ends with STATUS, as exit_group has it.  Does not return.  */
NORETURN void process_exit (struct thread *t, int status);

#endif
