/* See snapshot.h.  Memory that cannot be read counts as zero: an instruction
   that touches it faults, and a system call fails.  */

#include "debug/snapshot.h"
#include "arch/decode.h"
#include "common/string.h"
#include "engine/gate.h"

/* See snapshot.h.  */
void
snapshot_clear (struct snapshot *s)
{
  s->n = s->used = 0;
  s->known = s->late = false;
}

static uint8_t
byte_at (app_addr addr)
{
  uint8_t b = 0;

  return safe_read (&b, addr, 1) ? b : 0;
}

/* The N bytes at ADDR, zeros for what cannot be read, go to BUFFER.  */
static void
read_bytes (uint8_t *buffer, app_addr addr, uint32_t n)
{
  if (!safe_read (buffer, addr, n))
    for (uint32_t k = 0; k < n; k++)
      buffer[k] = byte_at (addr + k);
}

/* FNV-1a: for what is too much to be kept.  */
static uint32_t
hash (app_addr addr, uint32_t size)
{
  uint32_t h = 2166136261u;
  uint8_t now[64];

  for (uint32_t n = 0; n < size; n += sizeof now)
    {
      uint32_t part = MIN (size - n, sizeof now);
      read_bytes (now, addr + n, part);
      for (uint32_t k = 0; k < part; k++)
        h = (h ^ now[k]) * 16777619u;
    }
  return h;
}

static void
keep (struct snapshot *s, struct snapshot_piece *p)
{
  if (p->size > SNAPSHOT_BYTES - s->used)
    {
      p->at = SNAPSHOT_BYTES;
      p->hash = hash (p->addr, p->size);
      return;
    }
  p->at = (uint16_t) s->used;
  s->used += p->size;
  read_bytes (s->bytes + p->at, p->addr, p->size);
}

/* See snapshot.h.  */
void
snapshot_add (struct snapshot *s, const struct ranges *ranges, app_addr start,
              app_addr end, unsigned access)
{
  if (!s->n)
    s->generation = ranges->generation;
  for (unsigned n = ranges_first (ranges, start, end);
       n < ranges->n && s->n < SNAPSHOT_PIECES;
       n = ranges_next (ranges, n + 1, start, end))
    {
      const struct range *r = ranges->range + n;
      struct snapshot_piece *p = s->piece + s->n;

      if (!range_wants (r, access))
        continue;
      p->addr = MAX (r->start, start);
      p->size = (uint32_t) (MIN (r->end, end) - p->addr);
      p->range = n;
      p->kind = r->kind;
      p->touched = r->kind != CHANNEL_POINT_WATCH_WRITE
                   && r->kind != CHANNEL_POINT_WATCH_LOG;
      p->made = false;
      s->n++;
      keep (s, p);
    }
}

/* See snapshot.h.  */
void
snapshot_over (struct snapshot *s, bool late)
{
  s->known = true;
  s->late = late;
}

/* What RANGES have of [START, END) now, and of which nothing was kept.  */
static void
add_late (struct snapshot *s, const struct ranges *ranges, app_addr start,
          app_addr end)
{
  unsigned first = s->n;

  snapshot_add (s, ranges, start, end, INSN_WRITE);
  for (unsigned n = first; n < s->n; n++)
    {
      s->piece[n].made = s->piece[n].kind != CHANNEL_POINT_WATCH_LOG;
      s->piece[n].touched = true;
    }
}

/* See snapshot.h.  */
void
snapshot_made (struct snapshot *s, const struct ranges *ranges, app_addr start,
               app_addr end)
{
  for (unsigned n = 0; n < s->n; n++)
    {
      struct snapshot_piece *p = s->piece + n;

      if (p->addr < end && start < p->addr + p->size)
        p->made = true;
    }
  if (s->late)
    add_late (s, ranges, start, end);
}

/* The first byte of P that is not as it was; p->size: all are.  */
static uint32_t
first_change (const struct snapshot *s, const struct snapshot_piece *p)
{
  uint8_t now[64];

  if (p->at == SNAPSHOT_BYTES)
    return hash (p->addr, p->size) != p->hash ? 0 : p->size;
  for (uint32_t n = 0; n < p->size; n += sizeof now)
    {
      uint32_t size = MIN (p->size - n, sizeof now);

      read_bytes (now, p->addr + n, size);
      for (uint32_t k = 0; k < size; k++)
        if (now[k] != s->bytes[p->at + n + k])
          return n + k;
    }
  return p->size;
}

/* See snapshot.h.  */
bool
snapshot_next (const struct snapshot *s, unsigned *at,
               struct snapshot_change *change)
{
  while (*at < s->n)
    {
      const struct snapshot_piece *p = s->piece + (*at)++;
      uint32_t first;

      if (s->known && !p->made)
        continue;
      first = p->touched ? 0 : first_change (s, p);
      if (first == p->size)
        continue;
      *change = (struct snapshot_change){
        .range = p->range, .kind = p->kind, .addr = p->addr + first,
        .start = p->addr, .size = p->size,
        .old = p->at == SNAPSHOT_BYTES ? 0 : s->bytes + p->at
      };
      return true;
    }
  return false;
}
