/* See emulate.h.  */

#include "engine/emulate.h"
#include "arch/decode.h"
#include "engine/areas.h"
#include "engine/gate.h"
#include "engine/signal.h"
#include "linux/raw.h"

enum { TRAP_GP = 13, TRAP_PF = 14, TRAP_AC = 17 };
/* Error code of a page fault by data in user mode: SDM volume 3, section
   4.7.  */
enum { PF_PRESENT = 1, PF_WRITE = 2, PF_USER = 4 };

#define USER_CS 0x33
#define USER_SS 0x2b

/* What popf and iret change at privilege 3: SDM volume 2, POPF.  */
#define FLAGS_POPPED                                                          \
  (FLAG_ARITH | FLAG_TF | FLAG_DF | FLAG_AC | FLAG_NT | FLAG_ID)
enum { FLAG_NT = 1 << 14, FLAG_ID = 1 << 21 };

static enum emulate_result
raise_gp (struct thread *t, uint64_t error)
{
  signal_raise (t, RAW_SIGSEGV, RAW_SI_KERNEL, 0, TRAP_GP, error);
  return EMULATE_FAULT;
}

/* The access to SIZE bytes at ADDR, at most a page, has faulted.  Of a page
   that cannot be accessed at all the processor says that it is not there.  */
static enum emulate_result
raise_fault (struct thread *t, app_addr addr, unsigned size, bool write)
{
  unsigned wanted = write ? AREA_WRITE : AREA_READ;
  struct area a;
  bool mapped = area_find (addr, &a);

  if (mapped && (a.prot & wanted) && a.end - addr < size)
    {
      addr = a.end;
      mapped = area_find (addr, &a);
    }
  if ((int64_t) (addr << 16) >> 16 != (int64_t) addr)
    return raise_gp (t, 0);
  signal_raise (t, RAW_SIGSEGV, mapped ? RAW_SEGV_ACCERR : RAW_SEGV_MAPERR,
                addr, TRAP_PF,
                PF_USER | (write ? PF_WRITE : 0)
                | (mapped && a.prot ? PF_PRESENT : 0));
  return EMULATE_FAULT;
}

static void
take_flags (struct arch_context *c, uint64_t flags, unsigned size)
{
  uint64_t change = FLAGS_POPPED & (size == 2 ? 0xffff : ~0ull);

  c->rflags = (c->rflags & ~change) | (flags & change);
}

static enum emulate_result
do_popf (struct thread *t, const struct insn *i)
{
  struct arch_context *c = &t->context;
  uint64_t flags = 0;

  if (!safe_read (&flags, c->gpr[ARCH_RSP], i->opsize))
    return raise_fault (t, c->gpr[ARCH_RSP], i->opsize, false);
  take_flags (c, flags, i->opsize);
  c->gpr[ARCH_RSP] += i->opsize;
  c->rip += i->length;
  return EMULATE_DONE;
}

/* Read N words of I's operand size from T's stack to WORD.  */
static bool
read_stack (struct thread *t, const struct insn *i, uint64_t *word, unsigned n)
{
  for (unsigned k = 0; k < n; k++)
    {
      word[k] = 0;
      if (!safe_read (word + k, t->context.gpr[ARCH_RSP] + k * i->opsize,
                      i->opsize))
        return false;
    }
  return true;
}

/* iret pops %rip, %cs, flags, %rsp and %ss.  Code of another width is
   refused.  */
static enum emulate_result
do_iret (struct thread *t, const struct insn *i)
{
  enum { RIP, CS, FLAGS, RSP, SS, N };
  struct arch_context *c = &t->context;
  uint64_t w[N];

  if (!read_stack (t, i, w, N))
    return raise_fault (t, c->gpr[ARCH_RSP], N * i->opsize, false);
  if ((uint16_t) w[CS] != USER_CS)
    return EMULATE_REFUSED;
  if ((uint16_t) w[SS] != USER_SS)
    return raise_gp (t, w[SS] & 0xfffc);
  take_flags (c, w[FLAGS], i->opsize);
  c->rip = w[RIP];
  c->gpr[ARCH_RSP] = w[RSP];
  return EMULATE_DONE;
}

static enum emulate_result
do_far_return (struct thread *t, const struct insn *i)
{
  struct arch_context *c = &t->context;
  uint64_t w[2];                /* %rip and %cs */

  if (!read_stack (t, i, w, 2))
    return raise_fault (t, c->gpr[ARCH_RSP], 2 * i->opsize, false);
  if ((uint16_t) w[1] != USER_CS)
    return EMULATE_REFUSED;
  c->rip = w[0];
  c->gpr[ARCH_RSP] += 2 * i->opsize + (i->imm_size ? (uint16_t) i->imm : 0);
  return EMULATE_DONE;
}

/* The flags of A - B, SIZE bytes each.  */
static uint64_t
compare (uint64_t a, uint64_t b, unsigned size)
{
  unsigned shift = 64 - 8 * size;
  uint64_t flags, mask = shift ? ~0ull >> shift : ~0ull, d = (a - b) & mask;

  __asm__ ("cmp %2, %1\n\tpushfq\n\tpop %0"
           : "=r"(flags) : "r"(a << shift), "r"(b << shift) : "cc");
  /* Shifted up, all but PF and AF are right.  */
  flags &= FLAG_ARITH & ~(FLAG_PF | FLAG_AF);
  if (!__builtin_parity (d & 0xff))
    flags |= FLAG_PF;
  return flags | ((a ^ b ^ d) & FLAG_AF);
}

/* A string instruction at work.  */
struct string
{
  const struct insn *i;
  uint64_t mask;                /* of an address */
  uint64_t step;                /* to the next element */
  app_addr fault;               /* where it was */
  bool write;                   /* it was a store */
  bool checked;                 /* alignment is */
  bool unaligned;               /* that was the fault */
};

