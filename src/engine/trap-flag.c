/* See trap-flag.h.  SDM volume 3, 17.3.1.4; what a system call does is that of
   Linux: it returns by iret, and the trap comes after the next
   instruction.  */

#include "engine/trap-flag.h"
#include "arch/decode.h"
#include "engine/gate.h"
#include "engine/signal.h"
#include "linux/raw.h"

enum { TRAP_DB = 1 };

/* The instruction at PC; false: it cannot be read.  */
static bool
look_at (struct insn *i, uint8_t bytes[INSN_MAX_LENGTH], app_pc pc)
{
  size_t n = INSN_MAX_LENGTH;

  while (n && !safe_read (bytes, pc, n))
    n--;
  return insn_decode (i, bytes, n, pc) == INSN_OK;
}

static uint64_t
count_mask (const struct insn *i)
{
  return i->addrsize == 4 ? 0xffffffff : ~0ull;
}

/* See trap-flag.h.  */
bool
trap_flag_is_set (const struct thread *t)
{
  return t->context.rflags & FLAG_TF;
}

/* See trap-flag.h.  */
void
trap_flag_enter (struct thread *t)
{
  struct arch_context *c = &t->context;
  uint8_t bytes[INSN_MAX_LENGTH];
  struct insn i;

  c->rflags &= ~(uint64_t) FLAG_TF;
  t->trapping = true;
  t->one_of = false;
  if (!look_at (&i, bytes, c->rip) || !(i.properties & INSN_REP)
      || (c->gpr[ARCH_RCX] & count_mask (&i)) < 2)
    return;
  t->one_of = true;
  t->one_of_rcx = c->gpr[ARCH_RCX];
  t->one_of_flags = c->rflags & FLAG_ARITH;
  c->gpr[ARCH_RCX] = 1;
}

/* See trap-flag.h.  */
bool
trap_flag_leave (struct thread *t)
{
  struct arch_context *c = &t->context;

  if (!t->trapping)
    return false;
  t->trapping = false;
  c->rflags |= FLAG_TF;
  if (t->one_of)
    c->gpr[ARCH_RCX] = t->one_of_rcx - !c->gpr[ARCH_RCX];
  return true;
}

/* The repeated instruction I, which has done one element, goes on.  */
static bool
goes_on (const struct thread *t, const struct insn *i)
{
  const struct arch_context *c = &t->context;
  bool compares = (i->opcode & 0xfe) == 0xa6 || (i->opcode & 0xfe) == 0xae;

  return !compares
         || (bool) (c->rflags & FLAG_ZF) == (i->prefix_rep == 0xf3);
}

/* One element of the repeated instruction I, at FROM, is done.  Until the last
   one the processor shows the flags from before the instruction.  */
static void
one_done (struct thread *t, const struct insn *i, app_pc from)
{
  struct arch_context *c = &t->context;

  c->gpr[ARCH_RCX] &= count_mask (i);
  if (!goes_on (t, i))
    return;
  c->rip = from;
  c->rflags = (c->rflags & ~(uint64_t) FLAG_ARITH) | t->one_of_flags | FLAG_RF;
}

/* What pushf has stored lacks the flag.  */
static void
mend_pushed (struct thread *t)
{
  app_addr at = t->context.gpr[ARCH_RSP] + FLAG_TF / 256;
  uint8_t byte;

  if (safe_read (&byte, at, 1))
    {
      byte |= FLAG_TF >> 8;
      if (!safe_write (at, &byte, 1))
        return;                 /* it was unmapped since */
    }
}

static bool
is_pushf (const struct insn *i)
{
  return i->map == 0 && i->vex == 0 && i->opcode == 0x9c;
}

/* mov to %ss keeps traps from coming before the next instruction is done.  */
static bool
delays_traps (const struct insn *i)
{
  return i->map == 0 && i->vex == 0 && i->opcode == 0x8e
         && (i->modrm >> 3 & 7) == 2;
}

/* See trap-flag.h.  */
void
trap_flag_done (struct thread *t, app_pc from)
{
  uint8_t bytes[INSN_MAX_LENGTH];
  struct insn i;

  if (look_at (&i, bytes, from))
    {
      if (t->one_of)
        one_done (t, &i, from);
      if (is_pushf (&i))
        mend_pushed (t);
      if (delays_traps (&i))
        return;
    }
  signal_raise (t, RAW_SIGTRAP, RAW_TRAP_TRACE, t->context.rip, TRAP_DB, 0);
}
