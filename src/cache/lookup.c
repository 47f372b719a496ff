/* See lookup.h.  */

#include "cache/lookup.h"
#include "arch/enter.h"
#include "arch/lookup.h"
#include "cache/memory.h"
#include "common/assert.h"

/* Fragments with one index in the table have one in the hash.  */
#define HASH_SIZE ARCH_TABLE_SIZE

static struct lookup
{
  cache_pc *table;              /* ARCH_TABLE_SIZE entries */
  uint32_t *heads;              /* fragments */
} lookups[N_FLAVOURS];

static uint32_t *
head (const struct lookup *l, app_pc pc)
{
  return l->heads + arch_table_index (pc);
}

static void
clear (struct lookup *l)
{
  cache_pc miss = flavour_holds ((enum flavour) (l - lookups))
                      ? arch_lookup_miss_held : arch_lookup_miss;

  for (unsigned i = 0; i < ARCH_TABLE_SIZE; i++)
    l->table[i] = miss;
}

/* See lookup.h.  */
bool
lookup_prepare (enum flavour flavour)
{
  struct lookup *l = lookups + flavour;

  if (l->table)
    return true;
  cache_pc *t = memory_calls ()->map_data (ARCH_TABLE_SIZE * sizeof *t);
  l->heads = memory_calls ()->map_data (HASH_SIZE * sizeof *l->heads);
  if (!t || !l->heads)
    return false;
  l->table = t;
  clear (l);
  return true;
}

/* See lookup.h.  */
cache_pc *
lookup_table (enum flavour flavour)
{
  return lookups[flavour].table;
}

/* See lookup.h.  */
struct fragment *
lookup_find (app_pc pc, enum flavour flavour)
{
  struct fragment *f = fragment_of (*head (lookups + flavour, pc));

  while (f && f->pc != pc)
    f = fragment_of (f->hash_next);
  return f;
}

/* See lookup.h.  */
void
lookup_insert (struct fragment *f)
{
  uint32_t *h = head (lookups + f->flavour, f->pc);

  f->hash_next = *h;
  *h = memory_number (f);
}

static cache_pc
prefix (const struct fragment *f)
{
  return region_find ((uint64_t) f->entry)->start + f->prefix;
}

/* The slot of F's prefix, writable.  */
static uint64_t *
slot (const struct fragment *f)
{
  const struct region *r = region_find ((uint64_t) f->entry);
  return (uint64_t *) region_writable (r, r->start + f->next_prefix);
}

/* See lookup.h.  */
void
lookup_publish (struct fragment *f)
{
  cache_pc *t = lookups[f->flavour].table + arch_table_index (f->pc);

  *slot (f) = (uint64_t) *t;
  __atomic_store_n (t, prefix (f), __ATOMIC_RELEASE);
}

/* The place that leads to F's prefix: the table, or the slot of the prefix
   before it, whose fragment is under the same head.  */
static uint64_t *
way_to (const struct lookup *l, const struct fragment *f)
{
  uint64_t *way = (uint64_t *) l->table + arch_table_index (f->pc);
  uint64_t wanted = (uint64_t) prefix (f);

  for (const struct fragment *o = fragment_of (*head (l, f->pc));
       *way != wanted; o = fragment_of (o->hash_next))
    {
      vm_assert (o);
      if (o->prefix && *slot (o) == wanted)
        way = slot (o);
    }
  return way;
}

/* See lookup.h.  */
void
lookup_remove (struct fragment *f)
{
  struct lookup *l = lookups + f->flavour;
  uint32_t *p = head (l, f->pc);

  if (f->prefix)
    __atomic_store_n (way_to (l, f), *slot (f), __ATOMIC_RELEASE);
  while (*p != memory_number (f))
    p = &fragment_of (*p)->hash_next;
  *p = f->hash_next;
}

/* See lookup.h.  */
void
lookup_reset (void)
{
  for (unsigned i = 0; i < N_FLAVOURS; i++)
    if (lookups[i].table)
      {
        clear (lookups + i);
        __builtin_memset (lookups[i].heads, 0,
                          HASH_SIZE * sizeof *lookups[i].heads);
      }
}
