/* See lookup.h.  */

#include "cache/lookup.h"
#include "arch/enter.h"
#include "arch/lookup.h"
#include "cache/memory.h"
#include "common/assert.h"

#define FIRST_SLOTS 4096
#define LINE 8                  /* slots in a line of the processor's cache */
#define REMOVED 1               /* in place of a fragment */

struct slot
{
  uint32_t tag;                 /* low half of the PC */
  uint32_t fragment;            /* 0: never used; REMOVED */
};

static struct lookup
{
  cache_pc *table;              /* ARCH_TABLE_SIZE entries */
  struct slot *slots;
  uint32_t n_slots;             /* a power of two; 0: none yet */
  uint32_t shift;               /* of a hash, for the number of a line */
  uint32_t used, live;          /* slots; used has those that are removed */
} lookups[N_FLAVOURS];

static void
clear (struct lookup *l)
{
  cache_pc miss = flavour_holds ((enum flavour) (l - lookups))
                      ? arch_lookup_miss_held : arch_lookup_miss;

  for (unsigned i = 0; i < ARCH_TABLE_SIZE; i++)
    l->table[i] = miss;
}

/* Where the search for TAG begins: what begins within 64 bytes of the
   application's code shares a line.  */
static uint32_t
first_slot (const struct lookup *l, uint32_t tag)
{
  uint32_t line = (tag >> 6) * 0x9e3779b1u >> l->shift;

  return line * LINE + (tag >> 3) % LINE;
}

static void
insert (struct lookup *l, uint32_t tag, uint32_t fragment)
{
  uint32_t n = first_slot (l, tag);

  while (l->slots[n].fragment > REMOVED)
    n = (n + 1) & (l->n_slots - 1);
  l->used += l->slots[n].fragment == 0;
  l->live++;
  l->slots[n] = (struct slot){ tag, fragment };
}

static bool
map_slots (struct lookup *l, uint32_t n)
{
  size_t size = n * sizeof *l->slots;
  struct slot *s = memory_calls ()->map_data (size);

  if (!s)
    return false;
  memory_calls ()->soon (s, size);
  l->slots = s;
  l->n_slots = n;
  l->shift = 32 - (unsigned) __builtin_ctz (n / LINE);
  l->used = l->live = 0;
  return true;
}

/* Make room for one fragment more: slots are two thirds full at most.  */
static bool
make_room (struct lookup *l)
{
  struct lookup old = *l;

  if (l->used < l->n_slots / 3 * 2)
    return true;
  if (!map_slots (l, !l->n_slots             ? FIRST_SLOTS
                     : l->live > l->n_slots / 3 ? 2 * l->n_slots
                                                : l->n_slots))
    return false;
  for (uint32_t n = 0; n < old.n_slots; n++)
    if (old.slots[n].fragment > REMOVED)
      insert (l, old.slots[n].tag, old.slots[n].fragment);
  memory_give (old.slots, old.n_slots * sizeof *old.slots);
  return true;
}

/* See lookup.h.  */
bool
lookup_prepare (enum flavour flavour)
{
  struct lookup *l = lookups + flavour;
  size_t size = ARCH_TABLE_SIZE * sizeof *l->table;

  if (!l->table)
    {
      cache_pc *t = memory_calls ()->map_data (size);
      if (!t)
        return false;
      memory_calls ()->soon (t, size);
      l->table = t;
      clear (l);
    }
  return make_room (l);
}

/* See lookup.h.  */
cache_pc *
lookup_table (enum flavour flavour)
{
  return lookups[flavour].table;
}

/* The slot of what is at PC; 0 if there is nothing.  */
static struct slot *
find (const struct lookup *l, app_pc pc)
{
  uint32_t tag = (uint32_t) pc, n;

  if (!l->n_slots)
    return 0;
  for (n = first_slot (l, tag); l->slots[n].fragment;
       n = (n + 1) & (l->n_slots - 1))
    if (l->slots[n].tag == tag && l->slots[n].fragment > REMOVED
        && fragment_of (l->slots[n].fragment)->pc == pc)
      return l->slots + n;
  return 0;
}

/* See lookup.h.  */
struct fragment *
lookup_find (app_pc pc, enum flavour flavour)
{
  const struct slot *s = find (lookups + flavour, pc);

  return s ? fragment_of (s->fragment) : 0;
}

/* See lookup.h.  */
void
lookup_insert (struct fragment *f)
{
  insert (lookups + f->flavour, (uint32_t) f->pc, memory_number (f));
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

/* The fragment whose prefix is at PC.  */
static const struct fragment *
prefix_fragment (uint64_t pc)
{
  const struct region_entry *e
      = region_lookup (region_find (pc), (cache_pc) pc);

  return fragment_of (e->fragment & ~(uint32_t) REGION_PIECES);
}

/* The place that leads to F's prefix: the table, or the slot of the prefix
   before it.  */
static uint64_t *
way_to (const struct lookup *l, const struct fragment *f)
{
  uint64_t *way = (uint64_t *) l->table + arch_table_index (f->pc);
  uint64_t wanted = (uint64_t) prefix (f);

  while (*way != wanted)
    {
      vm_assert (*way != (uint64_t) arch_lookup_miss);
      way = slot (prefix_fragment (*way));
    }
  return way;
}

/* See lookup.h.  */
void
lookup_remove (struct fragment *f)
{
  struct lookup *l = lookups + f->flavour;

  if (f->prefix)
    __atomic_store_n (way_to (l, f), *slot (f), __ATOMIC_RELEASE);
  find (l, f->pc)->fragment = REMOVED;
  l->live--;
}

/* See lookup.h.  */
void
lookup_reset (void)
{
  for (unsigned i = 0; i < N_FLAVOURS; i++)
    if (lookups[i].table)
      {
        clear (lookups + i);
        __builtin_memset (lookups[i].slots, 0,
                          lookups[i].n_slots * sizeof *lookups[i].slots);
        lookups[i].used = lookups[i].live = 0;
      }
}
