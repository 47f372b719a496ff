/* See region.h.  */

#include "cache/region.h"
#include "arch/lookup.h"
#include "cache/cache.h"
#include "cache/memory.h"
#include "common/assert.h"

#define REGION_SIZE (16ul << 20)
#define RECORD_SIZE (128ul << 10)
#define WRITTEN_STEP (256ul << 10)
#define SOON_STEP (32ul << 10)
/* What must be within reach of a displacement: the code that is copied, and
   the data that it addresses, up to 256 MiB away from it.  */
#define REACH ((int64_t) ((2ul << 30) - (256ul << 20)))

static struct region regions[REGION_MAX];
static unsigned n_regions;

static bool
holds (const struct region *r, uint64_t pc)
{
  return pc - (uint64_t) r->start < r->size;
}

/* See region.h.  */
struct region *
region_find (uint64_t pc)
{
  unsigned n = __atomic_load_n (&n_regions, __ATOMIC_ACQUIRE);

  for (unsigned i = 0; i < n; i++)
    if (holds (regions + i, pc))
      return regions + i;
  return 0;
}

/* See region.h.  */
bool
region_contains (uint64_t pc)
{
  return region_find (pc) != 0;
}

static bool
reaches (const struct region *r, app_pc pc)
{
  int64_t low = (int64_t) (pc - (uint64_t) r->start);
  int64_t high = low - (int64_t) r->size;
  return low > -REACH && low < REACH && high > -REACH && high < REACH;
}

/* See region.h.  */
bool
region_has_room (const struct region *r, size_t code, unsigned units)
{
  return r->code + code + units * ARCH_UNIT_SIZE <= r->units
         && r->n_entries + 2 <= REGION_CHUNK * REGION_MAX_CHUNKS;
}

/* See region.h.  An empty region begins with the code of the lookup.  */
void
region_empty (struct region *r)
{
  struct emit e;

  r->code = r->code_written = 0;
  r->units = r->units_written = r->size;
  r->code_soon = 0;
  r->units_soon = r->size;
  r->n_entries = 0;
  region_begin (r, &e);
  arch_emit_shared_lookup (&e);
  region_commit (r, &e);
}

/* The size of a new region: a cache that is bounded to little has one of each
   kind, that for blocks being two thirds of it.  */
static size_t
region_size (enum region_kind kind)
{
  size_t bound = cache_options ()->size;

  if (kind == REGION_RECORD)
    return RECORD_SIZE;
  if (!bound || bound >= 2 * REGION_SIZE)
    return REGION_SIZE;
  if (!cache_options ()->trace_threshold)
    return kind == REGION_BLOCKS ? PAGE_UP (bound) : 0;
  return PAGE_DOWN (kind == REGION_BLOCKS ? bound - bound / 3 : bound / 3);
}

/* See region.h.  */
size_t
region_capacity (enum region_kind kind)
{
  size_t size = region_size (kind);
  return size > ARCH_LOOKUP_CODE_MAX ? size - ARCH_LOOKUP_CODE_MAX : 0;
}

/* A region more of SIZE bytes keeps the cache within its bound.  */
static bool
within_bound (enum region_kind kind, size_t size)
{
  size_t bound = cache_options ()->size, total = size;

  if (!bound || kind == REGION_RECORD)
    return true;
  for (unsigned i = 0; i < n_regions; i++)
    if (regions[i].kind != REGION_RECORD)
      total += regions[i].size;
  return total <= PAGE_UP (bound);
}

static struct region *
create (app_pc near, enum region_kind kind)
{
  struct region *r = regions + n_regions;
  uint8_t *rw;

  if (n_regions == REGION_MAX)
    return 0;
  r->kind = kind;
  r->size = region_size (kind);
  if (!within_bound (kind, r->size)
      || !memory_calls ()->map_code (near, r->size, &r->start, &rw))
    return 0;
  r->delta = r->start - rw;
  region_empty (r);
  __atomic_store_n (&n_regions, n_regions + 1, __ATOMIC_RELEASE);
  return r;
}

/* See region.h.  */
struct region *
region_reserve (app_pc pc, enum region_kind kind, size_t code, unsigned units)
{
  struct region *r, *any = 0;

  for (unsigned i = n_regions; i-- > 0;)
    if (regions[i].kind == kind
        && region_has_room (regions + i, code, units))
      {
        if (!cache_options ()->near || kind == REGION_RECORD
            || reaches (regions + i, pc))
          return regions + i;
        any = regions + i;
      }
  r = create (cache_options ()->near ? pc : 0, kind);
  return r ? r : any;
}

