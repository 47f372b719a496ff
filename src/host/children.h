/* Children of fork that the debugger has not been told of.

   A child is there, stopped at its start, before the event of its parent that
   tells of it is reported; other events may come first.  Until then it is in
   no list, for GDB would take it for a stranger, and whatever becomes of the
   parent takes it along.  */

#ifndef HOST_CHILDREN_H
#define HOST_CHILDREN_H

#include "host/process.h"

/* Whether P is such a child.  */
bool children_hidden (const struct process *p);

/* P, of process PARENT, begins as one.  */
void children_hide (struct process *p, int parent);

/* An event tells of child PID: that it is stopped is no event of its own.  */
void children_show (struct target *t, int pid);

/* The event that would tell of PID, or any of PARENT's, does not come: they
   are let go, as a debugger that does not follow them does.  */
void children_let_go (struct target *t, int pid);
void children_let_go_of (struct target *t, int parent);

/* PARENT is to be killed: so are its children.  */
void children_kill_of (struct target *t, int parent);

#endif
