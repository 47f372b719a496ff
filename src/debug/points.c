/* See points.h.  Breakpoints are a sorted array of addresses, each once.  */

#include "debug/points.h"
#include "cache/cache.h"
#include "common/log.h"
#include "common/string.h"
#include "engine/dispatch.h"
#include "engine/heap.h"

struct set
{
  app_pc *at;
  unsigned n;
};

static struct set breakpoints;

/* The first index in S whose address is not below PC.  */
static unsigned
index_of (const struct set *s, app_pc pc)
{
  unsigned low = 0, high = s->n;

  while (low < high)
    {
      unsigned middle = low + (high - low) / 2;
      if (s->at[middle] < pc)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

static bool
contains (const struct set *s, app_pc pc)
{
  unsigned n = index_of (s, pc);
  return n < s->n && s->at[n] == pc;
}

static void
insert (struct set *s, app_pc pc)
{
  unsigned n = index_of (s, pc);

  if (n < s->n && s->at[n] == pc)
    return;
  memmove (s->at + n + 1, s->at + n, (s->n - n) * sizeof *s->at);
  s->at[n] = pc;
  s->n++;
}

/* The breakpoints of the channel.  Without memory there are none: at is
   null.  */
static struct set
read_wanted (const struct channel *c, unsigned room)
{
  struct set s = { heap_alloc (room * sizeof *s.at, HEAP_DEBUG), 0 };

  for (unsigned n = 0; s.at && n < room && n < c->n_points; n++)
    if (c->points[n].kind == CHANNEL_POINT_BREAK)
      insert (&s, c->points[n].addr);
  return s;
}

/* Retire what was translated around each address that is in A and not in
   B.  */
static void
retire_difference (const struct set *a, const struct set *b)
{
  for (unsigned n = 0; n < a->n; n++)
    if (!contains (b, a->at[n]))
      dispatch_flush (a->at[n], a->at[n] + 1, "a point");
}

/* See points.h.  */
void
points_catch_up (struct channel *c)
{
  static unsigned room;         /* of breakpoints.at */
  unsigned want = MAX (MIN (c->n_points, CHANNEL_MAX_POINTS), 1u);
  struct set new = read_wanted (c, want), old = breakpoints;

  if (!new.at)
    return;
  breakpoints = new;
  retire_difference (&new, &old);
  retire_difference (&old, &new);
  if (old.at)
    heap_free (old.at, room * sizeof *old.at, HEAP_DEBUG);
  room = want;
  LOG (DEBUG, "%u breakpoints", breakpoints.n);
}

static bool
idle (app_pc start, app_pc end)
{
  unsigned n = index_of (&breakpoints, start);
  return n == breakpoints.n || breakpoints.at[n] >= end;
}

/* A step goes past the point that it starts from.  */
static enum rule_action
before (const struct insn *i, enum flavour flavour)
{
  return flavour != FLAVOUR_STEP && contains (&breakpoints, i->pc)
             ? RULE_STOP
             : RULE_NONE;
}

/* See points.h.  */
void
points_init (void)
{
  static const struct cache_rule rule = { .idle = idle, .before = before };
  cache_add_rule (&rule);
}
