/* Packets about registers: g G p P.  */

#include "gdbstub/packets.h"
#include "gdbstub/stub-impl.h"

/* Registers as GDB is to see them: those of the trace frame that it looks at,
   or of the thread that it means.  *ONLY_PC: no others are known.  */
static const struct target_regs *
shown (struct stub *s, bool *only_pc)
{
  static struct target_regs regs;
  bool have;

  *only_pc = false;
  if (s->tracing.frame < 0)
    return stub_regs (s, stub_thread (s));
  tracing_registers (&s->tracing, &regs, &have);
  *only_pc = !have;
  return &regs;
}

/* Put register N of R into OUT, "xx" for each byte when it is not to be
   had.  */
static void
put_register (struct stub *s, const struct target_regs *r, bool only_pc,
              unsigned n, struct reply *out)
{
  uint8_t value[TDESC_MAX_REG_SIZE];

  if ((!only_pc || n == TDESC_RIP)
      && tdesc_get (&s->tdesc, n, &r->regs, r->xsave, r->xsave_size, value))
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
  bool only_pc;
  const struct target_regs *r = shown (s, &only_pc);

  (void) in;
  if (r == NULL)
    {
      reply_error (out, 1);
      return;
    }
  for (unsigned n = 0; n < s->tdesc.n_regs; n++)
    put_register (s, r, only_pc, n, out);
}

/* See packets.def.  A register written as "xx" keeps its value.  */
void
cmd_G (struct stub *s, struct scan *in, struct reply *out)
{
  int tid = stub_thread (s);
  struct target_regs *r = stub_regs (s, tid);
  bool good = r != NULL && s->tracing.frame < 0;

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
  bool only_pc;
  const struct target_regs *r = shown (s, &only_pc);

  if (r == NULL || !scan_done (in) || n >= s->tdesc.n_regs)
    reply_error (out, 1);
  else
    put_register (s, r, only_pc, n, out);
}

/* See packets.def.  */
void
cmd_P (struct stub *s, struct scan *in, struct reply *out)
{
  int tid = stub_thread (s);
  struct target_regs *r = stub_regs (s, tid);
  uint64_t n = scan_hex (in);

  scan_char (in, '=');
  if (r == NULL || s->tracing.frame >= 0 || !scan_ok (in)
      || n >= s->tdesc.n_regs || !take_register (s, r, n, in)
      || !scan_done (in) || !stub_regs_write (s, tid))
    {
      s->regs_tid = 0;
      reply_error (out, 1);
    }
  else
    reply_ok (out);
}
