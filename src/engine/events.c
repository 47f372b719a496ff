/* See events.h.  */

#include "engine/events.h"

/* The bounds of the section, by the linker; both null when it is empty.  */
extern const struct engine_events *const __start_rio_events[]
    __attribute__ ((weak, visibility ("hidden")));
extern const struct engine_events *const __stop_rio_events[]
    __attribute__ ((weak, visibility ("hidden")));

#define EACH_TABLE(E)                                                         \
  for (const struct engine_events *const *E = __start_rio_events;             \
       E < __stop_rio_events; E++)

/* See events.h.  */
void
events_start (struct thread *t)
{
  EACH_TABLE (e)
    if ((*e)->start)
      (*e)->start (t);
}

/* See events.h.  */
enum flavour
events_flavour (struct thread *t)
{
  EACH_TABLE (e)
    if ((*e)->flavour)
      {
        enum flavour f = (*e)->flavour (t);
        if (f != N_FLAVOURS)
          return f;
      }
  return FLAVOUR_PLAIN;
}

/* See events.h.  */
void
events_point (struct thread *t)
{
  EACH_TABLE (e)
    if ((*e)->point)
      (*e)->point (t);
}

/* See events.h.  */
bool
events_unfetched (struct thread *t)
{
  bool done = false;

  EACH_TABLE (e)
    if ((*e)->unfetched)
      done |= (*e)->unfetched (t);
  return done;
}

/* See events.h.  */
void
events_stepped (struct thread *t)
{
  EACH_TABLE (e)
    if ((*e)->stepped)
      (*e)->stepped (t);
}

/* See events.h.  */
void
events_unstepped (struct thread *t)
{
  EACH_TABLE (e)
    if ((*e)->unstepped)
      (*e)->unstepped (t);
}

/* See events.h.  */
void
events_handler (struct thread *t)
{
  EACH_TABLE (e)
    if ((*e)->handler)
      (*e)->handler (t);
}

/* See events.h.  */
bool
events_watch (struct thread *t, bool here)
{
  bool shall = false;

  EACH_TABLE (e)
    if ((*e)->watch)
      shall |= (*e)->watch (t, here);
  return shall;
}

/* See events.h.  */
bool
events_watched (struct thread *t)
{
  bool goes_on = true;

  EACH_TABLE (e)
    if ((*e)->watched)
      goes_on &= (*e)->watched (t);
  return goes_on;
}

/* See events.h.  */
void
events_returned (struct thread *t, bool changed)
{
  EACH_TABLE (e)
    if ((*e)->returned)
      (*e)->returned (t, changed);
}

/* See events.h.  */
bool
events_stored (struct thread *t, bool wait)
{
  bool done = true;

  EACH_TABLE (e)
    if ((*e)->stored)
      done &= (*e)->stored (t, wait);
  return done;
}

/* See events.h.  */
void
events_forked (struct thread *t)
{
  EACH_TABLE (e)
    if ((*e)->forked)
      (*e)->forked (t);
}

/* See events.h.  */
void
events_store (struct thread *t, app_addr start, app_addr end)
{
  EACH_TABLE (e)
    if ((*e)->store)
      (*e)->store (t, start, end);
}

/* See events.h.  */
uint64_t
events_fault (uint64_t pc)
{
  uint64_t to = 0;

  EACH_TABLE (e)
    if (!to && (*e)->fault)
      to = (*e)->fault (pc);
  return to;
}

/* See events.h.  */
void
events_report (struct thread *t, struct report *r)
{
  EACH_TABLE (e)
    if ((*e)->report)
      (*e)->report (t, r);
}
