/* See output.h.

   A line is written to the ring when there is room for all of it; a thread
   waits for that for a while, and then drops it.  */

#include "debug/output.h"
#include "channel/channel.h"
#include "common/string.h"
#include "engine/call.h"
#include "engine/gate.h"
#include "engine/lock.h"
#include "engine/main.h"
#include "engine/thread.h"

#define MAX_LINE 1024
#define MAX_STRING 512
#define PATIENCE 2000           /* looks for room in the ring */

struct line
{
  unsigned n;
  char text[MAX_LINE];
};

struct directive
{
  bool left, zero, alternative;
  char sign;                    /* '+', ' ' or 0 */
  unsigned width;
  int precision;                /* -1: none */
  unsigned size;                /* bytes of an integer */
  char conversion;
};

static struct lock lock = LOCK_INIT (LOCK_RANK_LOG);

static void
put (struct line *l, char c)
{
  if (l->n < MAX_LINE)
    l->text[l->n++] = c;
}

static void
put_some (struct line *l, char c, int n)
{
  while (n-- > 0)
    put (l, c);
}

static void
put_text (struct line *l, const char *text, unsigned n)
{
  while (n--)
    put (l, *text++);
}

static unsigned
number (const char **f)
{
  unsigned n = 0;

  for (; **f >= '0' && **f <= '9'; ++*f)
    n = MIN (n * 10 + (unsigned) (**f - '0'), MAX_LINE);
  return n;
}

static bool
take_flag (struct directive *d, char c)
{
  switch (c)
    {
    case '-': d->left = true; return true;
    case '0': d->zero = true; return true;
    case '#': d->alternative = true; return true;
    case '+': d->sign = '+'; return true;
    case ' ': d->sign = d->sign ? d->sign : ' '; return true;
    default: return false;
    }
}

/* Read the directive at F, behind its %; returns what follows.  The verifier
   has accepted it.  */
static const char *
read_directive (struct directive *d, const char *f)
{
  *d = (struct directive){ .precision = -1, .size = 4 };
  while (take_flag (d, *f))
    f++;
  d->width = number (&f);
  if (*f == '.')
    {
      f++;
      d->precision = (int) number (&f);
    }
  for (; *f == 'l' || *f == 'h' || *f == 'z' || *f == 'j'; f++)
    d->size = *f != 'h' ? 8 : d->size == 4 ? 2 : 1;
  d->conversion = *f;
  return f + 1;
}

/* DIGITS, N of them, with PREFIX, in the field of D.  */
static void
put_field (struct line *l, const struct directive *d, const char *prefix,
           const char *digits, unsigned n, bool is_number)
{
  int prefixed = (int) strlen (prefix);
  int zeros = is_number ? MAX (d->precision - (int) n, 0) : 0;
  int fill = (int) d->width - prefixed - zeros - (int) n;

  if (is_number && d->zero && !d->left && d->precision < 0)
    {
      zeros = MAX (fill, 0);
      fill = 0;
    }
  if (!d->left)
    put_some (l, ' ', fill);
  put_text (l, prefix, (unsigned) prefixed);
  put_some (l, '0', zeros);
  put_text (l, digits, n);
  if (d->left)
    put_some (l, ' ', fill);
}

static int64_t
extend (uint64_t value, unsigned size)
{
  unsigned shift = 64 - 8 * size;

  return (int64_t) (value << shift) >> shift;
}

static void
put_integer (struct line *l, const struct directive *d, uint64_t value)
{
  bool is_signed = d->conversion == 'd' || d->conversion == 'i';
  const char *set = d->conversion == 'X' ? "0123456789ABCDEF"
                                         : "0123456789abcdef";
  unsigned base = d->conversion == 'o' ? 8
                  : is_signed || d->conversion == 'u' ? 10 : 16;
  int64_t s = extend (value, d->size);
  uint64_t u = is_signed ? s < 0 ? -(uint64_t) s : (uint64_t) s
                         : value & (-1ul >> (64 - 8 * d->size));
  char digits[24], prefix[3] = { 0 };
  unsigned n = sizeof digits;

  if (is_signed)
    prefix[0] = s < 0 ? '-' : d->sign;
  else if (d->alternative && u && base != 10)
    {
      prefix[0] = '0';
      prefix[1] = base == 16 ? d->conversion : 0;
    }
  for (; u || (n == sizeof digits && d->precision); u /= base)
    digits[--n] = set[u % base];
  put_field (l, d, prefix, digits + n, (unsigned) sizeof digits - n, true);
}

