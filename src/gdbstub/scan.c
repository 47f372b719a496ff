/* See scan.h.  */

#include "gdbstub/scan.h"

#include <stdlib.h>
#include <string.h>

#include "gdbstub/alloc.h"

/* See scan.h.  */
struct scan
scan_of (const char *text, size_t length)
{
  return (struct scan) { text, text + length, false };
}

/* See scan.h.  */
bool
scan_ok (const struct scan *in)
{
  return !in->bad;
}

/* See scan.h.  */
bool
scan_done (const struct scan *in)
{
  return !in->bad && in->at == in->end;
}

/* See scan.h.  */
size_t
scan_left (const struct scan *in)
{
  return in->bad ? 0 : in->end - in->at;
}

/* See scan.h.  */
void
scan_char (struct scan *in, char c)
{
  if (!scan_skip (in, c))
    in->bad = true;
}

/* See scan.h.  */
bool
scan_skip (struct scan *in, char c)
{
  if (scan_left (in) == 0 || *in->at != c)
    return false;
  in->at++;
  return true;
}

/* See scan.h.  */
bool
scan_skip_word (struct scan *in, const char *word)
{
  size_t n = strlen (word);

  if (scan_left (in) < n || memcmp (in->at, word, n) != 0)
    return false;
  in->at += n;
  return true;
}

static int
digit (const struct scan *in)
{
  char c;

  if (scan_left (in) == 0)
    return -1;
  c = *in->at;
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/* See scan.h.  */
uint64_t
scan_hex (struct scan *in)
{
  uint64_t value = 0;
  unsigned n = 0;

  for (; digit (in) >= 0; in->at++, n++)
    {
      if (value >> 60 != 0)
        in->bad = true;
      value = value << 4 | digit (in);
    }
  if (n == 0)
    in->bad = true;
  return in->bad ? 0 : value;
}

/* An id: a number, or -1.  */
static int64_t
id (struct scan *in)
{
  uint64_t value;

  if (scan_skip_word (in, "-1"))
    return -1;
  value = scan_hex (in);
  if (value > INT32_MAX)
    in->bad = true;
  return in->bad ? 0 : value;
}

/* See scan.h.  */
struct scan_ptid
scan_ptid (struct scan *in)
{
  struct scan_ptid ptid = { 0, 0 };

  if (!scan_skip (in, 'p'))
    ptid.tid = id (in);
  else
    {
      ptid.pid = id (in);
      ptid.tid = scan_skip (in, '.') ? id (in) : -1;
    }
  return ptid;
}

/* See scan.h.  */
size_t
scan_bytes (struct scan *in, uint8_t *to, size_t max)
{
  size_t n;

  for (n = 0; n < max && digit (in) >= 0; n++)
    {
      int high = digit (in), low;

      in->at++;
      low = digit (in);
      if (low < 0)
        {
          in->bad = true;
          return 0;
        }
      in->at++;
      to[n] = high << 4 | low;
    }
  return n;
}

/* See scan.h.  */
char *
scan_string (struct scan *in)
{
  char *s = alloc_zeroed (scan_left (in) / 2 + 1);
  size_t n = scan_bytes (in, (uint8_t *) s, scan_left (in) / 2);

  if (scan_left (in) > 0 || strlen (s) != n)
    in->bad = true;
  if (in->bad)
    {
      free (s);
      return NULL;
    }
  return s;
}

/* See scan.h.  */
size_t
scan_binary (struct scan *in, uint8_t *to, size_t max)
{
  size_t n = 0;

  while (scan_left (in) > 0)
    {
      uint8_t c = *in->at++;

      if (c == '}')
        {
          if (scan_left (in) == 0)
            {
              in->bad = true;
              return 0;
            }
          c = *in->at++ ^ 0x20;
        }
      if (n == max)
        {
          in->bad = true;
          return 0;
        }
      to[n++] = c;
    }
  return n;
}

/* See scan.h.  */
struct scan
scan_until (struct scan *in, const char *stops)
{
  struct scan part = *in;

  while (scan_left (in) > 0
         && (*in->at == 0 || strchr (stops, *in->at) == NULL))
    in->at++;
  part.end = in->at;
  return part;
}

/* See scan.h.  */
bool
scan_is (const struct scan *in, const char *word)
{
  return !in->bad && scan_left (in) == strlen (word)
         && memcmp (in->at, word, strlen (word)) == 0;
}
