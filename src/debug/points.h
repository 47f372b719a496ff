/* The points that the debugger wants: a copy of the channel's wanted set, and
   the rule that puts a stop in front of each breakpoint.

   The copy changes only while no thread is in the cache, by
   points_catch_up, which engine/stop.c calls under its lock.  What was
   translated around an address that is added or removed is retired then.

   The set in the channel is at the mercy of the application: kinds, counts
   and order are checked, addresses mean what they mean.  */

#ifndef DEBUG_POINTS_H
#define DEBUG_POINTS_H

#include "agent/agent.h"
#include "common/report.h"
#include "engine/thread.h"

/* Once a process.  */
void points_init (void);

/* T has come to an EXIT_POINT: why, if not because its breakpoint's condition
   is true, or it has none.  context.spill[1] is what the error is about.  */
enum agent_error points_error (const struct thread *t);

/* Add counters to R.  */
void points_report (struct report *r);

/* There is one at PC, whatever its conditions say.  */
MUST_USE bool points_stand_at (app_pc pc);

/* T has come to an EXIT_POINT whose commands have been run, and shall go
   on.  */
MUST_USE bool points_no_stop (const struct thread *t);

/* Bring the copy up to date with C.  */
void points_catch_up (struct channel *c);

#endif