static void
put_string (struct line *l, const struct directive *d, app_addr addr)
{
  char text[MAX_STRING];
  long n = safe_read_string (text, addr, sizeof text);

  if (n < 0)
    put_field (l, d, "", "<error>", 7, false);
  else
    put_field (l, d, "", text,
               d->precision >= 0 ? MIN ((unsigned) n, (unsigned) d->precision)
                                 : (unsigned) n, false);
}

static void
put_directive (struct line *l, struct directive *d, uint64_t value)
{
  char c = (char) value;

  switch (d->conversion)
    {
    case 's':
      put_string (l, d, value);
      break;
    case 'c':
      put_field (l, d, "", &c, 1, false);
      break;
    case 'p':
      if (!value)
        {
          put_field (l, d, "", "(nil)", 5, false);
          break;
        }
      d->size = 8;
      d->alternative = true;
      d->conversion = 'x';
      put_integer (l, d, value);
      break;
    default:
      put_integer (l, d, value);
    }
}

/* Put what the escape at F, behind its backslash, stands for; returns what
   follows.  GDB sends formats as its user wrote them.  */
static const char *
put_escape (struct line *l, const char *f)
{
  static const char names[] = "abefnrtv", values[] = "\a\b\033\f\n\r\t\v";
  unsigned octal = 0, n = 0;

  for (; n < 3 && f[n] >= '0' && f[n] <= '7'; n++)
    octal = octal * 8 + (unsigned) (f[n] - '0');
  if (n)
    {
      put (l, (char) octal);
      return f + n;
    }
  if (!*f)
    return f;
  for (; names[n]; n++)
    if (names[n] == *f)
      {
        put (l, values[n]);
        return f + 1;
      }
  put (l, *f);
  return f + 1;
}

static void
format_line (struct line *l, const char *format, const uint64_t *args)
{
  struct directive d;

  l->n = 0;
  while (*format)
    if (*format == '\\')
      format = put_escape (l, format + 1);
    else if (*format != '%')
      put (l, *format++);
    else if (*++format == '%')
      put (l, *format++);
    else
      {
        format = read_directive (&d, format);
        put_directive (l, &d, *args++);
      }
}

static uint32_t
room_in_ring (void)
{
  uint32_t taken = __atomic_load_n (&channel->console_taken, __ATOMIC_ACQUIRE);
  uint32_t used = channel->console_put - taken;

  return used <= CHANNEL_CONSOLE_SIZE ? CHANNEL_CONSOLE_SIZE - used : 0;
}

static void
send_line (const struct line *l)
{
  uint32_t at = channel->console_put;

  for (unsigned patience = PATIENCE; room_in_ring () < l->n; patience--)
    {
      if (!patience)
        return;
      call_event (channel);
      thread_yield ();
    }
  for (unsigned n = 0; n < l->n; n++)
    channel->console[(at + n) % CHANNEL_CONSOLE_SIZE] = l->text[n];
  __atomic_store_n (&channel->console_put, at + l->n, __ATOMIC_RELEASE);
}

/* See output.h.  */
void
output_forked (void)
{
  lock = (struct lock) LOCK_INIT (LOCK_RANK_LOG);
}

/* See output.h.  */
enum agent_error
output_print (struct arch_context *context, uint64_t cookie,
              const char *format, const uint64_t *args)
{
  static struct line line;

  (void) context, (void) cookie;
  lock_acquire (&lock);
  format_line (&line, format, args);
  send_line (&line);
  lock_release (&lock);
  call_event (channel);
  return AGENT_NO_ERROR;
}
