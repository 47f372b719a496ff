/* A process that is about to dump core: its threads are held by ptrace, each
   in the state that the core shall show of it.

   The engine in a thread that dies asks for this when all the others are
   parked.  They are seized; then each loads the application's state by
   sigreturn, with the signal CHANNEL_LEFT_SIGNAL pending, and so stops before
   its first instruction.  There it stays: the kernel kills it when it dumps
   the core of the whole process.

     SEIZED -> HELD    it has stopped for that signal
     any -> GONE       it is dead, and has been waited for

   Only the server's thread that traces may call, with SIGCHLD blocked.  */

#ifndef HOST_DEATH_H
#define HOST_DEATH_H

#include "common/types.h"

struct death;

/* Seize all threads of process PID but TID, which dies.  Null: that cannot
   be done.  */
MUST_USE struct death *death_begin (int pid, int tid);

enum death_state
{
  DEATH_RUNNING,                /* some have yet to come */
  DEATH_HELD,                   /* all that live are held */
  DEATH_OVER                    /* none lives */
};

/* Look what has happened to the threads of D.  If the first thread of the
   process was among them and has ended, *STATUS becomes its wait status.  */
enum death_state death_poll (struct death *d, int *status);

int death_pid (const struct death *d);

/* Forget D.  Those that still live are let go.  */
void death_end (struct death *d);

#endif
