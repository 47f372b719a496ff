/* Signal frames.  See arch/signal-frame.h.  */

#include "arch/signal-frame.h"
#include "arch/gate.h"
#include "common/string.h"

#define USER_CS 0x33
#define USER_SS 0x2b
#define RFLAGS_PLAIN 0x202      /* IF, and the bit that is always 1 */

/* What rt_sigreturn lets a program change (FIX_EFLAGS): AC, OF, DF, TF, SF,
   ZF, AF, PF, CF, RF.  */
#define RFLAGS_TAKEN 0x50dd5ul

#define FEATURE_LEGACY 3ul      /* x87 and SSE */

/* See signal-frame.h.  */

app_addr
frame_place (app_addr sp, const struct frame_sw *sw, app_addr *vector)
{
  *vector = (sp - sw->extended_size) & ~63ul;
  return ((*vector - sizeof (struct frame)) & ~15ul) - 8;
}

/* See signal-frame.h.  */

void
frame_set_regs (struct frame_regs *f, const uint64_t gpr[ARCH_N_GPR],
                uint64_t rip, uint64_t rflags)
{
  f->r8 = gpr[ARCH_R8];
  f->r9 = gpr[ARCH_R9];
  f->r10 = gpr[ARCH_R10];
  f->r11 = gpr[ARCH_R11];
  f->r12 = gpr[ARCH_R12];
  f->r13 = gpr[ARCH_R13];
  f->r14 = gpr[ARCH_R14];
  f->r15 = gpr[ARCH_R15];
  f->rdi = gpr[ARCH_RDI];
  f->rsi = gpr[ARCH_RSI];
  f->rbp = gpr[ARCH_RBP];
  f->rbx = gpr[ARCH_RBX];
  f->rdx = gpr[ARCH_RDX];
  f->rax = gpr[ARCH_RAX];
  f->rcx = gpr[ARCH_RCX];
  f->rsp = gpr[ARCH_RSP];
  f->rip = rip;
  f->rflags = rflags;
}

/* The general registers of F to GPR.  */

static void
get_gpr (uint64_t gpr[ARCH_N_GPR], const struct frame_regs *f)
{
  gpr[ARCH_R8] = f->r8;
  gpr[ARCH_R9] = f->r9;
  gpr[ARCH_R10] = f->r10;
  gpr[ARCH_R11] = f->r11;
  gpr[ARCH_R12] = f->r12;
  gpr[ARCH_R13] = f->r13;
  gpr[ARCH_R14] = f->r14;
  gpr[ARCH_R15] = f->r15;
  gpr[ARCH_RDI] = f->rdi;
  gpr[ARCH_RSI] = f->rsi;
  gpr[ARCH_RBP] = f->rbp;
  gpr[ARCH_RBX] = f->rbx;
  gpr[ARCH_RDX] = f->rdx;
  gpr[ARCH_RAX] = f->rax;
  gpr[ARCH_RCX] = f->rcx;
  gpr[ARCH_RSP] = f->rsp;
}

/* See signal-frame.h.  */

void
frame_get_regs (struct arch_regs *regs, const struct frame_regs *f)
{
  get_gpr (regs->gpr, f);
  regs->rip = f->rip;
  regs->rflags = f->rflags;
}

/* See signal-frame.h.  */

void
frame_take (struct arch_context *c, const struct frame_regs *f)
{
  get_gpr (c->gpr, f);
  c->rip = f->rip;
  c->rflags = (c->rflags & ~RFLAGS_TAKEN) | (f->rflags & RFLAGS_TAKEN);
}

/* See signal-frame.h.  */

void
frame_fill (struct frame *f, const struct arch_context *c,
            const struct frame_facts *facts, app_addr vector)
{
  memset (f, 0, sizeof *f);
  f->restorer = facts->restorer;
  f->uc.flags = FRAME_XSTATE | FRAME_SS | FRAME_STRICT_SS;
  f->uc.stack = facts->stack;
  f->uc.mask = facts->mask;
  frame_set_regs (&f->uc.regs, c->gpr, c->rip, c->rflags);
  f->uc.regs.cs = USER_CS;
  f->uc.regs.ss = USER_SS;
  f->uc.regs.err = facts->err;
  f->uc.regs.trapno = facts->trapno;
  f->uc.regs.oldmask = facts->mask;
  f->uc.regs.cr2 = facts->cr2;
  f->uc.regs.vector = vector;
}

/* The kernel clears the header, saves, describes the image in the legacy
   part's unused bytes, puts the second magic behind it, and says that the
   legacy components are there.  */

bool
frame_write_vector (app_addr vector, const struct frame_sw *sw,
                    frame_writer *write)
{
  static const uint64_t zero[8];
  uint64_t present;
  uint32_t magic2 = FRAME_MAGIC2;
  app_addr header = vector + FRAME_HEADER_AT;
  if (!write (header, zero, sizeof zero)
      || !arch_vector_save ((void *) vector, sw->features)
      || !write (vector + FRAME_SW_AT, sw, sizeof *sw)
      || !write (vector + sw->xstate_size, &magic2, sizeof magic2))
    return false;
  present = *(volatile uint64_t *) header | FEATURE_LEGACY;
  return write (header, &present, sizeof present);
}

/* See signal-frame.h.  */

void
frame_redirect (struct frame_regs *f, const void *function, uint64_t a,
                uint64_t b, uint64_t stack)
{
  f->rip = (uint64_t) function;
  f->rdi = a;
  f->rsi = b;
  f->rsp = stack - 8;           /* as a call leaves it */
  f->rflags = RFLAGS_PLAIN;
  f->cs = USER_CS;
  f->ss = USER_SS;
}
