/* What the engine did, for --stats: a table at the end of each process.

   Counters are added to by any thread, without a lock and without an atomic
   addition: they are for people.  After fork the child counts from 0.  */

#ifndef ENGINE_STATS_H
#define ENGINE_STATS_H

#include "common/report.h"

enum stat
{
#define STAT(NAME, TEXT) STAT_##NAME,
#include "engine/stats.def"
#undef STAT
  STAT_N
};

extern uint64_t stats_counters[STAT_N];

#define STATS_COUNT(NAME) (stats_counters[STAT_##NAME]++)

void stats_after_fork (void);

/* Add the table to R, and those of the rooms above the engine; T is the
   calling thread, and the process is stopped.  */
struct thread;
void stats_report (struct thread *t, struct report *r);

/* Add what each account of the engine's memory holds to R, bytes.  */
void stats_report_memory (struct report *r);

/* Write the table to descriptor 2 if the options ask for it.  */
void stats_print (int pid);

#endif
