/* Time that costs next to nothing to note: the processor's time stamp, or,
   where the program has forbidden that (PR_SET_TSC of prctl(2), which a fork
   and an exec hand on), nanoseconds of the kernel's clock.

   Any thread; no locks.  */

#ifndef ENGINE_TICKS_H
#define ENGINE_TICKS_H

#include "common/types.h"

/* Once a process, before anything is noted.  */
void ticks_init (void);

/* The calling thread is about to be forbidden the time stamp.  What was noted
   before is worth nothing from now on: ticks_elapsed says 0.  */
void ticks_forbid (void);

/* The time stamp is not forbidden.  */
MUST_USE bool ticks_are_stamps (void);

MUST_USE uint64_t ticks_now (void);

/* What TICKS, a difference of two notes, is worth in nanoseconds.  0: that
   cannot be, they are of before ticks_forbid.  */
MUST_USE uint64_t ticks_to_ns (uint64_t ticks);

/* Nanoseconds since *TICKS was noted; it becomes the present.  */
MUST_USE uint64_t ticks_elapsed (uint64_t *ticks);

#endif
