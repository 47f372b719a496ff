/* The set of points that a debugger wants in a process.

   Sorted by address, kind and length.  A point that is removed stays, marked,
   until the set is published: GDB removes and inserts every point at each
   stop, and that must come to nothing.  Everything is copied.  */

#ifndef HOST_POINTS_H
#define HOST_POINTS_H

#include "channel/channel.h"
#include "host/target.h"

struct point;

struct point_set
{
  struct point *points;
  size_t n, room;
  size_t pool_used;             /* bytes of bytecode, of those present */
};

/* Add POINT, or put it in place of the one with its name.  */
MUST_USE enum target_refusal points_insert (struct point_set *set,
                                            const struct target_point *point);

/* BAD_ARGUMENT: there is none of that name.  */
MUST_USE enum target_refusal points_remove (struct point_set *set,
                                            enum target_point_kind kind,
                                            app_addr addr, uint64_t length);

bool points_have_break (const struct point_set *set, app_addr addr);

/* Make SET, which is empty, a copy of FROM, to be published.  */
MUST_USE enum target_refusal points_copy (struct point_set *set,
                                          const struct point_set *from);

/* Take all points of KIND out whose length is from LOW to HIGH.  */
void points_remove_kind (struct point_set *set, enum target_point_kind kind,
                         uint64_t low, uint64_t high);

/* Make SET empty.  */
void points_clear (struct point_set *set);

/* Write SET to C if it is not what was published last.  */
void points_publish (struct point_set *set, struct channel *c);

#endif
