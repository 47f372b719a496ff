/* Watchpoints: what is watched, the checks in front of instructions that
   access memory, and what happens when one of those finds something.

   A thread leaves the cache in front of an instruction that may touch what is
   watched (ARCH_EXIT_WATCH).  It notes the bytes that are concerned, does that
   one instruction in FLAVOUR_WHOLE, and compares.  Only one thread of the
   process does that at a time, so that no change is missed or seen twice; the
   others look again, as they come to the same check, until it is done.

     FREE -> ARMED     watch_come: bytes are noted
     ARMED -> FREE     watch_done: the instruction is done, nothing touched
                       watch_undone: a signal or a stop came first
     ARMED -> REPORTS  watch_done: there is something to report
     FREE -> REPORTS   watch_stored: the kernel has touched something
     REPORTS -> FREE   watch_reported
     REPORTS -> ARMED  watch_come of another thread, once the debugger has let
                       threads go on

   Invariants:
   1. The ranges change only while no thread is in the cache.
   2. A byte that is watched has its bit in the table (arch/watch.h).
   3. What the instruction of an armed thread changes of %rcx, to do part of
      a repeated string instruction, is put right before anybody else sees
      it.  */

#ifndef DEBUG_WATCH_H
#define DEBUG_WATCH_H

#include "cache/rewrite.h"
#include "common/report.h"
#include "engine/thread.h"

/* Once a process.  */
void watch_init (void);

/* In a child of fork: no thread is armed or reports.  */
void watch_forked (void);

/* The ranges are those of C's points from now on.  */
void watch_catch_up (struct channel *c);

/* Counters, for `monitor stats'.  */
void watch_report (struct report *r);

/* Something is watched.  */
MUST_USE bool watch_any (void);

/* T has left by ARCH_EXIT_WATCH.  True, which is for HERE only: it may do its
   instruction where it is, in the cache, and not in FLAVOUR_STEP.  */
MUST_USE bool watch_come (struct thread *t, bool here);

/* T is armed, and still where it was: it shall do one instruction.  */
MUST_USE bool watch_armed (struct thread *t);

/* What has been touched.  */
struct watch_hit
{
  app_addr addr;                /* in the range that is watched */
  enum channel_point_kind kind;
};

/* T, which may be armed, has done its instruction.  True: it has touched
   HIT, and watch_reported is to be called when that has been reported: until
   the debugger has seen it no other thread touches what is watched, so that
   each change is seen with its own value.  */
MUST_USE bool watch_done (struct thread *t, struct watch_hit *hit);

/* What T had to report, if anything, has been reported.  */
void watch_reported (struct thread *t);

/* T, which may be armed, comes back with its instruction not done, or in
   part.  */
void watch_undone (struct thread *t);

/* Around stores that are made for T by the kernel or the engine: watch_store
   for each range that may be written to, then watch_stored.  If *FOUND, HIT
   has changed, and watch_reported is to be called as above.  False: it is not
   T's turn to report, and, if WAIT, it was interrupted while it waited;
   without WAIT it reports whoever else does.  If watch_returned comes between,
   then watch_store tells of the ranges that have been written to, and what
   others change meanwhile is not taken for T's doing.  CHANGED: so may have
   what is watched, and what was written to has changed as far as anybody
   knows; the debugger compares.  */
void watch_store (struct thread *t, app_addr start, app_addr end);
void watch_returned (struct thread *t, bool changed);
MUST_USE bool watch_stored (struct thread *t, bool wait, struct watch_hit *hit,
                            bool *found);

#endif
