/* The file of a program to be run: finding it, and saying beforehand why it
   cannot be run.  */

#ifndef HOST_PROGRAM_H
#define HOST_PROGRAM_H

#include <limits.h>

#include "common/types.h"

enum program_verdict
{
  PROGRAM_OK,
  PROGRAM_MISSING,              /* there is no such file */
  PROGRAM_UNFIT                 /* there is, and it cannot be run */
};

struct program
{
  char path[PATH_MAX];          /* what to give to execve */
  char why[PATH_MAX + 160];     /* a sentence, when the verdict is not OK */
};

/* Find NAME, in PATH of the environment if there is no slash in it, and look
   whether the engine can run it.  */
MUST_USE enum program_verdict program_find (struct program *p,
                                            const char *name);

#endif
