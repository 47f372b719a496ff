/* Assertions.  See assert.h.  */

#include "common/assert.h"

void (*bug_handler) (const char *what, const char *file, int line);

/* See assert.h.  */

void
vm_bug (const char *what, const char *file, int line)
{
  if (bug_handler)
    bug_handler (what, file, line);
  __builtin_trap ();
}
