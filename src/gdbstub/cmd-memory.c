/* Packets about memory: m M X qSearch:memory qCRC.  */

#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "gdbstub/alloc.h"
#include "gdbstub/packets.h"
#include "gdbstub/stub-impl.h"

/* Read ADDR,LENGTH.  */
static void
scan_range (struct scan *in, app_addr *addr, uint64_t *length)
{
  *addr = scan_hex (in);
  scan_char (in, ',');
  *length = scan_hex (in);
}

/* What GDB is to see of memory: what the trace frame has that it looks at, and
   for read-only regions what the program has.  */
static size_t
read_shown (struct stub *s, app_addr addr, uint8_t *buffer, size_t length)
{
  const struct tracing *x = &s->tracing;
  size_t n;

  if (x->frame >= 0)
    {
      n = tracebuf_memory (x->frames, x->frame, addr, buffer, length);
      if (n > 0 || !tracing_is_readonly (x, addr, addr + length))
        return n;
    }
  return target_memory_read (s->t, stub_process (s), addr, buffer, length);
}

/* See packets.def.  What can be read of a range that ends in a fault is
   sent.  */
void
cmd_m (struct stub *s, struct scan *in, struct reply *out)
{
  static uint8_t buffer[RSP_PACKET_SIZE / 2];
  app_addr addr;
  uint64_t length;
  size_t n;

  scan_range (in, &addr, &length);
  if (!scan_done (in))
    {
      reply_error (out, 1);
      return;
    }
  length = MIN (length, sizeof buffer);
  n = read_shown (s, addr, buffer, length);
  if (n == 0 && length > 0)
    reply_error (out, 1);
  else
    reply_hex (out, buffer, n);
}

static void
write_memory (struct stub *s, app_addr addr, const uint8_t *data,
              uint64_t length, struct reply *out)
{
  reply_ok_if (out, s->tracing.frame < 0
                      && target_memory_write (s->t, stub_process (s), addr,
                                              data, length) == length);
}

/* ADDR,LENGTH:DATA, with DATA as SCAN_DATA reads it.  */
static void
write_data (struct stub *s, struct scan *in, struct reply *out,
            size_t (*scan_data) (struct scan *, uint8_t *, size_t))
{
  static uint8_t buffer[RSP_PACKET_SIZE];
  app_addr addr;
  uint64_t length;
  size_t n;

  scan_range (in, &addr, &length);
  scan_char (in, ':');
  n = scan_data (in, buffer, sizeof buffer);
  if (!scan_done (in) || n != length)
    reply_error (out, 1);
  else
    write_memory (s, addr, buffer, length, out);
}

/* See packets.def.  */
void
cmd_M (struct stub *s, struct scan *in, struct reply *out)
{
  write_data (s, in, out, scan_bytes);
}

/* See packets.def.  */
void
cmd_X (struct stub *s, struct scan *in, struct reply *out)
{
  write_data (s, in, out, scan_binary);
}

/* Look for the N bytes of PATTERN in LENGTH bytes at ADDR, by overlapping
   pieces.  *FOUND: the address.  Returns 1 found, 0 not, -1 on a fault before
   the end.  */
static int
search (struct stub *s, app_addr addr, uint64_t length,
        const uint8_t *pattern, size_t n, app_addr *found)
{
  enum { PIECE = 65536 };
  size_t size = PIECE + n;
  uint8_t *buffer = alloc_zeroed (size);
  int result = 0;

  while (result == 0 && length >= n)
    {
      size_t want = MIN (length, size);
      size_t got = target_memory_read (s->t, stub_process (s), addr, buffer,
                                       want);
      uint8_t *hit = memmem (buffer, got, pattern, n);

      if (hit != NULL)
        {
          *found = addr + (hit - buffer);
          result = 1;
        }
      else if (got < want)
        result = -1;
      else
        {
          addr += want - n + 1;
          length -= want - n + 1;
        }
    }
  free (buffer);
  return result;
}

/* See packets.def.  */
void
cmd_qSearch_memory (struct stub *s, struct scan *in, struct reply *out)
{
  static uint8_t pattern[RSP_PACKET_SIZE];
  app_addr addr = scan_hex (in), found;
  uint64_t length;
  size_t n;

  scan_char (in, ';');
  length = scan_hex (in);
  scan_char (in, ';');
  n = scan_binary (in, pattern, sizeof pattern);
  if (!scan_done (in) || n == 0)
    {
      reply_error (out, 1);
      return;
    }
  switch (search (s, addr, length, pattern, n, &found))
    {
    case 1:
      reply_text (out, "1,%lx", found);
      break;
    case 0:
      reply_text (out, "0");
      break;
    default:
      reply_error (out, 1);
      break;
    }
}

/* The remainder of DATA by the polynomial 04c11db7, most significant bit
   first, as `compare-sections' has it (GDB manual, qCRC).  */
static uint32_t
crc32 (uint32_t crc, const uint8_t *data, size_t n)
{
  for (size_t i = 0; i < n; i++)
    {
      crc ^= (uint32_t) data[i] << 24;
      for (int bit = 0; bit < 8; bit++)
        crc = crc << 1 ^ (crc >> 31 ? 0x04c11db7 : 0);
    }
  return crc;
}

/* See packets.def.  */
void
cmd_qCRC (struct stub *s, struct scan *in, struct reply *out)
{
  uint8_t buffer[4096];
  uint32_t crc = 0xffffffff;
  app_addr addr;
  uint64_t length;

  scan_range (in, &addr, &length);
  if (!scan_done (in))
    {
      reply_error (out, 1);
      return;
    }
  while (length > 0)
    {
      size_t want = MIN (length, sizeof buffer);

      if (target_memory_read (s->t, stub_process (s), addr, buffer, want)
          != want)
        {
          reply_error (out, 1);
          return;
        }
      crc = crc32 (crc, buffer, want);
      addr += want;
      length -= want;
    }
  reply_text (out, "C%x", crc);
}
