/* What of the watched ranges an access concerns, as it was before it.

   No state, no locks: the owner has one access at a time in it.  */

#ifndef DEBUG_SNAPSHOT_H
#define DEBUG_SNAPSHOT_H

#include "debug/ranges.h"

#define SNAPSHOT_PIECES 256
#define SNAPSHOT_BYTES 8192

struct snapshot_piece
{
  app_addr addr;
  uint32_t size;
  uint32_t hash;                /* of its bytes, where they have no room */
  uint16_t at;                  /* in bytes; SNAPSHOT_BYTES: hash */
  uint32_t range;               /* its number, then */
  enum channel_point_kind kind; /* that one's */
  bool touched;                 /* concerned whether it changes or not */
  bool made;                    /* the access was made to it */
};

struct snapshot
{
  unsigned n, used;
  unsigned generation;          /* of the ranges, at first */
  bool known;                   /* pieces that are not `made' are none */
  bool late;                    /* others have come into RANGES */
  struct snapshot_piece piece[SNAPSHOT_PIECES];
  uint8_t bytes[SNAPSHOT_BYTES];
};

void snapshot_clear (struct snapshot *s);

/* Note what of RANGES lies in [START, END), which ACCESS (enum insn_access) is
   made to.  */
void snapshot_add (struct snapshot *s, const struct ranges *ranges,
                   app_addr start, app_addr end, unsigned access);

/* The access is over: of what was noted only that counts which snapshot_made
   tells.  LATE: RANGES may have changed meanwhile, and what those stop for
   that are there now counts as changed.  */
void snapshot_over (struct snapshot *s, bool late);
void snapshot_made (struct snapshot *s, const struct ranges *ranges,
                    app_addr start, app_addr end);

/* A piece that has been read, or has changed.  */
struct snapshot_change
{
  uint32_t range;
  enum channel_point_kind kind;
  app_addr addr;                /* of the first byte that has; or the piece */
  app_addr start;               /* of the piece */
  uint32_t size;
  const uint8_t *old;           /* its bytes; null: they were not kept */
};

/* After the access: the next such piece, *AT being 0 for the first one.
   False: there is none.  */
MUST_USE bool snapshot_next (const struct snapshot *s, unsigned *at,
                             struct snapshot_change *change);

#endif
