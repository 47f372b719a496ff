/* Text for people that grows in a buffer: answers to the questions of
   channel/channel.h.

   The buffer is the caller's and may be shared memory that others write to:
   nothing is read back from it.  What does not fit is dropped, line by line,
   and noted.  Freestanding; no locks.  */

#ifndef COMMON_REPORT_H
#define COMMON_REPORT_H

#include "common/types.h"

struct report
{
  char *text;
  size_t size;                  /* of TEXT */
  size_t used;                  /* no zero is written behind it */
  bool cut;                     /* a line had no room */
};

/* Add what FMT says (common/format.h), a whole number of lines, 400 bytes at
   most.  */
void report_add (struct report *r, const char *fmt, ...) PRINTF_LIKE (2, 3);

/* A line with NAME and VALUE, in two columns.  */
void report_value (struct report *r, const char *name, uint64_t value);

#endif
