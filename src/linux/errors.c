/* The table of errors.  See errors.h; the rows are errors.def.  */

#include "linux/errors.h"

static const struct
{
  int number;
  const char *name, *message;
} rows[] = {
#define ERROR(NR, NAME, MESSAGE) { NR, #NAME, MESSAGE },
#include "linux/errors.def"
#undef ERROR
};

/* See errors.h.  */

const char *
errors_name (int error)
{
  for (unsigned i = 0; i < ARRAY_SIZE (rows); i++)
    if (rows[i].number == error)
      return rows[i].name;
  return NULL;
}

/* See errors.h.  */

const char *
errors_message (int error)
{
  for (unsigned i = 0; i < ARRAY_SIZE (rows); i++)
    if (rows[i].number == error)
      return rows[i].message;
  return NULL;
}
