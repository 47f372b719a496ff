/* See points.h.  Breakpoints are a sorted array, each address once, with a
   copy of their bytecode: what the channel has can change at any time.  */

#include "debug/points.h"
#include "cache/cache.h"
#include "common/log.h"
#include "common/sorted.h"
#include "common/string.h"
#include "debug/condition.h"
#include "engine/dispatch.h"
#include "engine/heap.h"

struct breakpoint
{
  app_pc at;
  bool always;                  /* it has no condition, or one that cannot be
                                   compiled */
  bool no_stop;                 /* go on after the commands */
  struct condition_list conditions, commands;   /* code: null, or the heap's,
                                                   which conditions own */
  struct condition_needs needs;
};

struct set
{
  struct breakpoint *point;
  unsigned n, room;
};

static struct set breakpoints;

/* The first index in S whose address is not below PC.  */
static unsigned
index_of (const struct set *s, app_pc pc)
{
  return sorted_index (s->point, s->n, sizeof *s->point,
                       offsetof (struct breakpoint, at), pc);
}

static const struct breakpoint *
find (const struct set *s, app_pc pc)
{
  unsigned n = index_of (s, pc);
  return n < s->n && s->point[n].at == pc ? s->point + n : 0;
}

/* Make a copy of the expressions of C, and see what they need.  */
static void
read_expressions (struct breakpoint *b, const struct channel *channel,
                  const struct channel_point *c)
{
  uint32_t start = c->code_at, n = c->n_conditions + (uint32_t) c->n_commands;
  struct condition_list l = { .n = n };
  enum bytecode_refusal why;
  uint8_t *copy;

  b->always = true;
  if (!n || start > CHANNEL_POOL_SIZE)
    return;
  l.code = channel->pool + start;
  l.size = CHANNEL_POOL_SIZE - start;
  l.size = condition_list_size (&l);
  copy = l.size ? heap_alloc (l.size, HEAP_DEBUG) : 0;
  if (!copy)
    return;
  memcpy (copy, l.code, l.size);
  b->conditions = (struct condition_list){ copy, l.size, c->n_conditions };
  n = condition_list_size (&b->conditions);
  b->commands = (struct condition_list){ copy + n, l.size - n, c->n_commands };
  b->no_stop = c->no_stop;
  why = condition_verify (&b->conditions, &b->commands, b->at, &b->needs);
  b->always = why;
  if (why)
    LOG (DEBUG, "the expressions at %lx are left to the debugger: %s", b->at,
         bytecode_sentence (why));
}

static void
insert (struct set *s, const struct channel *channel,
        const struct channel_point *c)
{
  app_pc pc = c->addr;
  unsigned n = index_of (s, pc);

  if (n < s->n && s->point[n].at == pc)
    {
      s->point[n].always = true;
      return;
    }
  memmove (s->point + n + 1, s->point + n, (s->n - n) * sizeof *s->point);
  s->point[n] = (struct breakpoint){ .at = pc };
  s->n++;
  read_expressions (s->point + n, channel, c);
}

/* The breakpoints of the channel.  Without memory there are none: point is
   null.  */
static struct set
read_wanted (const struct channel *channel, unsigned room)
{
  struct set s = { .room = room };

  s.point = heap_alloc (room * sizeof *s.point, HEAP_DEBUG);
  for (unsigned n = 0; s.point && n < room && n < channel->n_points; n++)
    {
      struct channel_point c = channel->points[n];
      if (c.kind == CHANNEL_POINT_BREAK)
        insert (&s, channel, &c);
    }
  return s;
}

static void
drop (struct set *s)
{
  for (unsigned n = 0; n < s->n; n++)
    if (s->point[n].conditions.code)
      heap_free ((void *) s->point[n].conditions.code,
                 s->point[n].conditions.size, HEAP_DEBUG);
  if (s->point)
    heap_free (s->point, s->room * sizeof *s->point, HEAP_DEBUG);
}

static bool
same (const struct breakpoint *a, const struct breakpoint *b)
{
  return a->always == b->always && a->conditions.n == b->conditions.n
         && a->commands.n == b->commands.n
         && a->conditions.size == b->conditions.size
         && !memcmp (a->conditions.code, b->conditions.code,
                     a->conditions.size);
}

/* Retire what was translated around each point that is in A and not in B.  */
static void
retire_difference (const struct set *a, const struct set *b)
{
  for (unsigned n = 0; n < a->n; n++)
    {
      const struct breakpoint *p = a->point + n, *q = find (b, p->at);
      if (!q || !same (p, q))
        dispatch_flush (p->at, p->at + 1, "a point");
    }
}

/* See points.h.  */
void
points_catch_up (struct channel *c)
{
  unsigned want = MIN (c->n_points, CHANNEL_MAX_POINTS);
  struct set new = read_wanted (c, MAX (want, 1u)), old = breakpoints;

  if (!new.point)
    return;
  breakpoints = new;
  retire_difference (&new, &old);
  retire_difference (&old, &new);
  drop (&old);
  LOG (DEBUG, "%u breakpoints", breakpoints.n);
}

static size_t
room (app_pc start, app_pc end, enum flavour flavour)
{
  size_t most = 0;

  if (flavour_steps (flavour))
    return 0;
  for (unsigned n = index_of (&breakpoints, start);
       n < breakpoints.n && breakpoints.point[n].at < end; n++)
    most = MAX (most, MAX (breakpoints.point[n].needs.room, 1u));
  return most;
}

/* A step goes past the point that it starts from.  */
static enum rule_action
before (const struct insn *i, enum flavour flavour)
{
  const struct breakpoint *b;

  if (flavour_steps (flavour))
    return RULE_NONE;
  b = find (&breakpoints, i->pc);
  return !b ? RULE_NONE : b->always ? RULE_STOP : RULE_CODE;
}

static size_t
emit (struct rule_site *s)
{
  const struct breakpoint *b = find (&breakpoints, s->insn->pc);

  condition_emit (s, &b->conditions, &b->commands, &b->needs);
  return 0;
}

/* See points.h.  */
enum agent_error
points_error (const struct thread *t)
{
  const struct breakpoint *b = find (&breakpoints, t->context.rip);

  return b && !b->always ? t->context.spill[0] : AGENT_NO_ERROR;
}

/* See points.h.  */
void
points_report (struct report *r)
{
  uint64_t compiled = 0, refused = 0;

  for (unsigned n = 0; n < breakpoints.n; n++)
    {
      const struct breakpoint *b = breakpoints.point + n;
      if (b->always)
        refused += b->conditions.n != 0;
      else
        compiled += b->conditions.n;
    }
  report_value (r, "breakpoints", breakpoints.n);
  report_value (r, "conditions compiled", compiled);
  report_value (r, "conditions interpreted", 0);
  report_value (r, "breakpoints whose conditions GDB decides", refused);
}

/* See points.h.  */
bool
points_stand_at (app_pc pc)
{
  return find (&breakpoints, pc) != 0;
}

/* See points.h.  */
bool
points_no_stop (const struct thread *t)
{
  const struct breakpoint *b = find (&breakpoints, t->context.rip);

  return b && !b->always && b->no_stop;
}

/* See points.h.  */
void
points_init (void)
{
  static const struct cache_rule rule
      = { .room = room, .before = before, .emit = emit };
  cache_add_rule (&rule);
}
