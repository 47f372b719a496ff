/* The engine's memory.  See heap.h.

   The core region's addresses are given out upwards and never again; memory
   below 32 KiB comes from chunks by size class, each class with a free list
   through the first word of its blocks.  Larger blocks are mappings of their
   own.

   Invariants, under heap_lock:
   1. [chunk, chunk_end) is mapped, zero and given to nobody.
   2. A block on free_lists[C] has class_size (C) bytes.  */

#include "engine/heap.h"
#include "common/assert.h"
#include "common/string.h"
#include "engine/lock.h"
#include "linux/raw.h"

#define CHUNK_SIZE (1024 * 1024ul)
#define CORE_SIZE (1ul << 36)
#define N_FINE 16               /* classes of 16, 32 … 256 bytes */
#define N_CLASSES (N_FINE + 7)  /* and of 512 bytes to 32 KiB */
#define CLASS_MAX (32 * 1024ul)

uint64_t core_start, core_end;

static struct lock heap_lock = LOCK_INIT (LOCK_RANK_HEAP);
static uint64_t core_next;      /* first address never given out */
static uint64_t core_far;       /* from here on what is large */
static char *chunk, *chunk_end;
static void *free_lists[N_CLASSES];
static size_t account_bytes[HEAP_N_ACCOUNTS];

static const char account_names[][12] = {
#define HEAP_ACCOUNT(NAME) #NAME,
#include "engine/heap-accounts.def"
#undef HEAP_ACCOUNT
};

/* See heap.h.  */

void
heap_init (uint64_t start, uint64_t end, uint64_t limit)
{
  core_start = PAGE_DOWN (start);
  core_next = PAGE_UP (end);
  core_far = core_end = MIN (core_start + CORE_SIZE, PAGE_DOWN (limit));
}

/* See heap.h.  */

bool
core_overlaps (uint64_t start, uint64_t end)
{
  return start < core_end && end > core_start;
}

/* See heap.h.  */

const char *
heap_account_name (enum heap_account account)
{
  return account_names[account];
}

/* See heap.h.  */

size_t
heap_account_bytes (enum heap_account account)
{
  return __atomic_load_n (&account_bytes[account], __ATOMIC_RELAXED);
}

static void
charge (enum heap_account account, size_t size)
{
  __atomic_add_fetch (&account_bytes[account], size, __ATOMIC_RELAXED);
}

static uint64_t
reserve (size_t size, size_t align)
{
  uint64_t at = ALIGN_UP (core_next, align);
  if (size > core_far - at || at < core_next)
    return 0;
  core_next = at + PAGE_UP (size);
  return at;
}

/* See heap.h.  */

uint64_t
core_reserve (size_t size, size_t align)
{
  lock_acquire (&heap_lock);
  uint64_t at = reserve (size, align);
  lock_release (&heap_lock);
  return at;
}

/* See heap.h.  */

void *
core_map_far (size_t size)
{
  uint64_t at = 0;
  size = PAGE_UP (size);
  lock_acquire (&heap_lock);
  if (size < (core_far - core_next) / 2)
    at = core_far -= size;
  lock_release (&heap_lock);
  if (!at)
    return NULL;
  long r = raw6 (__NR_mmap, at, size, RAW_PROT_READ | RAW_PROT_WRITE,
                 RAW_MAP_PRIVATE | RAW_MAP_ANONYMOUS
                   | RAW_MAP_FIXED_NOREPLACE | RAW_MAP_NORESERVE,
                 -1, 0);
  return (uint64_t) r == at ? (void *) at : NULL;
}

/* SIZE bytes (whole pages) of the core region, mapped and zero.  Where
   something stands that is not ours, the place is left out.  */

static void *
map (size_t size)
{
  for (;;)
    {
      uint64_t at = reserve (size, PAGE_SIZE);
      if (!at)
        return NULL;
      long r = raw6 (__NR_mmap, at, size, RAW_PROT_READ | RAW_PROT_WRITE,
                     RAW_MAP_PRIVATE | RAW_MAP_ANONYMOUS
                       | RAW_MAP_FIXED_NOREPLACE | RAW_MAP_NORESERVE,
                     -1, 0);
      if ((uint64_t) r == at)
        return (void *) at;
      if (!RAW_FAILED (r))
        raw3 (__NR_munmap, r, size, 0);
      else if (r != -RAW_EEXIST)
        return NULL;
    }
}

static unsigned
class_of (size_t size)
{
  if (size <= N_FINE * 16)
    return size ? (size - 1) / 16 : 0;
  return N_FINE + 63 - __builtin_clzl ((size - 1) >> 8);
}

static size_t
class_size (unsigned class)
{
  return class < N_FINE ? (class + 1) * 16ul : 512ul << (class - N_FINE);
}

