/* See ranges.h.  */

#include "debug/ranges.h"
#include "arch/decode.h"
#include "common/string.h"
#include "engine/heap.h"

static bool
is_watch (const struct channel_point *p)
{
  return p->kind >= CHANNEL_POINT_WATCH_WRITE
         && p->kind <= CHANNEL_POINT_WATCH_ACCESS && p->length
         && p->length - 1 < ~p->addr;
}

static void
insert (struct ranges *s, const struct channel_point *p)
{
  unsigned n = s->n++;

  for (; n && s->range[n - 1].start > p->addr; n--)
    s->range[n] = s->range[n - 1];
  s->range[n] = (struct range){ .start = p->addr, .end = p->addr + p->length,
                                .kind = p->kind };
}

static void
set_reach (struct ranges *s)
{
  app_addr reach = 0;

  for (unsigned n = 0; n < s->n; n++)
    s->range[n].reach = reach = MAX (reach, s->range[n].end);
}

/* See ranges.h.  */
struct ranges
ranges_read (const struct channel *c)
{
  unsigned want = MAX (MIN (c->n_points, CHANNEL_MAX_POINTS), 1u);
  struct ranges s = { .room = want };

  s.range = heap_alloc (want * sizeof *s.range, HEAP_DEBUG);
  for (unsigned n = 0; s.range && n < want && n < c->n_points; n++)
    {
      struct channel_point p = c->points[n];
      if (is_watch (&p))
        insert (&s, &p);
    }
  set_reach (&s);
  return s;
}

/* See ranges.h.  */
void
ranges_drop (struct ranges *r)
{
  if (r->range)
    heap_free (r->range, r->room * sizeof *r->range, HEAP_DEBUG);
  *r = (struct ranges){ 0 };
}

/* See ranges.h.  */
bool
ranges_same (const struct ranges *a, const struct ranges *b)
{
  if (a->n != b->n)
    return false;
  for (unsigned n = 0; n < a->n; n++)
    if (a->range[n].start != b->range[n].start
        || a->range[n].end != b->range[n].end
        || a->range[n].kind != b->range[n].kind)
      return false;
  return true;
}

/* See ranges.h.  */
bool
range_wants (const struct range *r, unsigned access)
{
  return ((access & INSN_WRITE) && r->kind != CHANNEL_POINT_WATCH_READ)
         || ((access & INSN_READ) && r->kind != CHANNEL_POINT_WATCH_WRITE);
}

/* See ranges.h.  */
unsigned
ranges_first (const struct ranges *s, app_addr start, app_addr end)
{
  unsigned low = 0, high = s->n;

  while (low < high)
    {
      unsigned middle = low + (high - low) / 2;
      if (s->range[middle].reach <= start)
        low = middle + 1;
      else
        high = middle;
    }
  return ranges_next (s, low, start, end);
}

/* See ranges.h.  */
unsigned
ranges_next (const struct ranges *s, unsigned n, app_addr start,
             app_addr end)
{
  for (; n < s->n && s->range[n].start < end; n++)
    if (s->range[n].end > start)
      return n;
  return s->n;
}
