/* See ranges.h.  */

#include "debug/ranges.h"
#include "arch/decode.h"
#include "common/log.h"
#include "common/sorted.h"
#include "common/string.h"
#include "debug/evaluate.h"
#include "engine/heap.h"

static bool
is_watch (const struct channel_point *p)
{
  return p->kind >= CHANNEL_POINT_WATCH_WRITE
         && p->kind <= CHANNEL_POINT_WATCH_LOG && p->length
         && p->length - 1 < ~p->addr;
}

/* Copy P's conditions to L.  False: there is no memory.  */
static bool
copy_conditions (struct condition_list *l, const struct channel *c,
                 const struct channel_point *p)
{
  struct condition_list from = { .n = p->n_conditions };
  uint8_t *copy;

  *l = (struct condition_list){ 0 };
  if (!from.n || p->code_at > CHANNEL_POOL_SIZE)
    return true;
  from.code = c->pool + p->code_at;
  from.size = CHANNEL_POOL_SIZE - p->code_at;
  from.size = condition_list_size (&from);
  copy = from.size ? heap_alloc (from.size, HEAP_DEBUG) : 0;
  if (!copy)
    return !from.size;
  memcpy (copy, from.code, from.size);
  *l = (struct condition_list){ copy, from.size, from.n };
  return true;
}

static void
insert (struct ranges *s, const struct channel *c,
        const struct channel_point *p)
{
  struct range new = { .start = p->addr, .end = p->addr + p->length,
                       .kind = p->kind, .always = true };
  unsigned n = s->n++;

  for (; n && s->range[n - 1].start > p->addr; n--)
    s->range[n] = s->range[n - 1];
  if (!copy_conditions (&new.conditions, c, p))
    LOG (DEBUG, "no memory for the conditions at %lx", p->addr);
  s->range[n] = new;
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
        insert (&s, c, &p);
    }
  set_reach (&s);
  return s;
}

/* See ranges.h.  */
void
ranges_drop (struct ranges *r)
{
  for (unsigned n = 0; n < r->n; n++)
    if (r->range[n].conditions.code)
      heap_free ((void *) r->range[n].conditions.code,
                 r->range[n].conditions.size, HEAP_DEBUG);
  if (r->range)
    heap_free (r->range, r->room * sizeof *r->range, HEAP_DEBUG);
  *r = (struct ranges){ 0 };
}

static bool
same_conditions (const struct condition_list *a,
                 const struct condition_list *b)
{
  return a->n == b->n && a->size == b->size
         && (!a->size || !memcmp (a->code, b->code, a->size));
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
        || a->range[n].kind != b->range[n].kind
        || !same_conditions (&a->range[n].conditions,
                             &b->range[n].conditions))
      return false;
  return true;
}

static bool
have_conditions (const struct ranges *s)
{
  for (unsigned n = 0; n < s->n; n++)
    if (s->range[n].conditions.n)
      return true;
  return false;
}

/* See ranges.h.  */
void
ranges_compile (struct ranges *s)
{
  if (!have_conditions (s) || !evaluate_begin ())
    return;
  for (unsigned n = 0; n < s->n; n++)
    {
      struct range *r = s->range + n;
      enum bytecode_refusal why;

      if (!r->conditions.n)
        continue;
      why = evaluate_add (&r->conditions, &r->first);
      r->always = why;
      if (why)
        LOG (DEBUG, "the conditions at %lx are left to the debugger: %s",
             r->start, bytecode_sentence (why));
    }
  evaluate_end ();
}

/* See ranges.h.  */
bool
range_wants (const struct range *r, unsigned access)
{
  return ((access & INSN_WRITE) && r->kind != CHANNEL_POINT_WATCH_READ)
         || ((access & INSN_READ) && r->kind != CHANNEL_POINT_WATCH_WRITE
             && r->kind != CHANNEL_POINT_WATCH_LOG);
}

/* See ranges.h.  */
unsigned
ranges_first (const struct ranges *s, app_addr start, app_addr end)
{
  unsigned n = sorted_index (s->range, s->n, sizeof *s->range,
                             offsetof (struct range, reach), start + 1);

  return ranges_next (s, n, start, end);
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

/* See ranges.h.  */
unsigned
ranges_with (const struct ranges *s, enum channel_point_kind kind,
             app_addr start, app_addr end)
{
  unsigned n = ranges_first (s, start, end);

  while (n < s->n
         && (s->range[n].kind != kind || s->range[n].start > start
             || s->range[n].end < end))
    n = ranges_next (s, n + 1, start, end);
  return n;
}
