/* See points.h.  Breakpoints are a sorted array of addresses, each once.  */

#include "debug/points.h"
#include "cache/cache.h"
#include "common/log.h"
#include "common/string.h"
#include "engine/dispatch.h"
#include "engine/heap.h"
#include "engine/main.h"

struct set
{
  app_pc *at;
  unsigned n;
};

static struct lock points_lock = LOCK_INIT (LOCK_RANK_POINTS);
static struct set breakpoints;
static uint32_t generation;

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
read_wanted (unsigned room)
{
  struct set s = { heap_alloc (room * sizeof *s.at, HEAP_DEBUG), 0 };

  for (unsigned n = 0; s.at && n < room; n++)
    if (channel->points[n].kind == CHANNEL_POINT_BREAK)
      insert (&s, channel->points[n].addr);
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

static void
update (void)
{
  static unsigned room;         /* of breakpoints.at */
  unsigned want = MIN (channel->n_points, CHANNEL_MAX_POINTS);
  struct set new = read_wanted (MAX (want, 1u)), old = breakpoints;

  if (!new.at)
    return;
  breakpoints = new;
  retire_difference (&new, &old);
  retire_difference (&old, &new);
  if (old.at)
    heap_free (old.at, room * sizeof *old.at, HEAP_DEBUG);
  room = MAX (want, 1u);
  LOG (DEBUG, "%u breakpoints", breakpoints.n);
}

/* See points.h.  */
void
points_catch_up (struct thread *t)
{
  uint32_t now;

  (void) t;
  if (__atomic_load_n (&channel->points_generation, __ATOMIC_ACQUIRE)
      == __atomic_load_n (&generation, __ATOMIC_ACQUIRE))
    return;
  lock_acquire (&points_lock);
  now = __atomic_load_n (&channel->points_generation, __ATOMIC_ACQUIRE);
  if (now != generation)
    {
      update ();
      __atomic_store_n (&generation, now, __ATOMIC_RELEASE);
    }
  lock_release (&points_lock);
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
