/* See code-memory.h.

   Where a region goes: first below what it serves, as an executable's heap
   grows upwards from it and the kernel places mappings downwards from the
   highest gap; then above.  */

#include "engine/code-memory.h"
#include "common/log.h"
#include "engine/areas.h"
#include "engine/code-change.h"
#include "engine/heap.h"
#include "engine/stop.h"
#include "linux/raw.h"

#define MAX_MAPPINGS 64
#define STEP (128ul << 20)
#define FARTHEST (1536ul << 20)
#define LOWEST 0x10000ul
/* Processors tell branches apart by the low bits of their addresses: Intel's
   Sapphire Rapids by 23, as measured.  Where hot code of two regions is the
   same in these, each evicts the other's predictions.  So regions begin at
   different places modulo that, spread by the golden ratio.  */
#define ALIAS (8ul << 20)
#define SPREAD 0x4f1000ul

static struct mapping { uint64_t start, end; } mappings[MAX_MAPPINGS];
static unsigned n_mappings;

/* See code-memory.h.  */
bool
code_memory_overlaps (uint64_t start, uint64_t end)
{
  unsigned n = __atomic_load_n (&n_mappings, __ATOMIC_ACQUIRE);

  for (unsigned i = 0; i < n; i++)
    if (mappings[i].start < end && start < mappings[i].end)
      return true;
  return false;
}

/* SIZE bytes of memory that mappings can share; at ADDR, which is free, or
   anywhere if that is 0.  Not a memfd: that would want a descriptor, and
   RLIMIT_FSIZE to allow it.  */
static long
map_shared (uint64_t addr, size_t size)
{
  return raw6 (__NR_mmap, addr, size, RAW_PROT_READ | RAW_PROT_WRITE,
               RAW_MAP_SHARED | RAW_MAP_ANONYMOUS | RAW_MAP_NORESERVE
                 | (addr ? RAW_MAP_FIXED_NOREPLACE : 0),
               -1ul, 0);
}

/* Make X, which is the engine's or free, a second view of the SIZE bytes at W,
   for execution: mremap of a shared mapping's zero bytes duplicates it.  */
static bool
view (uint64_t x, uint64_t w, size_t size)
{
  long r = raw6 (__NR_mremap, w, 0, size,
                 RAW_MREMAP_MAYMOVE | RAW_MREMAP_FIXED, x, 0);

  return (uint64_t) r == x
         && raw3 (__NR_mprotect, x, size, RAW_PROT_READ | RAW_PROT_EXEC) == 0;
}

/* The same, if X is free.  */
static bool
view_if_free (uint64_t x, uint64_t w, size_t size)
{
  long r;

  if (x < LOWEST || x + size >= 1ul << 47)
    return false;
  r = raw6 (__NR_mmap, x, size, 0,
            RAW_MAP_PRIVATE | RAW_MAP_ANONYMOUS | RAW_MAP_NORESERVE
              | RAW_MAP_FIXED_NOREPLACE,
            -1ul, 0);
  if ((uint64_t) r == x && view (x, w, size))
    return true;
  if (!RAW_FAILED (r))
    raw3 (__NR_munmap, (uint64_t) r, size, 0);
  return false;
}

/* Where the next region is to begin, but for a multiple of ALIAS; near
   NEAR.  */
static uint64_t
place_wanted (app_pc near)
{
  return (near & -ALIAS) + (n_mappings * SPREAD & (ALIAS - 1));
}

/* The first place near NEAR that is free.  */
static uint64_t
place_near (app_pc near, uint64_t w, size_t size)
{
  uint64_t base = place_wanted (near);

  for (uint64_t d = 8 * STEP; d <= FARTHEST; d += STEP)
    if (d < base && view_if_free (base - d, w, size))
      return base - d;
  for (uint64_t d = FARTHEST; d >= 2 * STEP; d -= STEP)
    if (view_if_free (base + d, w, size))
      return base + d;
  for (uint64_t d = 8 * STEP; d >= STEP; d -= STEP)
    if (d < base && view_if_free (base - d, w, size))
      return base - d;
  return 0;
}

static uint64_t
place_in_core (uint64_t w, size_t size)
{
  uint64_t addr = core_reserve (size, PAGE_SIZE);
  return addr && view_if_free (addr, w, size) ? addr : 0;
}

static bool
map_code (app_pc near, size_t size, cache_pc *rx, uint8_t **rw)
{
  uint64_t w = n_mappings < MAX_MAPPINGS ? core_reserve (size, PAGE_SIZE) : 0;
  uint64_t x;

  if (!w || (uint64_t) map_shared (w, size) != w)
    return false;
  x = near ? place_near (near, w, size) : 0;
  if (!x)
    x = place_in_core (w, size);
  if (!x)
    {
      raw3 (__NR_munmap, w, size, 0);
      return false;
    }
  mappings[n_mappings] = (struct mapping){ x, x + size };
  __atomic_store_n (&n_mappings, n_mappings + 1, __ATOMIC_RELEASE);
  stop_hide (x, x + size);
  LOG (MEMORY, "code memory at %lx, written at %lx, for %lx", x, w,
            near);
  *rx = (cache_pc) x;
  *rw = (uint8_t *) w;
  return true;
}

/* Copy [FROM, END) of the view at W to the memory at T, with both present at
   once: not every kernel knows how to, and then they come page by page.  */
static void
copy_part (uint64_t t, uint64_t w, size_t from, size_t end)
{
  size_t first = PAGE_DOWN (from), size = PAGE_UP (end) - first;

  if (from == end)
    return;
  raw3 (__NR_madvise, t + first, size, RAW_MADV_POPULATE_WRITE);
  raw3 (__NR_madvise, w + first, size, RAW_MADV_POPULATE_READ);
  __builtin_memcpy ((void *) (t + from), (void *) (w + from), end - from);
}

/* The view for execution goes first, so that no more address space is wanted
   than there was; then the new memory, filled, takes the place of the old in
   the view for writing.  */
static bool
unshare_code (cache_pc rx, uint8_t *rw, size_t size, size_t low, size_t high)
{
  uint64_t w = RAW_PTR (rw);
  long t;

  raw3 (__NR_munmap, RAW_PTR (rx), size, 0);
  t = map_shared (0, size);
  if (RAW_FAILED (t))
    return false;
  copy_part ((uint64_t) t, w, 0, low);
  copy_part ((uint64_t) t, w, high, size);
  return raw6 (__NR_mremap, (uint64_t) t, size, size,
               RAW_MREMAP_MAYMOVE | RAW_MREMAP_FIXED, w, 0)
           == (long) w
         && view (RAW_PTR (rx), w, size);
}

/* The pages leave the view until they are touched again; the other keeps
   them.  */
static void
written (uint8_t *rw, size_t size)
{
  raw3 (__NR_madvise, RAW_PTR (rw), size, RAW_MADV_DONTNEED);
}

/* Not every kernel knows how to; the pages then come one by one.  */
static void
soon (void *p, size_t size)
{
  raw3 (__NR_madvise, RAW_PTR (p), size, RAW_MADV_POPULATE_WRITE);
}

static void *
map_data (size_t size)
{
  return heap_pages (size, false, HEAP_CACHE);
}

static bool
extent (app_pc pc, struct memory_extent *x)
{
  struct area a;

  if (!area_executable (pc, &a))
    return false;
  code_change_prepare (pc, &a, x);
  return true;
}

/* See code-memory.h.  */
const struct memory_calls code_memory_calls = {
  .map_code = map_code,
  .unshare_code = unshare_code,
  .written = written,
  .soon = soon,
  .map_data = map_data,
  .extent = extent,
};
