/* See code-memory.h.

   Where a region goes: first below what it serves, as an executable's heap
   grows upwards from it and the kernel places mappings downwards from the
   highest gap; then above.  */

#include "engine/code-memory.h"
#include "common/log.h"
#include "engine/areas.h"
#include "engine/code-change.h"
#include "engine/heap.h"
#include "linux/raw.h"

#define MAX_MAPPINGS 64
#define STEP (128ul << 20)
#define FARTHEST (1536ul << 20)
#define LOWEST 0x10000ul

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

static long
new_memfd (size_t size)
{
  long fd = raw3 (__NR_memfd_create, RAW_PTR (""), 1, 0);

  if (fd >= 0 && raw3 (__NR_ftruncate, (uint64_t) fd, size, 0) < 0)
    {
      raw3 (__NR_close, (uint64_t) fd, 0, 0);
      return -1;
    }
  return fd;
}

static bool
map_at (uint64_t addr, size_t size, int prot, int flags, int fd)
{
  long r = raw6 (__NR_mmap, addr, size, prot, RAW_MAP_SHARED | flags, fd, 0);

  if (!RAW_FAILED (r) && (uint64_t) r != addr)
    raw3 (__NR_munmap, (uint64_t) r, size, 0);
  return (uint64_t) r == addr;
}

static bool
map_executable (uint64_t addr, size_t size, int fd)
{
  return addr >= LOWEST && addr + size < 1ul << 47
         && map_at (addr, size, RAW_PROT_READ | RAW_PROT_EXEC,
                    RAW_MAP_FIXED_NOREPLACE, fd);
}

/* The first place near NEAR that is free.  */
static uint64_t
place_near (app_pc near, size_t size, int fd)
{
  uint64_t base = PAGE_DOWN (near);

  for (uint64_t d = 8 * STEP; d <= FARTHEST; d += STEP)
    if (d < base && map_executable (base - d, size, fd))
      return base - d;
  for (uint64_t d = FARTHEST; d >= 2 * STEP; d -= STEP)
    if (map_executable (base + d, size, fd))
      return base + d;
  for (uint64_t d = 8 * STEP; d >= STEP; d -= STEP)
    if (d < base && map_executable (base - d, size, fd))
      return base - d;
  return 0;
}

static uint64_t
place_in_core (size_t size, int fd)
{
  uint64_t addr = core_reserve (size, PAGE_SIZE);
  return addr && map_executable (addr, size, fd) ? addr : 0;
}

static bool
map_code (app_pc near, size_t size, cache_pc *rx, uint8_t **rw)
{
  long fd = n_mappings < MAX_MAPPINGS ? new_memfd (size) : -1;
  uint64_t w = fd >= 0 ? core_reserve (size, PAGE_SIZE) : 0;
  uint64_t x = 0;

  if (w
      && map_at (w, size, RAW_PROT_READ | RAW_PROT_WRITE,
                 RAW_MAP_FIXED_NOREPLACE, (int) fd))
    {
      x = near ? place_near (near, size, (int) fd) : 0;
      if (!x)
        x = place_in_core (size, (int) fd);
    }
  if (fd >= 0)
    raw3 (__NR_close, (uint64_t) fd, 0, 0);
  if (!x)
    return false;
  mappings[n_mappings] = (struct mapping){ x, x + size };
  __atomic_store_n (&n_mappings, n_mappings + 1, __ATOMIC_RELEASE);
  LOG (MEMORY, "code memory at %lx, written at %lx, for %lx", x, w,
            near);
  *rx = (cache_pc) x;
  *rw = (uint8_t *) w;
  return true;
}

/* The old memory is read through a temporary mapping of the new, then
   replaced: the parent goes on using it.  */
static bool
unshare_code (cache_pc rx, uint8_t *rw, size_t size, size_t low, size_t high)
{
  long fd = new_memfd (size);
  long t;
  bool ok;

  if (fd < 0)
    return false;
  t = raw6 (__NR_mmap, 0, size, RAW_PROT_READ | RAW_PROT_WRITE,
            RAW_MAP_SHARED, (uint64_t) fd, 0);
  ok = !RAW_FAILED (t);
  if (ok)
    {
      __builtin_memcpy ((void *) t, rw, low);
      __builtin_memcpy ((uint8_t *) t + high, rw + high, size - high);
      raw3 (__NR_munmap, (uint64_t) t, size, 0);
      ok = map_at ((uint64_t) rw, size, RAW_PROT_READ | RAW_PROT_WRITE,
                   RAW_MAP_FIXED, (int) fd)
           && map_at ((uint64_t) rx, size, RAW_PROT_READ | RAW_PROT_EXEC,
                      RAW_MAP_FIXED, (int) fd);
    }
  raw3 (__NR_close, (uint64_t) fd, 0, 0);
  return ok;
}

/* The pages leave the view until they are touched again; the memfd keeps
   them.  */
static void
written (uint8_t *rw, size_t size)
{
  raw3 (__NR_madvise, RAW_PTR (rw), size, RAW_MADV_DONTNEED);
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
  .map_data = map_data,
  .extent = extent,
};
