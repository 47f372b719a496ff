/* The table of errors of system calls.

   Reading the table only; no state, no locks; may run in signal context, on
   both sides.  */

#ifndef LINUX_ERRORS_H
#define LINUX_ERRORS_H

#include "common/types.h"

/* Errors that the project's own code names, as LINUX_EINTR.  */
enum errors_number
{
#define ERROR(NR, NAME, MESSAGE) LINUX_##NAME = NR,
#include "linux/errors.def"
#undef ERROR
  ERRORS_MAX = 4095             /* a result above -4096 is an error */
};

/* Whether RESULT, of a system call, is an error's number negated.  */
static inline bool
errors_is (long result)
{
  return (unsigned long) result >= -(unsigned long) ERRORS_MAX;
}

/* The name of error ERROR, as `EINTR', and a sentence; null if unknown.  */
const char *errors_name (int error);
const char *errors_message (int error);

#endif
