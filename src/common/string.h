/* The few string functions that every room may use.  In the engine they are
   those of string.c; hosted programs get their libc's, under the same names,
   which is why the compiler's implicit calls work in both.  */

#ifndef COMMON_STRING_H
#define COMMON_STRING_H

#include "common/types.h"

#if __STDC_HOSTED__
#include <string.h>
#else
void *memcpy (void *restrict dst, const void *restrict src, size_t n);
void *memmove (void *dst, const void *src, size_t n);
void *memset (void *dst, int c, size_t n);
int memcmp (const void *a, const void *b, size_t n);
size_t strlen (const char *s);
int strcmp (const char *a, const char *b);
int strncmp (const char *a, const char *b, size_t n);
#endif

/* S begins with PREFIX.  */
static inline bool
string_has_prefix (const char *s, const char *prefix)
{
  while (*prefix)
    if (*s++ != *prefix++)
      return false;
  return true;
}

/* Read a number in BASE (2 to 16) from S, at most up to END; *VALUE is set
   and the first byte that is no digit returned (S itself: no number).  */
const char *string_number (const char *s, const char *end, unsigned base,
                           uint64_t *value);

/* The number in base 16 behind KEY in the N bytes of TEXT; 0: none.  */
uint64_t string_find_number (const char *text, size_t n, const char *key);

#endif
