/* Code memory: regions of it, each near the code that it copies.

   A region is filled from both ends: code upwards, units (exit stubs, far
   jumps, data; arch/lookup.h) downwards.  At its start stands the code of the
   lookup that blocks share, so that each reaches it by a short jump.  It is
   mapped twice, for writing and for execution (struct region.delta apart), or
   once where an option says so.

   Locks: the cache lock, except for region_find and region_contains, which
   read what never changes once it is published, and may run in signal
   context.  */

#ifndef CACHE_REGION_H
#define CACHE_REGION_H

#include "cache/fragment.h"

#define REGION_MAX 64

/* What a region is for.  */
enum region_kind
{
  REGION_BLOCKS,
  REGION_TRACES,
  REGION_RECORD         /* blocks that run once (trace.h): there is one such
                           region, which is not counted to the bound */
};

/* The fragments of a region by offset, for translation.  */
#define REGION_CHUNK 4096
#define REGION_MAX_CHUNKS 512

struct region
{
  cache_pc start;               /* executable view */
  int64_t delta;                /* executable less writable address */
  size_t size, code, units;     /* bytes; units: offset of the lowest one */
  size_t code_written, units_written;   /* as memory_calls.written knows */
  size_t code_soon, units_soon; /* as memory_calls.soon knows */
  uint32_t n_entries;
  enum region_kind kind;
  struct region_entry { uint32_t at, fragment; } *chunk[REGION_MAX_CHUNKS];
};

/* The writable address of PC in R.  */
static inline uint8_t *
region_writable (const struct region *r, cache_pc pc)
{
  return (uint8_t *) pc - r->delta;
}

/* Offset of PC in R, and back.  */
static inline uint32_t
region_offset (const struct region *r, cache_pc pc)
{
  return (uint32_t) (pc - r->start);
}

/* True if PC is in emitted code of any region.  */
bool region_contains (uint64_t pc);

/* Region N, from 0, and entry N of R's index; 0 when there are no more.  */
const struct region *region_number (unsigned n);
const struct region_entry *region_entry (const struct region *r, uint32_t n);

/* The region of PC; 0 if there is none.  */
struct region *region_find (uint64_t pc);

/* A region of KIND from which the application code at PC can be reached by a
   32-bit displacement, if possible, with room for a fragment of CODE bytes and
   UNITS units.  0 when the bound on the size of the cache is reached.  */
struct region *region_reserve (app_pc pc, enum region_kind kind, size_t code,
                               unsigned units);

/* The most code and units that a region of KIND can take.  */
size_t region_capacity (enum region_kind kind);

/* R has room for CODE bytes and UNITS units.  */
bool region_has_room (const struct region *r, size_t code, unsigned units);

/* Begin R, which nobody is inside, anew.  */
void region_empty (struct region *r);

/* A unit from R, written to by UNIT_WRITE in the writable view; its
   executable address is the result.  */
cache_pc region_unit (struct region *r, uint8_t **writable);

/* Where code will next be written in R, and the end of what has been: makes
   what was emitted up to there part of the region.  */
void region_begin (struct region *r, struct emit *e);
void region_commit (struct region *r, const struct emit *e);

/* What an entry of a region's index is, beside a fragment: the low bits of
   its number, which is a multiple of 16.  */
enum region_piece
{
  REGION_FRAGMENT,      /* perhaps with a prefix in front */
  REGION_PREFIX,        /* one that stands alone */
  REGION_COUNTER,       /* on the way to the fragment */
  REGION_PIECES = 15    /* mask */
};

/* Record that PIECE of F begins at AT.  */
void region_index (struct region *r, cache_pc at, struct fragment *f,
                   enum region_piece piece);

/* The entry that covers PC in R; 0 if there is none.  */
const struct region_entry *region_lookup (const struct region *r,
                                          cache_pc pc);

/* Bytes of code memory in use, of all regions.  */
size_t region_bytes_used (void);

/* Forget all fragments: every region is empty again.  No thread may be
   inside.  */
void region_reset (void);

/* After fork, in the child: give each region memory of its own with the same
   content.  False if there is none: the code is the parent's.  */
bool region_after_fork (void);

#endif
