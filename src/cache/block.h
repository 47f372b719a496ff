/* Building a block: from a PC to the first branch.

   A block whose bytes may change unseen begins with code that compares them
   with what was translated, and ends behind its first store.  */

#ifndef CACHE_BLOCK_H
#define CACHE_BLOCK_H

#include "cache/cache.h"

/* Build the block of FLAVOUR at PC and publish it.  INDIRECT: put a prefix in
   front.  As cache_fragment, but PC is known not to be in the cache.  */
enum build_status block_build (app_pc pc, enum flavour flavour, bool indirect,
                               struct fragment **result, app_pc *fault);

/* Give F, which has none, a prefix that stands alone, and let lookups find
   it.  False if there is no room.  */
bool block_add_prefix (struct fragment *f);

#endif
