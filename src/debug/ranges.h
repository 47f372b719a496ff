/* The watched ranges: a sorted array, and what of them lies in an interval.

   Changed only while no thread is in the cache; read without a lock.  */

#ifndef DEBUG_RANGES_H
#define DEBUG_RANGES_H

#include "channel/channel.h"
#include "debug/condition.h"

struct range
{
  app_addr start, end;
  app_addr reach;               /* the highest end up to this one */
  enum channel_point_kind kind;
  struct condition_list conditions;     /* code: null, or the heap's */
  unsigned first;               /* their number (evaluate.h) */
  bool always;                  /* there are none, or they are refused */
};

struct ranges
{
  struct range *range;          /* by start */
  unsigned n, room;
  unsigned generation;          /* counts up as they change */
};

/* The ranges of C's points, and no others, with copies of their conditions.
   Without memory there are none: range is null.  */
struct ranges ranges_read (const struct channel *c);

/* Compile the conditions of S, in place of all others.  */
void ranges_compile (struct ranges *s);

void ranges_drop (struct ranges *r);

MUST_USE bool ranges_same (const struct ranges *a, const struct ranges *b);

/* R is concerned by an access (enum insn_access).  */
MUST_USE bool range_wants (const struct range *r, unsigned access);

/* The number of the first range at or behind number N that lies in part in
   [START, END); s->n if there is none.  */
unsigned ranges_next (const struct ranges *s, unsigned n, app_addr start,
                      app_addr end);

/* The number of one of KIND that has all of [START, END); s->n: none.  */
unsigned ranges_with (const struct ranges *s, enum channel_point_kind kind,
                      app_addr start, app_addr end);

/* Where to start for [START, END).  */
unsigned ranges_first (const struct ranges *s, app_addr start, app_addr end);

#endif
