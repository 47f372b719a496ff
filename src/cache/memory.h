/* Memory for the cache: up-calls that the engine supplies, as this room knows
   no kernel, and an arena for what is known of fragments.  */

#ifndef CACHE_MEMORY_H
#define CACHE_MEMORY_H

#include "common/types.h"

/* Code that can be read from an address on.  */
struct memory_extent
{
  app_pc end;           /* the first byte that cannot be read or executed */
  bool verify;          /* it may change unseen: compare before each run */
};

struct memory_calls
{
  /* SIZE bytes for code, within 1.5 GiB of NEAR if possible and NEAR is not
     0: *RX is the executable view, *RW the writable one.  */
  bool (*map_code) (app_pc near, size_t size, cache_pc *rx, uint8_t **rw);

  /* Give both views at RX and RW memory that no other process shares.  Of its
     SIZE bytes those below LOW and those from HIGH on keep their content.  */
  bool (*unshare_code) (cache_pc rx, uint8_t *rw, size_t size, size_t low,
                        size_t high);

  /* [RW, RW + SIZE) of a writable view has been written and will hardly be
     again: its pages need not count as this process's memory twice.  */
  void (*written) (uint8_t *rw, size_t size);

  /* [P, P + SIZE), from map_data or of a writable view, will be written soon:
     its pages may all be made present at once.  */
  void (*soon) (void *p, size_t size);

  /* SIZE bytes, zero, each result within 4 GiB above the first one.  */
  void *(*map_data) (size_t size);

  /* What may be executed from PC on; false if nothing.  Called before a block
     is built from there, so that the engine can protect what it must.  */
  bool (*extent) (app_pc pc, struct memory_extent *x);
};

void memory_init (const struct memory_calls *calls);
const struct memory_calls *memory_calls (void);

/* SIZE bytes, zeroed, aligned to 16, from the arena; 0 if there are none.  */
void *memory_alloc (size_t size);

/* [P, P + SIZE), from map_data, is the arena's from now on.  */
void memory_give (void *p, size_t size);

/* A number of 32 bits for P, which came from memory_alloc, and back.  */
uint32_t memory_number (const void *p);
void *memory_pointer (uint32_t number);

/* Bytes in use.  */
size_t memory_bytes_used (void);

/* Free all at once.  */
void memory_reset (void);

#endif
