/* The cache as text, for people: what monitor map, disassemble and info say.

   The cache lock is held by the callers of all of this.  It walks over
   everything, and is slow.  */

#ifndef CACHE_INSPECT_H
#define CACHE_INSPECT_H

#include "common/report.h"
#include "common/types.h"

/* Fragments by flavour and state, and the regions of code memory.  */
void inspect_summary (struct report *r);

/* ADDRESS, if it is in the cache, to the application's PC there; else all
   places in the cache where the instruction at ADDRESS is executed.  */
void inspect_map (struct report *r, uint64_t address);

/* All live fragments that execute the instruction at PC, each as

     fragment block|trace FLAVOUR PC ENTRY APP-SIZE SIZE N-LINKED-TO-IT
     insn CACHE-PC APP-PC BYTES
     exit KIND TARGET UNIT FRAGMENT

   with numbers in hexadecimal.  APP-PC is 0 where the PC is in a register;
   FRAGMENT is where an exit's link goes to, 0: it has none.  */
void inspect_code (struct report *r, app_pc pc);

/* All live traces, each with the PCs of its blocks.  */
void inspect_traces (struct report *r, uint64_t unused);

#endif
