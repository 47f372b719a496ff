/* Links: branches that go from fragment to fragment without leaving the
   cache.  See invariant 2 of fragment.h.  */

#ifndef CACHE_LINK_H
#define CACHE_LINK_H

#include "cache/region.h"

/* Bit in the number of an exit: it is linked, but a trace ought to begin at
   its target.  Numbers of exits are multiples of 8.  */
#define LINK_HOT 1

/* Let the branch of E go to TO.  A fragment out of reach is reached through a
   unit; if there is no room for one the exit stays as it is.  Where a trace
   may begin at TO the way is counted.  */
void link_make (struct exit *e, struct fragment *to);

/* Let the branch of E leave the cache again.  */
void link_break (struct exit *e);

/* Break every link to F and from it.  */
void link_break_all (struct fragment *f);

#endif