/* SIZE bytes, a class's, never used before.  What is left of the chunk before
   is dropped: at most 32 KiB of a mebibyte.  */

static void *
carve (size_t size)
{
  if ((size_t) (chunk_end - chunk) < size)
    {
      char *p = map (CHUNK_SIZE);
      if (!p)
        return NULL;
      chunk = p;
      chunk_end = p + CHUNK_SIZE;
    }
  void *p = chunk;
  chunk += size;
  return p;
}

static void *
alloc_class (unsigned class)
{
  void **p = free_lists[class];
  if (!p)
    return carve (class_size (class));
  free_lists[class] = *p;
  memset (p, 0, class_size (class));
  return p;
}

/* See heap.h.  */

void *
heap_alloc (size_t size, enum heap_account account)
{
  if (size > CLASS_MAX)
    return heap_pages (size, false, account);
  lock_acquire (&heap_lock);
  void *p = alloc_class (class_of (size));
  lock_release (&heap_lock);
  if (p)
    charge (account, size);
  return p;
}

/* See heap.h.  */

void
heap_free (void *p, size_t size, enum heap_account account)
{
  if (size > CLASS_MAX)
    {
      heap_pages_free (p, size, false, account);
      return;
    }
  unsigned class = class_of (size);
  lock_acquire (&heap_lock);
  *(void **) p = free_lists[class];
  free_lists[class] = p;
  lock_release (&heap_lock);
  charge (account, -size);
}

/* See heap.h.  */

void *
heap_resize (void *p, size_t size, size_t new_size, enum heap_account account)
{
  void *q = heap_alloc (new_size, account);
  if (q && p)
    {
      memcpy (q, p, MIN (size, new_size));
      heap_free (p, size, account);
    }
  return q;
}

/* See heap.h.  A guard that is no mapping of its own (Linux 6.13, madvise (2))
   lets neighbours be one: a program with thousands of threads has few mappings
   more, each of which costs at fork and exit, and counts for
   vm.max_map_count.  */

void
heap_guard (void *page)
{
  enum { MADV_GUARD_INSTALL_ = 102 };
  if (raw3 (__NR_madvise, RAW_PTR (page), PAGE_SIZE, MADV_GUARD_INSTALL_) < 0)
    raw3 (__NR_mprotect, RAW_PTR (page), PAGE_SIZE, 0);
}

/* See heap.h.  */

void *
heap_pages (size_t size, bool guard, enum heap_account account)
{
  size = PAGE_UP (size) + (guard ? 2 * PAGE_SIZE : 0);
  lock_acquire (&heap_lock);
  char *p = map (size);
  lock_release (&heap_lock);
  if (!p)
    return NULL;
  charge (account, size);
  if (!guard)
    return p;
  heap_guard (p);
  heap_guard (p + size - PAGE_SIZE);
  return p + PAGE_SIZE;
}

/* See heap.h.  */

void
heap_pages_free (void *p, size_t size, bool guard, enum heap_account account)
{
  size = PAGE_UP (size) + (guard ? 2 * PAGE_SIZE : 0);
  raw3 (__NR_munmap, RAW_PTR (p) - (guard ? PAGE_SIZE : 0), size, 0);
  charge (account, -size);
}

struct arena_chunk
{
  struct arena_chunk *next;
  size_t size;
};

static bool
arena_grow (struct arena *a, size_t size)
{
  size = MAX (ALIGN_UP (size + sizeof (struct arena_chunk), PAGE_SIZE),
              CLASS_MAX);
  struct arena_chunk *c = heap_alloc (size, a->account);
  if (!c)
    return false;
  *c = (struct arena_chunk) { .next = a->chunks, .size = size };
  a->chunks = c;
  a->at = (char *) (c + 1);
  a->end = (char *) c + size;
  return true;
}

/* See heap.h.  */

void *
arena_alloc (struct arena *a, size_t size, size_t align)
{
  char *p = (char *) ALIGN_UP ((uintptr_t) a->at, align);
  if (!a->at || p > a->end || (size_t) (a->end - p) < size)
    {
      if (!arena_grow (a, size + align))
        return NULL;
      p = (char *) ALIGN_UP ((uintptr_t) a->at, align);
    }
  a->at = p + size;
  return p;
}

/* See heap.h.  */

void
arena_free (struct arena *a)
{
  while (a->chunks)
    {
      struct arena_chunk *c = a->chunks;
      a->chunks = c->next;
      heap_free (c, c->size, a->account);
    }
  a->at = a->end = NULL;
}

/* See heap.h.  */

void
heap_before_fork (void)
{
  lock_acquire (&heap_lock);
}

/* See heap.h.  */

void
heap_after_fork (void)
{
  lock_release (&heap_lock);
}
