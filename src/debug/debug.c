/* The debugger's part of the engine: what happens when a thread comes to a
   point, has done a step, or is let go.  All of it through the events of
   engine/events.h; nothing calls in here.

   A thread's way to go on stands in its slot (enum channel_resume) and stays
   in force until the server writes another.  */

#include "debug/evaluate.h"
#include "debug/output.h"
#include "debug/points.h"
#include "debug/tracepoint.h"
#include "debug/watch.h"
#include "engine/events.h"
#include "engine/options.h"
#include "engine/stop.h"

static void
points_changed (struct channel *c)
{
  points_catch_up (c);
  watch_catch_up (c);
  tracepoint_catch_up (c);
}

static void
start (struct thread *t)
{
  (void) t;
  points_init ();
  tracepoint_init ();
  watch_init ();
  stop_on_points (points_changed);
}

static void
forked (struct thread *t)
{
  (void) t;
  watch_forked ();
  output_forked ();
}

/* The debugger wants T to step.  */
static bool
is_to_step (const struct thread *t)
{
  uint32_t how = t->slot && options.debug ? t->slot->resume
                                          : CHANNEL_RESUME_CONTINUE;

  return how == CHANNEL_RESUME_STEP || how == CHANNEL_RESUME_RANGE;
}

/* T is where the commands of a breakpoint have been run, and goes past
   it.  */
static bool
is_passing (const struct thread *t)
{
  return t->passing && t->passing == t->context.rip
         && t->passing_rsp == t->context.gpr[ARCH_RSP];
}

/* The instruction that a thread is armed for is done without checks, and up to
   its first turn that is watched at once.  */
static enum flavour
flavour (struct thread *t)
{
  bool step = is_to_step (t) || is_passing (t);

  watch_reported (t);
  if (watch_armed (t))
    return step ? FLAVOUR_STEP : FLAVOUR_WHOLE;
  if (watch_any ())
    return step ? FLAVOUR_WATCH_STEP : FLAVOUR_WATCH;
  return step ? FLAVOUR_STEP : N_FLAVOURS;
}

static void
point (struct thread *t)
{
  enum agent_error e = points_error (t);

  if (e && stop_is_seen (t))
    stop_report (t, CHANNEL_STOP_CONDITION_ERROR, t->context.spill[1], e);
  else if (!stop_is_seen (t) || points_no_stop (t))
    {
      t->passing = t->context.rip;
      t->passing_rsp = t->context.gpr[ARCH_RSP];
    }
  else
    stop_report (t, CHANNEL_STOP_POINT, t->context.rip, 0);
}

/* No code can stand where nothing can be executed: GDB has calls of functions
   return to the stack.  Conditions are the debugger's to evaluate there.  */
static bool
unfetched (struct thread *t)
{
  if (!points_stand_at (t->context.rip) || !stop_is_seen (t))
    return false;
  stop_report (t, CHANNEL_STOP_POINT, t->context.rip, 0);
  return true;
}

/* T is where a step, or a range step, of the debugger's ends.  */
static bool
has_stepped (const struct thread *t)
{
  const struct channel_thread *s = t->slot;

  return is_to_step (t) && s->stop == CHANNEL_STOP_NONE
         && !(s->resume == CHANNEL_RESUME_RANGE
              && t->context.rip >= s->range_start
              && t->context.rip < s->range_end);
}

/* A step that delivers a signal ends in front of the handler, as the kernel
   has it.  */
static void
handler (struct thread *t)
{
  if (has_stepped (t))
    stop_post (t, CHANNEL_STOP_STEP, 0, 0);
}

/* T may have touched what is watched; false: it has, which was reported.  */
static bool
watched (struct thread *t)
{
  struct watch_hit hit;

  if (t->ruled == t->stepping_from)
    t->ruled = 0;
  if (!watch_done (t, &hit))
    return true;
  stop_report (t, CHANNEL_STOP_WATCH, hit.addr, hit.kind);
  watch_reported (t);
  return false;
}

/* T has done an instruction, for the debugger or for a watchpoint.  An event
   that waits to be reported comes before a step that is done.  */
static void
stepped (struct thread *t)
{
  if (t->passing == t->stepping_from)
    t->passing = 0;
  if (watched (t) && has_stepped (t))
    stop_report (t, CHANNEL_STOP_STEP, 0, 0);
}

/* The check of T's instruction stands behind its tracepoint.  */
static bool
watch (struct thread *t, bool here)
{
  if (tracepoint_is_at (t->context.rip))
    thread_set_ruled (t);
  return watch_come (t, here);
}

static bool
stored (struct thread *t, bool wait)
{
  struct watch_hit hit;
  bool found = false;

  if (!watch_stored (t, wait, &hit, &found))
    return false;
  if (found)
    stop_post (t, CHANNEL_STOP_WATCH, hit.addr, hit.kind);
  return true;
}

static void
report (struct thread *t, struct report *r)
{
  (void) t;
  points_report (r);
  tracepoint_report (r);
  watch_report (r);
}

static const struct engine_events debug_events = {
  .report = report,
  .start = start,
  .forked = forked,
  .flavour = flavour,
  .point = point,
  .unfetched = unfetched,
  .stepped = stepped,
  .unstepped = watch_undone,
  .handler = handler,
  .watch = watch,
  .watched = watched,
  .fault = evaluate_fault,
  .store = watch_store,
  .returned = watch_returned,
  .stored = stored,
};
EVENTS_REGISTER (debug_events);
