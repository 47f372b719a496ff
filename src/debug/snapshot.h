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
  uint32_t range;               /* its number */
  bool touched;                 /* concerned whether it changes or not */
};

struct snapshot
{
  unsigned n, used;
  struct snapshot_piece piece[SNAPSHOT_PIECES];
  uint8_t bytes[SNAPSHOT_BYTES];
};

void snapshot_clear (struct snapshot *s);

/* Note what of RANGES lies in [START, END), which ACCESS (enum insn_access) is
   made to.  */
void snapshot_add (struct snapshot *s, const struct ranges *ranges,
                   app_addr start, app_addr end, unsigned access);

/* A piece that has been read, or has changed.  */
struct snapshot_change
{
  uint32_t range;
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
