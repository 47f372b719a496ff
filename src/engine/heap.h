/* Memory of the engine's own, by lifetime.

   All of it lies in the core region, [core_start, core_end), above the engine
   image, mapped in chunks by MAP_FIXED_NOREPLACE as it grows.  Where a chunk
   finds its place taken, the place is left out.

   heap   sizes given back on free; size classes, whole pages above 32 KiB
   arena  freed as a whole

   Each call names an account; heap_account tells what each holds, and the
   sums at exit are zero but for what lives as long as the process.

   One lock (LOCK_RANK_HEAP).  Not for signal context.  Memory comes zeroed
   from heap_alloc, heap_pages and arena_alloc.  When the kernel refuses
   memory these return null.  */

#ifndef ENGINE_HEAP_H
#define ENGINE_HEAP_H

#include "common/types.h"

enum heap_account
{
#define HEAP_ACCOUNT(NAME) HEAP_##NAME,
#include "engine/heap-accounts.def"
#undef HEAP_ACCOUNT
  HEAP_N_ACCOUNTS
};

/* Begin: [START, END) holds the image and what the server put behind it; all
   that follows is the heap's, to LIMIT at most.  */
void heap_init (uint64_t start, uint64_t end, uint64_t limit);

void *heap_alloc (size_t size, enum heap_account account) MUST_USE;
void heap_free (void *p, size_t size, enum heap_account account);

/* P of SIZE bytes, or null, becomes NEW_SIZE bytes; null leaves P alone.  */
void *heap_resize (void *p, size_t size, size_t new_size,
                   enum heap_account account) MUST_USE;

/* The page at PAGE, of heap_pages, is not to be accessed from now on.  */
void heap_guard (void *page);

/* SIZE bytes of whole pages (rounded up), readable and writable, aligned to a
   page and, with GUARD, between two pages without access.  */
void *heap_pages (size_t size, bool guard, enum heap_account account) MUST_USE;
void heap_pages_free (void *p, size_t size, bool guard,
                      enum heap_account account);

/* Reserve SIZE bytes of the core region's addresses, aligned to ALIGN (a
   power of two, at least a page): nothing is mapped, and no one else gets
   them.  0 when the region is full.  Never given back.  */
uint64_t core_reserve (size_t size, size_t align) MUST_USE;

/* Map SIZE bytes, gigabytes of which few will be used, at the far end of the
   region, so that all the rest stays close together.  Null: there is no room,
   or the kernel refuses.  Never given back.  */
void *core_map_far (size_t size) MUST_USE;

/* [START, END) touches the core region (whose bounds are fixed).  */
bool core_overlaps (uint64_t start, uint64_t end);
extern uint64_t core_start, core_end;

/* Bytes that ACCOUNT holds now, and its name.  */
size_t heap_account_bytes (enum heap_account account);
const char *heap_account_name (enum heap_account account);

struct arena_chunk;
struct arena
{
  struct arena_chunk *chunks;
  char *at, *end;
  enum heap_account account;
};

void *arena_alloc (struct arena *a, size_t size, size_t align) MUST_USE;
void arena_free (struct arena *a);

/* Around fork: no thread is inside the heap while one is taken.  */
void heap_before_fork (void);
void heap_after_fork (void);

#endif