/* See region.h.  */
cache_pc
region_unit (struct region *r, uint8_t **writable)
{
  r->units -= ARCH_UNIT_SIZE;
  vm_assert (r->units >= r->code);
  *writable = region_writable (r, r->start + r->units);
  return r->start + r->units;
}

/* See region.h.  */
void
region_begin (struct region *r, struct emit *e)
{
  e->at = region_writable (r, r->start + r->code);
  e->delta = r->delta;
}

static void
report_written (struct region *r, size_t from, size_t to)
{
  memory_calls ()->written (region_writable (r, r->start + from), to - from);
}

/* Have the pages made that will be written next, both ways.  */
static void
look_ahead (struct region *r)
{
  uint8_t *rw = region_writable (r, r->start);

  if (r->code >= r->code_soon && r->code_soon + SOON_STEP <= r->units)
    {
      memory_calls ()->soon (rw + r->code_soon, SOON_STEP);
      r->code_soon += SOON_STEP;
    }
  if (r->units <= r->units_soon && r->units_soon >= r->code + SOON_STEP)
    {
      r->units_soon -= SOON_STEP;
      memory_calls ()->soon (rw + r->units_soon, SOON_STEP);
    }
}

/* See region.h.  */
void
region_commit (struct region *r, const struct emit *e)
{
  r->code = (size_t) (emit_pc (e) - r->start);
  vm_assert (r->code <= r->units);
  look_ahead (r);
  if (r->code >= r->code_written + WRITTEN_STEP)
    {
      report_written (r, r->code_written, PAGE_DOWN (r->code));
      r->code_written = PAGE_DOWN (r->code);
    }
  if (r->units + WRITTEN_STEP <= r->units_written)
    {
      report_written (r, PAGE_UP (r->units), r->units_written);
      r->units_written = PAGE_UP (r->units);
    }
}

static struct region_entry *
entry (const struct region *r, uint32_t n)
{
  return r->chunk[n / REGION_CHUNK] + n % REGION_CHUNK;
}

/* See region.h.  */
void
region_index (struct region *r, cache_pc at, struct fragment *f,
              enum region_piece piece)
{
  struct region_entry **c = r->chunk + r->n_entries / REGION_CHUNK;

  if (!*c)
    *c = memory_calls ()->map_data (REGION_CHUNK * sizeof **c);
  vm_assert (*c);
  *entry (r, r->n_entries)
      = (struct region_entry){ region_offset (r, at),
                               memory_number (f) | piece };
  __atomic_store_n (&r->n_entries, r->n_entries + 1, __ATOMIC_RELEASE);
}

/* See region.h.  */
const struct region *
region_number (unsigned n)
{
  return n < n_regions ? regions + n : 0;
}

/* See region.h.  */
const struct region_entry *
region_entry (const struct region *r, uint32_t n)
{
  return n < r->n_entries ? entry (r, n) : 0;
}

/* See region.h.  */
const struct region_entry *
region_lookup (const struct region *r, cache_pc pc)
{
  uint32_t low = 0, at = region_offset (r, pc);
  uint32_t high = __atomic_load_n (&r->n_entries, __ATOMIC_ACQUIRE);

  /* Entries below LOW begin at or before PC, those from HIGH on behind it.  */
  while (low < high)
    {
      uint32_t middle = low + (high - low) / 2;
      if (entry (r, middle)->at <= at)
        low = middle + 1;
      else
        high = middle;
    }
  return low ? entry (r, low - 1) : 0;
}

/* See region.h.  */
size_t
region_bytes_used (void)
{
  size_t sum = 0;
  for (unsigned i = 0; i < n_regions; i++)
    sum += regions[i].code + regions[i].size - regions[i].units;
  return sum;
}

/* See region.h.  */
void
region_reset (void)
{
  for (unsigned i = 0; i < n_regions; i++)
    region_empty (regions + i);
}

/* See region.h.  */
bool
region_after_fork (void)
{
  for (unsigned i = 0; i < n_regions; i++)
    {
      struct region *r = regions + i;
      if (!memory_calls ()->unshare_code (
              r->start, region_writable (r, r->start), r->size, r->code,
              r->units))
        return false;
    }
  return true;
}
