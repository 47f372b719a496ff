/* The packet qTBuffer: frames in the form in which GDB saves them to a file
   (GDB manual, "Trace File Format"), in pieces.

   A frame is the number of its tracepoint (2 bytes), the size of what follows
   (4), and blocks: R and all registers as in the answer to g, M with address
   (8), size (2) and bytes, V with a number (4) and a value (8).  What was not
   collected of registers is zeros, for that form knows no other way.  */

#include <stdlib.h>
#include <string.h>

#include "gdbstub/packets.h"
#include "gdbstub/stub-impl.h"

#define PIECE 65535             /* bytes of memory in a block */

static void
put_registers (struct stub *s, size_t n, struct reply *raw)
{
  static struct target_regs regs;
  uint8_t value[TDESC_MAX_REG_SIZE];

  if (!tracebuf_registers (s->tracing.frames, n, &regs.regs))
    return;
  regs.xsave_size = tracebuf_vector (s->tracing.frames, n, regs.xsave,
                                     sizeof regs.xsave);
  reply_raw (raw, "R", 1);
  for (unsigned i = 0; i < s->tdesc.n_regs; i++)
    {
      memset (value, 0, sizeof value);
      if (!tdesc_get (&s->tdesc, i, &regs.regs, regs.xsave, regs.xsave_size,
                      value))
        memset (value, 0, sizeof value);
      reply_raw (raw, value, s->tdesc.reg[i].size);
    }
}

static void
put_memory (app_addr addr, const uint8_t *bytes, size_t size,
            struct reply *raw)
{
  while (size > 0)
    {
      uint16_t n = MIN (size, PIECE);

      reply_raw (raw, "M", 1);
      reply_raw (raw, &addr, sizeof addr);
      reply_raw (raw, &n, sizeof n);
      reply_raw (raw, bytes, n);
      addr += n;
      bytes += n;
      size -= n;
    }
}

static void
put_frame (struct stub *s, size_t n, struct reply *raw)
{
  const struct tracebuf *b = s->tracing.frames;
  uint16_t number = tracebuf_frame (b, n).number;
  const struct channel_trace_block *block;
  size_t at = 0, head = raw->length;
  uint32_t size = 0;

  reply_raw (raw, &number, sizeof number);
  reply_raw (raw, &size, sizeof size);
  put_registers (s, n, raw);
  while ((block = tracebuf_next (b, n, &at)) != NULL)
    if (block->kind == CHANNEL_BLOCK_MEMORY)
      put_memory (block->addr, (const uint8_t *) (block + 1), block->size,
                  raw);
    else if (block->kind == CHANNEL_BLOCK_VARIABLE)
      {
        uint32_t variable = block->addr;

        reply_raw (raw, "V", 1);
        reply_raw (raw, &variable, sizeof variable);
        reply_raw (raw, block + 1, sizeof (uint64_t));
      }
  size = raw->length - head - sizeof number - sizeof size;
  memcpy (raw->data + head + sizeof number, &size, sizeof size);
}

/* See packets.def.  OFFSET,LENGTH.  The whole is made when its beginning is
   asked for.  */
void
cmd_qTBuffer (struct stub *s, struct scan *in, struct reply *out)
{
  struct tracing *x = &s->tracing;
  uint64_t offset = scan_hex (in), length;

  scan_char (in, ',');
  length = scan_hex (in);
  if (!scan_done (in))
    {
      reply_error (out, 1);
      return;
    }
  if (offset == 0)
    {
      reply_clear (&x->raw);
      tracing_look (x);
      for (size_t n = 0; n < tracebuf_count (x->frames); n++)
        put_frame (s, n, &x->raw);
    }
  if (offset >= x->raw.length)
    {
      reply_text (out, "l");
      reply_clear (&x->raw);
      return;
    }
  length = MIN (length, x->raw.length - offset);
  reply_hex (out, x->raw.data + offset, MIN (length, RSP_PACKET_SIZE / 2));
}
