/* See lookup.h.  */

#include "cache/lookup.h"
#include "arch/enter.h"
#include "arch/lookup.h"
#include "cache/memory.h"

static struct lookup
{
  cache_pc *table;              /* ARCH_TABLE_SIZE entries each */
  struct fragment **heads;
  struct fragment **chains;     /* of those with a prefix */
} lookups[N_FLAVOURS];

static void
clear (struct lookup *l)
{
  for (unsigned i = 0; i < ARCH_TABLE_SIZE; i++)
    l->table[i] = arch_lookup_miss;
}

/* See lookup.h.  */
bool
lookup_prepare (enum flavour flavour)
{
  struct lookup *l = lookups + flavour;

  if (l->table)
    return true;
  cache_pc *t = memory_calls ()->map_data (ARCH_TABLE_SIZE * sizeof *t);
  l->heads = memory_calls ()->map_data (ARCH_TABLE_SIZE * sizeof *l->heads);
  l->chains = memory_calls ()->map_data (ARCH_TABLE_SIZE * sizeof *l->chains);
  if (!t || !l->heads || !l->chains)
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
  struct fragment *f = lookups[flavour].heads[arch_table_index (pc)];

  while (f && f->pc != pc)
    f = f->hash_next;
  return f;
}

/* See lookup.h.  */
void
lookup_insert (struct fragment *f)
{
  struct fragment **head = lookups[f->flavour].heads + arch_table_index (f->pc);

  f->hash_next = *head;
  *head = f;
}

/* See lookup.h.  */
void
lookup_publish (struct fragment *f)
{
  struct lookup *l = lookups + f->flavour;
  unsigned i = arch_table_index (f->pc);

  f->chain_next = l->chains[i];
  *f->next_prefix = (uint64_t) l->table[i];
  l->chains[i] = f;
  __atomic_store_n (l->table + i, f->prefix, __ATOMIC_RELEASE);
}

/* The store that lets a thread past F in its chain: into the slot of the
   prefix before it, or into the table.  */
static void
unpublish (struct lookup *l, struct fragment *f)
{
  unsigned i = arch_table_index (f->pc);
  struct fragment **p = l->chains + i, *before = 0;

  while (*p != f)
    {
      before = *p;
      p = &before->chain_next;
    }
  *p = f->chain_next;
  if (before)
    __atomic_store_n (before->next_prefix, *f->next_prefix, __ATOMIC_RELEASE);
  else
    __atomic_store_n ((uint64_t *) l->table + i, *f->next_prefix,
                      __ATOMIC_RELEASE);
}

/* See lookup.h.  */
void
lookup_remove (struct fragment *f)
{
  struct lookup *l = lookups + f->flavour;
  struct fragment **p = l->heads + arch_table_index (f->pc);

  while (*p != f)
    p = &(*p)->hash_next;
  *p = f->hash_next;
  if (f->prefix)
    unpublish (l, f);
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
                          ARCH_TABLE_SIZE * sizeof *lookups[i].heads);
        __builtin_memset (lookups[i].chains, 0,
                          ARCH_TABLE_SIZE * sizeof *lookups[i].chains);
      }
}
