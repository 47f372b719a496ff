/* Names of the numbers in arguments.  See names.h; the rows are names.def.  */

#include "linux/names.h"

static const struct name_row rows[] = {
#define NAME_SET(SET, PREFIX)
#define NAME(SET, VALUE, PREFIX, TEXT) { NAMES_##SET, VALUE, #TEXT },
#include "linux/names.def"
#undef NAME_SET
#undef NAME
};

static const char *const prefixes[] = {
#define NAME_SET(SET, PREFIX) PREFIX,
#define NAME(SET, VALUE, PREFIX, TEXT)
#include "linux/names.def"
#undef NAME_SET
#undef NAME
};

/* See names.h.  */

const char *
names_prefix (unsigned set)
{
  return set < NAMES_END ? prefixes[set] : "";
}

/* See names.h.  */

const struct name_row *
names_first (unsigned set)
{
  for (unsigned i = 0; i < ARRAY_SIZE (rows); i++)
    if (rows[i].set == set)
      return &rows[i];
  return NULL;
}

/* See names.h.  */

const struct name_row *
names_next (const struct name_row *row)
{
  const struct name_row *next = row + 1;

  return next < rows + ARRAY_SIZE (rows) && next->set == row->set ? next
                                                                  : NULL;
}
