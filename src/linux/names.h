/* Names of the numbers in arguments of system calls: sets of flags, and
   enumerations.

   Reading the table only; no state, no locks; may run in signal context, on
   both sides.  */

#ifndef LINUX_NAMES_H
#define LINUX_NAMES_H

#include "common/types.h"

enum name_set
{
#define NAME_SET(SET, PREFIX) NAMES_##SET,
#define NAME(SET, VALUE, PREFIX, TEXT)
#include "linux/names.def"
#undef NAME_SET
#undef NAME
  NAMES_END
};

struct name_row
{
  uint32_t set;                 /* enum name_set */
  uint32_t value;
  const char *name;             /* without the prefix */
};

/* What stands in front of each name of SET, as `O_'.  */
const char *names_prefix (unsigned set);

/* The first row of SET, and the one after ROW in the same set; null: none.
   In a set of flags, those with several bits come first.  */
const struct name_row *names_first (unsigned set);
const struct name_row *names_next (const struct name_row *row);

#endif
