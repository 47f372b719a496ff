/* The debugger's part of the engine: what happens when a thread comes to a
   point, has done a step, or is let go.  All of it through the events of
   engine/events.h; nothing calls in here.

   A thread's way to go on stands in its slot (enum channel_resume) and stays
   in force until the server writes another.  */

#include "debug/points.h"
#include "engine/events.h"
#include "engine/options.h"
#include "engine/stop.h"

static void
start (struct thread *t)
{
  (void) t;
  points_init ();
  stop_on_points (points_catch_up);
}

static enum flavour
flavour (struct thread *t)
{
  uint32_t how = t->slot && options.debug ? t->slot->resume : CHANNEL_RESUME_CONTINUE;

  return how == CHANNEL_RESUME_STEP || how == CHANNEL_RESUME_RANGE
             ? FLAVOUR_STEP
             : N_FLAVOURS;
}

static void
point (struct thread *t)
{
  stop_report (t, CHANNEL_STOP_POINT, t->context.rip, 0);
}

static void
stepped (struct thread *t)
{
  const struct channel_thread *s = t->slot;

  if (s->resume == CHANNEL_RESUME_RANGE && t->context.rip >= s->range_start
      && t->context.rip < s->range_end)
    return;
  stop_report (t, CHANNEL_STOP_STEP, 0, 0);
}

static const struct engine_events debug_events = {
  .start = start,
  .flavour = flavour,
  .point = point,
  .stepped = stepped,
};
EVENTS_REGISTER (debug_events);
