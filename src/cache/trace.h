/* Traces: fragments that go through several blocks, along the way that control
   took when the first of them had become hot.

   Links that lead back, or out of a trace, count how often they are taken
   (link.c).  When one has come to the threshold its thread leaves the cache
   and records: block for block it runs copies made for the purpose
   (FLAVOUR_RECORD), each of which ends in the dispatcher, until it comes to
   the block again where it began, to another trace, or to where a trace has
   to end.  Then the path becomes a fragment that takes the first block's
   place.

   One thread records at a time.  It holds the recorder only from one exit of
   the cache to the next: what may keep it longer, a system call, a stop or a
   handler, ends the recording first.  */

#ifndef CACHE_TRACE_H
#define CACHE_TRACE_H

#include "cache/cache.h"

/* How a thread has come to where it goes on.  */
enum trace_arrival
{
  TRACE_ARRIVED_ELSE,           /* not by a branch alone */
  TRACE_ARRIVED_DIRECT, TRACE_ARRIVED_INDIRECT,
  TRACE_ARRIVED_HOT
};

enum trace_next
{
  TRACE_NOT_RECORDING,          /* go on with cache_fragment */
  TRACE_RECORDING,              /* run *RESULT */
  TRACE_NO_ROOM                 /* as BUILD_FULL */
};

/* The thread of C, which is out of the cache, goes on at C->rip in
   FLAVOUR.  */
enum trace_next trace_next (struct arch_context *c, enum flavour flavour,
                            enum trace_arrival how, struct fragment **result);

/* The thread of C records.  Needs no lock, if the caller is that thread.  */
bool trace_is_by (const struct arch_context *c);

/* The thread of C, which is out of the cache and records, is in front of a
   system call: the path ends there.  */
void trace_end_at_call (const struct arch_context *c);

/* What is being recorded, if anything is, will not become a trace.  */
void trace_give_up (enum trace_abort why);

/* The thread of C, or any if that is 0, is out of the cache and records no
   more.  */
void trace_forget (const struct arch_context *c);

#endif
