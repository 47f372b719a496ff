/* Which fragments were translated from a page of the application.  */

#ifndef CACHE_PAGES_H
#define CACHE_PAGES_H

#include "cache/fragment.h"

/* Enter F under each page that its application code touches; false when out
   of memory, and nothing is entered.  */
bool pages_insert (struct fragment *f);
void pages_remove (struct fragment *f);

/* A fragment from a page that [*START, END) touches whose own code overlaps
   the range; 0 if there is none.  *START moves on to the first page that may
   have one.  */
struct fragment *pages_find (app_addr *start, app_addr end);

bool pages_has (app_addr page);
void pages_reset (void);

#endif
