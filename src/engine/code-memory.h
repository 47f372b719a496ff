/* Memory for the code cache: the up-calls of cache/memory.h.

   Owns the list of cache regions' mappings.  A region is shared
   anonymous memory, mapped once to be executed, near the code that it copies,
   and once to be written to, in the core region.  */

#ifndef ENGINE_CODE_MEMORY_H
#define ENGINE_CODE_MEMORY_H

#include "cache/memory.h"

extern const struct memory_calls code_memory_calls;

/* [START, END) touches code memory outside of the core region.  No lock.  */
bool code_memory_overlaps (uint64_t start, uint64_t end);

#endif
