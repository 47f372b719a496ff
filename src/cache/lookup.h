/* From an application PC to its fragment: a hash for the engine, which grows,
   and beside it the table that emitted code jumps through (arch/lookup.h).
   One pair a flavour.

   A table entry is the prefix of the first fragment of its chain, or
   arch_lookup_miss.  Only fragments that were once looked for by an indirect
   branch have a prefix.  */

#ifndef CACHE_LOOKUP_H
#define CACHE_LOOKUP_H

#include "cache/region.h"

/* Make the tables of FLAVOUR if need be, with room for one fragment more;
   false if there is no memory.  */
bool lookup_prepare (enum flavour flavour);
cache_pc *lookup_table (enum flavour flavour);

struct fragment *lookup_find (app_pc pc, enum flavour flavour);
void lookup_insert (struct fragment *f);
void lookup_remove (struct fragment *f);

/* Let lookups in emitted code find F, which has a prefix.  */
void lookup_publish (struct fragment *f);

/* Empty all tables.  */
void lookup_reset (void);

#endif
