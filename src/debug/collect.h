/* Collecting a trace frame: what the code at a tracepoint calls, on the
   engine's stack, with all of the application's general registers and flags
   in the context, and its vector registers live.

   A frame grows in a buffer of the thread's own, at the far end of its engine
   stack, which nothing uses while the thread is in the cache; when that is
   full, and at the end, it goes into the ring of records.

     (none) -> OPEN         collect_begin
     OPEN -> OPEN           collect_hooks
     OPEN -> (none)         collect_end, which publishes it, or collect_fail

   No locks.  A thread waits when the ring is full, until the server has taken
   something or is gone.  */

#ifndef DEBUG_COLLECT_H
#define DEBUG_COLLECT_H

#include "agent/agent.h"
#include "channel/trace.h"

/* What a tracepoint wants collected but for its expressions.  */
struct collect_wish
{
  uint32_t number;
  struct channel_action_head head;
  app_pc pc;
  unsigned n_memory;
  struct channel_action_memory *memory;
};

/* What expressions at tracepoints call: the cookie is the wish's address.  */
extern const struct agent_hooks collect_hooks;

/* Begin a frame for WISH.  False: nothing is to be collected.  */
bool collect_begin (struct arch_context *c, const struct collect_wish *wish);

/* The frame is complete.  */
void collect_end (struct arch_context *c, const struct collect_wish *wish);

/* An expression failed (the context's spill words): tracing ends.  OPEN: a
   frame had been begun; it has what was collected until then.  */
void collect_fail (struct arch_context *c, const struct collect_wish *wish,
                   bool open);

/* A signal or a stop came while C was in here: leave the cache, in front of
   the instruction at WISH's PC.  */
NORETURN void collect_leave (struct arch_context *c,
                             const struct collect_wish *wish);

/* Tracing cannot be done as WISH says, and ends.  */
void collect_refuse (const struct collect_wish *wish);

#endif
