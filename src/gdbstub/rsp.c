/* See rsp.h.  */

#include "gdbstub/rsp.h"

#include <stdlib.h>
#include <string.h>

#include "gdbstub/alloc.h"

#define INTERRUPT 0x03

/* See rsp.h.  */
void
rsp_init (struct rsp *r)
{
  memset (r, 0, sizeof *r);
}

/* See rsp.h.  */
void
rsp_fini (struct rsp *r)
{
  free (r->in);
  free (r->out);
  free (r->last);
  memset (r, 0, sizeof *r);
}

/* See rsp.h.  */
void
rsp_feed (struct rsp *r, const void *bytes, size_t n)
{
  if (r->in_at > 0)
    {
      memmove (r->in, r->in + r->in_at, r->in_end - r->in_at);
      r->in_end -= r->in_at;
      r->in_at = 0;
    }
  r->in = alloc_reserve (r->in, &r->in_size, r->in_end + n);
  memcpy (r->in + r->in_end, bytes, n);
  r->in_end += n;
}

/* See rsp.h.  */
size_t
rsp_waiting (const struct rsp *r)
{
  return r->in_end - r->in_at;
}

static void
queue (struct rsp *r, const void *bytes, size_t n)
{
  r->out = alloc_reserve (r->out, &r->out_size, r->out_end + n);
  memcpy (r->out + r->out_end, bytes, n);
  r->out_end += n;
}

/* See rsp.h.  */
void
rsp_sent (struct rsp *r, size_t n)
{
  r->out_at += n;
  if (r->out_at == r->out_end)
    r->out_at = r->out_end = 0;
}

static int
hex_digit (uint8_t c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

static void
start_packet (struct rsp *r)
{
  r->state = RSP_DATA;
  r->length = 0;
  r->sum = 0;
  r->too_long = false;
}

/* One byte between packets.  */
static enum rsp_item
take_idle (struct rsp *r, uint8_t c)
{
  switch (c)
    {
    case '$':
      start_packet (r);
      break;
    case INTERRUPT:
      return RSP_INTERRUPT;
    case '-':
      if (!r->noack && r->last_length > 0)
        queue (r, r->last, r->last_length);
      break;
    default:                    /* '+', and noise */
      break;
    }
  return RSP_NOTHING;
}

static void
take_data (struct rsp *r, uint8_t c)
{
  if (c == '#')
    r->state = RSP_SUM1;
  else if (c == '$')
    start_packet (r);
  else
    {
      r->sum += c;
      if (r->length < RSP_PACKET_SIZE)
        r->data[r->length++] = c;
      else
        r->too_long = true;
    }
}

/* A packet is complete but for its verdict.  GOOD: its sum is right.  */
static enum rsp_item
end_packet (struct rsp *r, bool good)
{
  r->state = RSP_IDLE;
  r->data[r->length] = 0;
  if (!good && !r->noack)
    {
      queue (r, "-", 1);
      return RSP_NOTHING;
    }
  if (!r->noack)
    queue (r, "+", 1);
  return good && !r->too_long ? RSP_PACKET : RSP_BAD_PACKET;
}

/* See rsp.h.  */
enum rsp_item
rsp_next (struct rsp *r)
{
  enum rsp_item item = RSP_NOTHING;

  while (item == RSP_NOTHING && r->in_at < r->in_end)
    {
      uint8_t c = r->in[r->in_at++];
      int digit;

      switch (r->state)
        {
        case RSP_IDLE:
          item = take_idle (r, c);
          break;
        case RSP_DATA:
          take_data (r, c);
          break;
        case RSP_SUM1:
          digit = hex_digit (c);
          r->sent_sum = digit < 0 ? 0 : digit << 4;
          r->state = RSP_SUM2;
          if (digit < 0)
            item = end_packet (r, false);
          break;
        case RSP_SUM2:
          digit = hex_digit (c);
          item = end_packet (r, digit >= 0 && (r->sent_sum | digit) == r->sum);
          break;
        }
    }
  return item;
}

/* Where the first interrupt outside of a packet is in R->in; R->in_end: there
   is none.  */
static size_t
find_interrupt (const struct rsp *r)
{
  int sum_digits = r->state == RSP_SUM1 ? 2 : r->state == RSP_SUM2 ? 1 : 0;
  bool inside = r->state == RSP_DATA;

  for (size_t i = r->in_at; i < r->in_end; i++)
    {
      uint8_t c = r->in[i];

      if (sum_digits > 0)
        sum_digits--;
      else if (inside && c == '#')
        {
          inside = false;
          sum_digits = 2;
        }
      else if (c == '$')
        inside = true;
      else if (!inside && c == INTERRUPT)
        return i;
    }
  return r->in_end;
}

/* See rsp.h.  */
bool
rsp_has_interrupt (const struct rsp *r)
{
  return find_interrupt (r) < r->in_end;
}

/* See rsp.h.  */
bool
rsp_take_interrupt (struct rsp *r)
{
  size_t i = find_interrupt (r);

  if (i == r->in_end)
    return false;
  memmove (r->in + i, r->in + i + 1, r->in_end - i - 1);
  r->in_end--;
  return true;
}

/* How many of the N bytes at DATA repeat the first, as one run can say: at
   most 97, and not as many as would make the count a character that means
   something ('#', '$', '+', '-').  0: no run is worth while.  */
static size_t
run_length (const uint8_t *data, size_t n)
{
  size_t run = 0;

  while (run + 1 < n && run < 97 && data[run + 1] == data[0])
    run++;
  if (run < 3)
    return 0;
  while (run > 0 && strchr ("#$+-", (int) run + 29) != NULL)
    run--;
  return run;
}

/* Encode DATA into the frame kept in LAST.  */
static void
frame (struct rsp *r, const uint8_t *data, size_t length)
{
  static const char hex[] = "0123456789abcdef";
  uint8_t *p, sum = 0;

  r->last = alloc_reserve (r->last, &r->last_size, length + 4);
  p = r->last;
  *p++ = '$';
  for (size_t i = 0; i < length; i++)
    {
      size_t run = run_length (data + i, length - i);

      sum += *p++ = data[i];
      if (run > 0)
        {
          sum += *p++ = '*';
          sum += *p++ = run + 29;
          i += run;
        }
    }
  *p++ = '#';
  *p++ = hex[sum >> 4];
  *p++ = hex[sum & 15];
  r->last_length = p - r->last;
}

/* See rsp.h.  */
void
rsp_send (struct rsp *r, const void *data, size_t length)
{
  frame (r, data, length);
  queue (r, r->last, r->last_length);
}
