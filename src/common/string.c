/* memcpy and its family for code without a libc: GCC emits calls to them
   whatever -fno-builtin says.  `rep movsb' and `rep stosb' need neither
   vector registers nor a table of sizes, and are fast from a few hundred
   bytes on; below that the byte loop is what the compiler calls us for
   anyway.  No state; may run in signal context, as DF is clear there.  */

#include "common/string.h"

#if !__STDC_HOSTED__

void *
memcpy (void *restrict dst, const void *restrict src, size_t n)
{
  void *d = dst;
  __asm__ volatile ("rep movsb" : "+D"(d), "+S"(src), "+c"(n) : : "memory");
  return dst;
}

void *
memmove (void *dst, const void *src, size_t n)
{
  char *d = dst;
  const char *s = src;
  if ((uintptr_t) d - (uintptr_t) s >= n)
    return memcpy (dst, src, n);
  d += n - 1;
  s += n - 1;
  __asm__ volatile ("std; rep movsb; cld"
                    : "+D"(d), "+S"(s), "+c"(n) : : "memory");
  return dst;
}

void *
memset (void *dst, int c, size_t n)
{
  void *d = dst;
  __asm__ volatile ("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
  return dst;
}

int
memcmp (const void *a, const void *b, size_t n)
{
  const unsigned char *x = a, *y = b;
  for (; n; n--, x++, y++)
    if (*x != *y)
      return *x - *y;
  return 0;
}

size_t
strlen (const char *s)
{
  const char *e = s;
  while (*e)
    e++;
  return e - s;
}

int
strcmp (const char *a, const char *b)
{
  while (*a && *a == *b)
    a++, b++;
  return (unsigned char) *a - (unsigned char) *b;
}

int
strncmp (const char *a, const char *b, size_t n)
{
  for (; n && *a && *a == *b; n--)
    a++, b++;
  return n ? (unsigned char) *a - (unsigned char) *b : 0;
}

#endif

static unsigned
digit (char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10u : 16;
}

/* See string.h.  */

const char *
string_number (const char *s, const char *end, unsigned base, uint64_t *value)
{
  uint64_t v = 0;
  for (; s < end && digit (*s) < base; s++)
    v = v * base + digit (*s);
  *value = v;
  return s;
}

/* See string.h.  */

uint64_t
string_find_number (const char *text, size_t n, const char *key)
{
  size_t length = strlen (key);
  uint64_t number = 0;
  for (size_t at = 0; at + length < n; at++)
    if (memcmp (text + at, key, length) == 0)
      {
        string_number (text + at + length, text + n, 16, &number);
        break;
      }
  return number;
}
