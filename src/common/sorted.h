/* Where to look in an array that is sorted by an address.  Freestanding.  */

#ifndef COMMON_SORTED_H
#define COMMON_SORTED_H

#include "common/types.h"

/* The first of the N elements of SIZE bytes at ELEMENTS whose address, a
   uint64_t at OFFSET in the element, is not below ADDR; N if all are.
   ELEMENTS may be null when N is 0.  */
static inline unsigned
sorted_index (const void *elements, unsigned n, size_t size, size_t offset,
              uint64_t addr)
{
  unsigned low = 0, high = n;

  while (low < high)
    {
      unsigned middle = low + (high - low) / 2;
      uint64_t at;

      __builtin_memcpy (&at,
                        (const char *) elements + middle * size + offset,
                        sizeof at);
      if (at < addr)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

#endif
