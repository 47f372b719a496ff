/* See alloc.h.  */

#include "gdbstub/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
need (void *block)
{
  if (block == NULL)
    {
      fputs ("rio-gdbserver: out of memory\n", stderr);
      exit (1);
    }
  return block;
}

/* See alloc.h.  */
void *
alloc_reserve (void *block, size_t *size, size_t wanted)
{
  if (wanted <= *size)
    return block;
  *size = wanted + wanted / 2 + 64;
  return need (realloc (block, *size));
}

/* See alloc.h.  */
char *
alloc_string_n (const char *s, size_t n)
{
  char *copy = need (malloc (n + 1));

  memcpy (copy, s, n);
  copy[n] = 0;
  return copy;
}

/* See alloc.h.  */
char *
alloc_string (const char *s)
{
  return alloc_string_n (s, strlen (s));
}

/* See alloc.h.  */
void *
alloc_zeroed (size_t n)
{
  return need (calloc (1, n));
}
