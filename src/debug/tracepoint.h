/* Tracepoints: those that the debugger wants, and the code in front of their
   instructions.

   Conditions, of which one must be true, are inline; then debug/collect.h is
   called, with expressions of actions inline between.  The thread does not
   leave the cache.  Whatever the flavour: an instruction is traced whenever it
   is executed, stepped or not.

   A thread that is interrupted before the frame is complete comes to the point
   again; behind that, it goes on past it (thread_set_ruled).

   The rule is to be added behind that of breakpoints, which leave: the
   instruction is done later then, and traced then.  It is to be added in front
   of that of watchpoints, which do the instruction otherwise.

   As those of points.h: the set changes only while no thread is in the cache,
   and what the channel has of it is checked.  */

#ifndef DEBUG_TRACEPOINT_H
#define DEBUG_TRACEPOINT_H

#include "channel/channel.h"
#include "common/report.h"

/* Once a process.  */
void tracepoint_init (void);

/* There is a tracepoint at PC.  */
MUST_USE bool tracepoint_is_at (app_pc pc);

/* Bring the set up to date with C.  */
void tracepoint_catch_up (struct channel *c);

/* Add counters to R.  */
void tracepoint_report (struct report *r);

#endif