static void
advance (struct arch_context *c, const struct string *s, unsigned reg)
{
  c->gpr[reg] = (c->gpr[reg] + s->step) & s->mask;
}

static bool
is_aligned (struct string *s, app_addr addr)
{
  s->unaligned = s->checked && addr % s->i->opsize;
  return !s->unaligned;
}

static bool
reads (struct string *s, uint64_t *v, app_addr addr)
{
  *v = 0;
  s->fault = addr;
  s->write = false;
  return safe_read (v, addr, s->i->opsize) && is_aligned (s, addr);
}

/* A store that ends on a page where it cannot be made does nothing.  */
static bool
can_end (app_addr last)
{
  struct area a;

  return area_find (last, &a) && (a.prot & AREA_WRITE);
}

static bool
writes (struct string *s, app_addr addr, uint64_t v)
{
  s->fault = addr;
  s->write = true;
  return is_aligned (s, addr) && can_end (addr + s->i->opsize - 1)
         && safe_write (addr, &v, s->i->opsize);
}

/* lods: into a part of %rax.  */
static void
load_rax (struct arch_context *c, uint64_t v, unsigned size)
{
  uint64_t keep = size == 1 ? ~0xffull : size == 2 ? ~0xffffull : 0;

  c->gpr[ARCH_RAX] = (c->gpr[ARCH_RAX] & keep) | v;
}

/* One element; false: it faulted.  */
static bool
do_element (struct arch_context *c, struct string *s)
{
  uint64_t a, b;
  app_addr to = c->gpr[ARCH_RDI] & s->mask;
  bool compares = (s->i->opcode & 0xfe) == 0xa6;
  bool moves = (s->i->opcode & 0xfe) == 0xa4;

  if (!reads (s, &a, c->gs_base + (c->gpr[ARCH_RSI] & s->mask)))
    return false;
  if (compares)
    {
      if (!reads (s, &b, to))
        return false;
      c->rflags = (c->rflags & ~(uint64_t) FLAG_ARITH)
                  | compare (a, b, s->i->opsize);
    }
  else if (!moves)
    load_rax (c, a, s->i->opsize);
  else if (!writes (s, to, a))
    return false;
  advance (c, s, ARCH_RSI);
  if (compares || moves)
    advance (c, s, ARCH_RDI);
  return true;
}

/* Whether a repeated one goes on after an element, %rcx being counted
   down.  */
static bool
goes_on (const struct arch_context *c, const struct insn *i)
{
  bool equal = c->rflags & FLAG_ZF;

  if (!c->gpr[ARCH_RCX])
    return false;
  return (i->opcode & 0xfe) != 0xa6 || equal == (i->prefix_rep == 0xf3);
}

static enum emulate_result
raise_string_fault (struct thread *t, const struct string *s)
{
  if (!s->unaligned)
    return raise_fault (t, s->fault, s->i->opsize, s->write);
  signal_raise (t, RAW_SIGBUS, RAW_BUS_ADRALN, 0, TRAP_AC, 0);
  return EMULATE_FAULT;
}

/* movs, lods, cmps with a source in %gs.  A fault leaves the flags as they
   were (SDM volume 2, REP).  One that is repeated may be left in
   its midst, as the processor leaves it for an interrupt.  */
static enum emulate_result
do_string (struct thread *t, const struct insn *i)
{
  struct arch_context *c = &t->context;
  struct string s = { .i = i, .mask = i->addrsize == 4 ? 0xffffffff : ~0ull };
  bool repeated = i->properties & INSN_REP;
  uint64_t flags = c->rflags;

  s.checked = flags & FLAG_AC;
  s.step = c->rflags & FLAG_DF ? -(uint64_t) i->opsize : i->opsize;
  if (repeated)
    c->gpr[ARCH_RCX] &= s.mask;
  if (!repeated || c->gpr[ARCH_RCX])
    do
      {
        if (!do_element (c, &s))
          {
            c->rflags = flags;
            return raise_string_fault (t, &s);
          }
        if (!repeated)
          break;
        c->gpr[ARCH_RCX]--;
        if (goes_on (c, i) && __atomic_load_n (&c->interrupted,
                                               __ATOMIC_RELAXED))
          return EMULATE_DONE;
      }
    while (goes_on (c, i));
  c->rip += i->length;
  return EMULATE_DONE;
}

static bool
is_gs_string (const struct insn *i)
{
  unsigned op = i->opcode & 0xfe;

  return (i->properties & INSN_SEG_GS)
         && (op == 0xa4 || op == 0xa6 || op == 0xac);
}

/* See emulate.h.  */
enum emulate_result
emulate (struct thread *t)
{
  uint8_t bytes[INSN_MAX_LENGTH];
  size_t n = sizeof bytes;
  struct insn i;

  while (n && !safe_read (bytes, t->context.rip, n))
    n--;
  if (insn_decode (&i, bytes, n, t->context.rip) != INSN_OK)
    return EMULATE_REFUSED;
  if (i.branch == INSN_SYSENTER || (i.properties & INSN_PRIVILEGED))
    return raise_gp (t, 0);
  if (i.map || i.vex)
    return EMULATE_REFUSED;
  switch (i.opcode)
    {
    case 0x6e:                  /* outs */
    case 0x6f:
      return raise_gp (t, 0);
    case 0x9d:
      return do_popf (t, &i);
    case 0xca:
    case 0xcb:
      return do_far_return (t, &i);
    case 0xcf:
      return do_iret (t, &i);
    default:
      return is_gs_string (&i) ? do_string (t, &i) : EMULATE_REFUSED;
    }
}
