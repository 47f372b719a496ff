/* See trace.h.  */

#include "cache/trace.h"
#include "arch/lookup.h"
#include "cache/path.h"
#include "cache/link.h"
#include "cache/lookup.h"
#include "common/log.h"

static struct recording
{
  const struct arch_context *who;       /* whose thread records; 0: nobody */
  bool given_up;                /* it will not become a trace; but its thread
                                   may be in the block to record until it
                                   comes again */
  enum flavour flavour;         /* of the trace to be */
  struct path path;
} the_recording;

/* See trace.h.  */
void
trace_give_up (enum trace_abort why)
{
  if (!the_recording.who || the_recording.given_up)
    return;
  the_recording.given_up = true;
  cache_stats ()->trace_aborts[why]++;
}

/* See trace.h.  */
bool
trace_is_by (const struct arch_context *c)
{
  return __atomic_load_n (&the_recording.who, __ATOMIC_RELAXED) == c;
}

/* The recording thread is not in the block to record.  */
static void
end (void)
{
  __atomic_store_n (&the_recording.who, 0, __ATOMIC_RELAXED);
  the_recording.given_up = false;
}

/* See trace.h.  */
void
trace_forget (const struct arch_context *c)
{
  if (c && the_recording.who != c)
    return;
  trace_give_up (TRACE_ABORT_LEFT);
  end ();
}

/* No trace begins at F: links to it need not count.  */
static void
make_cold (struct fragment *f)
{
  uint32_t in = f->in, next;

  f->cold = 1;
  for (; in; in = next)
    {
      struct exit *e = exit_of (in);
      next = e->next_in;
      link_break (e);
      link_make (e, f);
    }
}

/* What runs at PC in the flavour that is recorded for.  */
static struct fragment *
look_up (app_pc pc)
{
  return lookup_find (pc, the_recording.flavour);
}

static void
give_up_for_good (enum trace_abort why)
{
  struct fragment *f = look_up (the_recording.path.pc[0]);

  trace_give_up (why);
  end ();
  if (f && !f->is_trace)
    make_cold (f);
}

/* The path has come to PC, and is at its end there.  */
static enum trace_next
finish (app_pc pc)
{
  struct path *p = &the_recording.path;
  struct fragment *old = look_up (p->pc[0]), *f;
  enum path_status s;

  p->pc[p->n] = pc;
  if (p->n == 1 && pc != p->pc[0])
    {
      give_up_for_good (TRACE_ABORT_SHORT);
      return TRACE_NOT_RECORDING;
    }
  s = path_build (p, the_recording.flavour, old, &f);
  if (s == PATH_UNFIT)
    give_up_for_good (TRACE_ABORT_UNFIT);
  else if (s == PATH_FULL)
    {
      trace_give_up (TRACE_ABORT_FULL);
      end ();
    }
  if (s != PATH_BUILT)
    return s == PATH_FULL ? TRACE_NO_ROOM : TRACE_NOT_RECORDING;
  end ();
  cache_stats ()->traces++;
  LOG (BUILD, "trace of %#lx: %u blocks, %u bytes of code at %p", f->pc, p->n,
       f->size, f->entry);
  cache_stats ()->trace_blocks += p->n;
  cache_stats ()->trace_bytes += f->size;
  return TRACE_NOT_RECORDING;
}

static bool
is_trace (app_pc pc, enum flavour flavour)
{
  const struct fragment *f = lookup_find (pc, flavour);
  return f && f->is_trace;
}

static bool
on_path (const struct path *p, app_pc pc)
{
  for (unsigned n = 0; n < p->n; n++)
    if (p->pc[n] == pc)
      return true;
  return false;
}

/* The path ends at PC: it is at its beginning again, in a loop within, or at
   another trace.  */
static bool
ends_at (const struct path *p, app_pc pc, enum trace_arrival how)
{
  return pc == p->pc[0] || p->n == PATH_MAX
         || is_trace (pc, the_recording.flavour)
         || (how == TRACE_ARRIVED_DIRECT && on_path (p, pc));
}

/* Go on with recording at PC.  */
static enum trace_next
record (app_pc pc, struct fragment **result)
{
  struct path *p = &the_recording.path;
  enum path_status s = path_build_record (pc, the_recording.flavour, result);

  if (s == PATH_BUILT)
    {
      p->pc[p->n++] = pc;
      return TRACE_RECORDING;
    }
  if (s == PATH_UNFIT && p->n > 1)
    return finish (pc);
  p->pc[0] = p->n ? p->pc[0] : pc;
  give_up_for_good (s == PATH_FULL ? TRACE_ABORT_FULL : TRACE_ABORT_UNFIT);
  return TRACE_NOT_RECORDING;
}

static enum trace_next
begin (struct arch_context *c, enum flavour flavour,
       struct fragment **result)
{
  c->heat[arch_heat_index (c->rip)] = 0;
  if (is_trace (c->rip, flavour))
    return TRACE_NOT_RECORDING;
  if (the_recording.who)
    {
      cache_stats ()->trace_busy++;
      return TRACE_NOT_RECORDING;
    }
  __atomic_store_n (&the_recording.who, c, __ATOMIC_RELAXED);
  the_recording.flavour = flavour;
  the_recording.path.n = 0;
  return record (c->rip, result);
}

/* See trace.h.  A cache that is full is left to whoever builds next.  */
void
trace_end_at_call (const struct arch_context *c)
{
  if (the_recording.who != c)
    return;
  if (the_recording.given_up)
    end ();
  else
    finish (0);
}

/* See trace.h.  */
enum trace_next
trace_next (struct arch_context *c, enum flavour flavour,
            enum trace_arrival how, struct fragment **result)
{
  if (the_recording.who == c && the_recording.given_up)
    end ();
  if (the_recording.who == c)
    {
      if (how == TRACE_ARRIVED_ELSE || flavour != the_recording.flavour)
        trace_forget (c);
      else if (how != TRACE_ARRIVED_HOT
               && !ends_at (&the_recording.path, c->rip, how))
        return record (c->rip, result);
      else
        return finish (c->rip);
    }
  else if (how == TRACE_ARRIVED_HOT && flavour_has_traces (flavour))
    return begin (c, flavour, result);
  return TRACE_NOT_RECORDING;
}
