/* Formatted text without a libc: one directive at a time is parsed to a
   struct spec, and put out by kind.  No state.  */

#include "common/format.h"
#include "common/string.h"

struct out
{
  char *at, *end;       /* END is the place of the closing zero at the most */
  size_t length;
};

struct spec
{
  bool left, zero, prefix;
  int width;
  int precision;        /* -1: none */
  unsigned size;        /* bytes of the integer argument */
  char kind;
};

static void
put (struct out *o, char c)
{
  if (o->at < o->end)
    *o->at++ = c;
  o->length++;
}

static void
pad (struct out *o, char c, int n)
{
  while (n-- > 0)
    put (o, c);
}

static void
put_string (struct out *o, const struct spec *s, const char *text, size_t n)
{
  int fill = s->width - (int) n;
  if (!s->left)
    pad (o, ' ', fill);
  while (n--)
    put (o, *text++);
  if (s->left)
    pad (o, ' ', fill);
}

static void
put_number (struct out *o, const struct spec *s, uint64_t v, bool negative,
            unsigned base)
{
  char digits[24];
  unsigned n = 0;
  const char *set = s->kind == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
  do
    digits[n++] = set[v % base];
  while (v /= base);
  int fill = s->width - (int) n - negative - (s->prefix ? 2 : 0);
  if (!s->left && !s->zero)
    pad (o, ' ', fill);
  if (negative)
    put (o, '-');
  if (s->prefix)
    {
      put (o, '0');
      put (o, 'x');
    }
  if (!s->left && s->zero)
    pad (o, '0', fill);
  while (n)
    put (o, digits[--n]);
  if (s->left)
    pad (o, ' ', fill);
}

static const char *
parse_flags (const char *f, struct spec *s)
{
  for (;; f++)
    if (*f == '-')
      s->left = true;
    else if (*f == '0')
      s->zero = true;
    else if (*f == '#')
      s->prefix = true;
    else
      return f;
}

static const char *
parse_count (const char *f, int *count, va_list *ap)
{
  if (*f == '*')
    {
      *count = va_arg (*ap, int);
      return f + 1;
    }
  for (*count = 0; *f >= '0' && *f <= '9'; f++)
    *count = *count * 10 + *f - '0';
  return f;
}

static const char *
parse (const char *f, struct spec *s, va_list *ap)
{
  *s = (struct spec) { .precision = -1, .size = sizeof (int) };
  f = parse_flags (f, s);
  f = parse_count (f, &s->width, ap);
  if (*f == '.')
    f = parse_count (f + 1, &s->precision, ap);
  for (;; f++)
    if (*f == 'l' || *f == 'z' || *f == 'j')
      s->size = sizeof (long);
    else if (*f == 'h')
      s->size /= 2;
    else
      break;
  s->kind = *f;
  return *f ? f + 1 : f;
}

static void
put_integer (struct out *o, struct spec *s, va_list *ap)
{
  uint64_t v = s->size == sizeof (long) ? va_arg (*ap, uint64_t)
                                        : va_arg (*ap, unsigned);
  unsigned shift = 64 - 8 * s->size;
  if (s->kind == 'd' || s->kind == 'i')
    {
      int64_t i = (int64_t) (v << shift) >> shift;
      put_number (o, s, i < 0 ? -(uint64_t) i : (uint64_t) i, i < 0, 10);
      return;
    }
  put_number (o, s, v << shift >> shift, false,
              s->kind == 'u' ? 10 : s->kind == 'o' ? 8 : 16);
}

static void
put_directive (struct out *o, struct spec *s, va_list *ap)
{
  char c;
  const char *text;
  size_t n;
  switch (s->kind)
    {
    case 'd': case 'i': case 'u': case 'x': case 'X': case 'o':
      put_integer (o, s, ap);
      break;
    case 'p':
      s->prefix = true;
      put_number (o, s, (uintptr_t) va_arg (*ap, void *), false, 16);
      break;
    case 'c':
      c = (char) va_arg (*ap, int);
      put_string (o, s, &c, 1);
      break;
    case 's':
      text = va_arg (*ap, const char *);
      if (!text)
        text = "(null)";
      for (n = 0; (s->precision < 0 || n < (size_t) s->precision) && text[n];)
        n++;
      put_string (o, s, text, n);
      break;
    default:
      put (o, s->kind ? s->kind : '%');
    }
}

/* See format.h.  */

size_t
format_text_v (char *buf, size_t size, const char *fmt, va_list ap)
{
  struct out o = { .at = buf, .end = size ? buf + size - 1 : buf };
  va_list args;
  va_copy (args, ap);
  while (*fmt)
    if (*fmt != '%')
      put (&o, *fmt++);
    else
      {
        struct spec s;
        fmt = parse (fmt + 1, &s, &args);
        put_directive (&o, &s, &args);
      }
  va_end (args);
  if (size)
    *o.at = 0;
  return o.length;
}

/* See format.h.  */

size_t
format_text (char *buf, size_t size, const char *fmt, ...)
{
  va_list ap;
  va_start (ap, fmt);
  size_t n = format_text_v (buf, size, fmt, ap);
  va_end (ap);
  return n;
}
