/* See link.h.  */

#include "cache/link.h"
#include "arch/lookup.h"
#include "cache/cache.h"
#include "common/assert.h"
#include "common/log.h"

/* So many links to a fragment are looked at for one to share with.  */
#define SHARED_SEARCH 8

static struct region *
region_of (const struct exit *e)
{
  return region_find ((uint64_t) exit_fragment (e)->entry);
}

/* Where the field of E is executed.  */
static cache_pc
field_pc (const struct exit *e)
{
  return exit_fragment (e)->entry + e->field;
}

static void
point_at (const struct region *r, struct exit *e, cache_pc to)
{
  emit_patch_32 (region_writable (r, field_pc (e)),
                 emit_distance (field_pc (e), to));
}

static bool
reaches (const struct exit *e, cache_pc to)
{
  int64_t d = emit_distance (field_pc (e), to);
  return d == (int32_t) d;
}

/* A trace may begin at TO, and E is a way there that tells of it: the way out
   of another trace, or one that leads back.  */
static bool
shall_count (const struct exit *e, const struct fragment *to)
{
  const struct fragment *from = exit_fragment (e);

  return cache_options ()->trace_threshold && !to->is_trace && !to->cold
         && flavour_has_traces ((enum flavour) to->flavour)
         && (from->is_trace || e->target < from->pc + from->app_size);
}

/* A counter in R that some other exit is linked to TO through; 0 if none is
   found soon.  */
static cache_pc
shared_counter (const struct region *r, const struct fragment *to)
{
  const struct exit *x = exit_of (to->in);

  for (unsigned n = 0; x && n < SHARED_SEARCH; n++, x = exit_of (x->next_in))
    if (x->counted && region_of (x) == r)
      return field_pc (x) + 4
             + *(const int32_t *) region_writable (r, field_pc (x));
  return 0;
}

/* Code in R that counts how often E is taken and goes on to AT, which is TO's
   or leads there; 0 if there is no room.  */
static cache_pc
counter (struct region *r, struct exit *e, struct fragment *to, cache_pc at)
{
  struct emit w;
  cache_pc start = shared_counter (r, to);

  if (start)
    return start;
  if (!region_has_room (r, ARCH_COUNTER_MAX, 0))
    return 0;
  region_begin (r, &w);
  start = emit_pc (&w);
  arch_emit_counter (&w, e->target, cache_options ()->trace_threshold,
                     memory_number (e) | LINK_HOT, at);
  region_index (r, start, to, REGION_COUNTER);
  region_commit (r, &w);
  cache_stats ()->counters++;
  return start;
}

/* See link.h.  */
void
link_make (struct exit *e, struct fragment *to)
{
  struct region *r = region_of (e);
  cache_pc at = to->entry, counted;
  bool count = shall_count (e, to);

  vm_assert (!e->to && e->kind == EXIT_DIRECT && e->target == to->pc);
  if (count && !e->taken)
    {
      /* Many are taken but once.  */
      e->taken = 1;
      return;
    }
  if (!reaches (e, at))
    {
      uint8_t *unit;
      if (r->code + ARCH_UNIT_SIZE > r->units)
        return;
      at = region_unit (r, &unit);
      arch_unit_jump (unit, to->entry);
    }
  if (count && (counted = counter (r, e, to, at)))
    {
      at = counted;
      e->counted = 1;
    }
  e->to = memory_number (to);
  e->next_in = to->in;
  to->in = memory_number (e);
  point_at (r, e, at);
  cache_stats ()->links++;
  LOG (LINK, "link from %#lx to %#lx%s", exit_fragment (e)->pc, to->pc,
       e->counted ? ", counted" : "");
}

/* See link.h.  */
void
link_break (struct exit *e)
{
  struct region *r = region_of (e);
  struct fragment *to = fragment_of (e->to);
  uint32_t *p, number = memory_number (e);

  if (!to)
    return;
  point_at (r, e, r->start + e->unit);
  for (p = &to->in; *p != number; p = &exit_of (*p)->next_in)
    vm_assert (*p);
  *p = e->next_in;
  LOG (LINK, "no link from %#lx to %#lx", exit_fragment (e)->pc, to->pc);
  e->to = 0;
  e->counted = 0;
}

/* See link.h.  */
void
link_break_all (struct fragment *f)
{
  while (f->in)
    link_break (exit_of (f->in));
  for (unsigned i = 0; i < f->n_exits; i++)
    link_break (f->exits + i);
}
