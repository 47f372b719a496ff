/* Memory that grows, for a program that cannot go on without it.  */

#ifndef GDBSTUB_ALLOC_H
#define GDBSTUB_ALLOC_H

#include "common/types.h"

/* Return BLOCK, moved if need be, with room for at least WANTED bytes.  *SIZE
   is its size, 0 and BLOCK NULL at first.  When there is no memory the program
   ends with a message.  */
void *alloc_reserve (void *block, size_t *size, size_t wanted);

/* A copy of the string S, or of its first N bytes, likewise.  */
char *alloc_string (const char *s);
char *alloc_string_n (const char *s, size_t n);

/* N zeroed bytes, likewise.  */
void *alloc_zeroed (size_t n);

#endif
