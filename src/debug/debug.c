/* The debugger's part of the engine: what happens when a thread comes to a
   point, has done a step, or is let go.  All of it through the events of
   engine/events.h; nothing calls in here.

   A thread's way to go on stands in its slot (enum channel_resume) and stays
   in force until the server writes another.  */

#include "debug/points.h"
#include "engine/dispatch.h"
#include "engine/events.h"
#include "engine/main.h"
#include "engine/options.h"
#include "engine/park.h"

static void
start (struct thread *t)
{
  if (!t->slot)
    return;
  points_init ();
  points_catch_up (t);
}

/* What the server has written to from outside is translated anew.  Commands
   are counted one by one, so that threads may do this side by side: a range
   may be retired twice.  */
static void
serve_commands (void)
{
  uint32_t n = __atomic_load_n (&channel->served, __ATOMIC_SEQ_CST);
  uint32_t issued = __atomic_load_n (&channel->issued, __ATOMIC_SEQ_CST);

  if (n == issued)
    return;
  for (unsigned left = CHANNEL_RING; n != issued && left; n++, left--)
    {
      struct channel_command c = channel->ring[n % CHANNEL_RING];
      if (c.request == CHANNEL_REQUEST_DIRTY)
        dispatch_flush (c.arg[0], c.arg[0] + c.arg[1], "written from outside");
    }
  __atomic_store_n (&channel->served, issued, __ATOMIC_SEQ_CST);
}

static void
resumed (struct thread *t)
{
  serve_commands ();
  points_catch_up (t);
}

static enum flavour
flavour (struct thread *t)
{
  uint32_t how = t->slot ? t->slot->resume : CHANNEL_RESUME_CONTINUE;

  return how == CHANNEL_RESUME_STEP || how == CHANNEL_RESUME_RANGE
             ? FLAVOUR_STEP
             : N_FLAVOURS;
}

static void
point (struct thread *t)
{
  park_report (t, CHANNEL_STOP_POINT, t->context.rip, 0);
}

static void
stepped (struct thread *t)
{
  const struct channel_thread *s = t->slot;

  if (s->resume == CHANNEL_RESUME_RANGE && t->context.rip >= s->range_start
      && t->context.rip < s->range_end)
    return;
  park_report (t, CHANNEL_STOP_STEP, 0, 0);
}

static const struct engine_events debug_events = {
  .start = start,
  .resumed = resumed,
  .flavour = flavour,
  .point = point,
  .stepped = stepped,
};
EVENTS_REGISTER (debug_events);
