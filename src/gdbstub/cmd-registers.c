/* Packets about registers: g G p P.  */

#include "gdbstub/packets.h"
#include "gdbstub/stub-impl.h"

/* Put register N of R into OUT, "xx" for each byte when it is not to be
   had.  */
static void
put_register (struct stub *s, const struct target_regs *r, unsigned n,
              struct reply *out)
{
  uint8_t value[TDESC_MAX_REG_SIZE];

  if (tdesc_get (&s->tdesc, n, &r->regs, r->xsave, r->xsave_size, value))
    reply_hex (out, value, s->tdesc.reg[n].size);
  else
    for (unsigned i = 0; i < s->tdesc.reg[n].size; i++)
      reply_raw (out, "xx", 2);
}

/* Take register N of R from IN.  Short data leaves it as it is.  */
static bool
take_register (struct stub *s, struct target_regs *r, unsigned n,
               struct scan *in)
{
  uint8_t value[TDESC_MAX_REG_SIZE];
  size_t size = s->tdesc.reg[n].size;

  if (scan_bytes (in, value, size) != size)
    return false;
  return tdesc_set (&s->tdesc, n, &r->regs, r->xsave, r->xsave_size, value);
}

/* See packets.def.  */
void
cmd_g (struct stub *s, struct scan *in, struct reply *out)
{
  const struct target_regs *r = stub_regs (s, stub_thread (s));

  (void) in;
  if (r == NULL)
    {
      reply_error (out, 1);
      return;
    }
  for (unsigned n = 0; n < s->tdesc.n_regs; n++)
    put_register (s, r, n, out);
}

/* See packets.def.  A register written as "xx" keeps its value.  */
void
cmd_G (struct stub *s, struct scan *in, struct reply *out)
{
  int tid = stub_thread (s);
  struct target_regs *r = stub_regs (s, tid);
  bool good = r != NULL;

  for (unsigned n = 0; good && n < s->tdesc.n_regs; n++)
    {
      size_t unknown = 0;

      while (unknown < s->tdesc.reg[n].size && scan_skip_word (in, "xx"))
        unknown++;
      good = unknown > 0 || take_register (s, r, n, in);
    }
  if (!good || !scan_done (in) || !stub_regs_write (s, tid))
    {
      s->regs_tid = 0;
      reply_error (out, 1);
    }
  else
    reply_ok (out);
}

/* See packets.def.  */
void
cmd_p (struct stub *s, struct scan *in, struct reply *out)
{
  uint64_t n = scan_hex (in);
  const struct target_regs *r = stub_regs (s, stub_thread (s));

  if (r == NULL || !scan_done (in) || n >= s->tdesc.n_regs)
    reply_error (out, 1);
  else
    put_register (s, r, n, out);
}

/* See packets.def.  */
void
cmd_P (struct stub *s, struct scan *in, struct reply *out)
{
  int tid = stub_thread (s);
  struct target_regs *r = stub_regs (s, tid);
  uint64_t n = scan_hex (in);

  scan_char (in, '=');
  if (r == NULL || !scan_ok (in) || n >= s->tdesc.n_regs
      || !take_register (s, r, n, in) || !scan_done (in)
      || !stub_regs_write (s, tid))
    {
      s->regs_tid = 0;
      reply_error (out, 1);
    }
  else
    reply_ok (out);
}
