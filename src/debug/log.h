/* What watchpoints of kind CHANNEL_POINT_WATCH_LOG have seen, into the ring of
   records.  A thread waits for room there while the server takes what there
   is; when that does not happen for long the record is dropped, and the next
   one tells how many were.  */

#ifndef DEBUG_LOG_H
#define DEBUG_LOG_H

#include "debug/snapshot.h"
#include "engine/thread.h"

/* T has made CHANGE, in RANGE, by the instruction at PC; or the
   kernel for it.  No other thread changes what is watched meanwhile.  */
void log_change (struct thread *t, app_pc pc, const struct range *range,
                 const struct snapshot_change *change);

/* Records that were dropped.  */
uint64_t log_dropped (void);

#endif
