/* The list of shared libraries, read out of the dynamic linker's memory.

   struct r_debug and struct link_map are as in <link.h>; r_debug is found
   through DT_DEBUG of the program, as told by AT_PHDR in the auxiliary vector.
   All of it is the program's memory and may be nonsense: every walk is
   bounded.  */

#ifndef GDBSTUB_LIBRARIES_H
#define GDBSTUB_LIBRARIES_H

#include "gdbstub/reply.h"
#include "host/target.h"

/* Where to start, from the annex of qXfer:libraries-svr4:read.  All 0: the
   whole list.  */
struct libraries_start
{
  app_addr lmid, start, prev;
};

/* Write PID's list as XML to OUT.  Returns false when there can be none: the
   program is not linked dynamically.  */
MUST_USE bool libraries_list (struct target *t, int pid,
                              const struct libraries_start *start,
                              struct reply *out);

#endif
