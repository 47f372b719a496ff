/* Which fragments were translated from a page of the application.  */

#ifndef CACHE_PAGES_H
#define CACHE_PAGES_H

#include "cache/fragment.h"

/* Enter F under each page that its application code touches, until it is
   retired; false when out of memory: F must be retired then.  */
bool pages_insert (struct fragment *f);

/* A fragment from a page that [*START, END) touches whose own code overlaps
   the range; 0 if there is none.  *START moves on to the first page that may
   have one.  */
struct fragment *pages_find (app_addr *start, app_addr end);

bool pages_has (app_addr page);
void pages_reset (void);

#endif
