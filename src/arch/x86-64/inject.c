/* See arch/inject.h.  */

#include "arch/inject.h"

#include <string.h>
#include <sys/user.h>

#define USER_CS 0x33            /* 64-bit code: asm/segment.h of the kernel */
#define RFLAGS_START 0x202      /* interrupts on, all else clear */

const uint8_t inject_syscall_code[INJECT_SYSCALL_SIZE] = { 0x0f, 0x05 };

/* The kernel's place for each register, in our order.  */
static const size_t gpr_at[ARCH_N_GPR] = {
#define AT(NAME) offsetof (struct user_regs_struct, NAME)
  AT (rax), AT (rcx), AT (rdx), AT (rbx), AT (rsp), AT (rbp), AT (rsi),
  AT (rdi), AT (r8), AT (r9), AT (r10), AT (r11), AT (r12), AT (r13),
  AT (r14), AT (r15)
#undef AT
};

static const enum arch_gpr argument[INJECT_MAX_ARGS]
  = { ARCH_RDI, ARCH_RSI, ARCH_RDX, ARCH_R10, ARCH_R8, ARCH_R9 };

/* See inject.h.  */
void
inject_regs_get (struct arch_regs *r, const void *user)
{
  const struct user_regs_struct *u = user;

  for (unsigned i = 0; i < ARCH_N_GPR; i++)
    memcpy (&r->gpr[i], (const char *) u + gpr_at[i], sizeof r->gpr[i]);
  r->rip = u->rip;
  r->rflags = u->eflags;
  r->fs_base = u->fs_base;
  r->gs_base = u->gs_base;
  r->orig_rax = u->orig_rax;
  r->cs = u->cs;
  r->ss = u->ss;
  r->ds = u->ds;
  r->es = u->es;
  r->fs = u->fs;
  r->gs = u->gs;
  r->pad = 0;
}

/* See inject.h.  */
void
inject_regs_set (void *user, const struct arch_regs *r)
{
  struct user_regs_struct *u = user;

  for (unsigned i = 0; i < ARCH_N_GPR; i++)
    memcpy ((char *) u + gpr_at[i], &r->gpr[i], sizeof r->gpr[i]);
  u->rip = r->rip;
  u->eflags = r->rflags;
  u->fs_base = r->fs_base;
  u->gs_base = r->gs_base;
  u->orig_rax = r->orig_rax;
  u->cs = r->cs;
  u->ss = r->ss;
  u->ds = r->ds;
  u->es = r->es;
  u->fs = r->fs;
  u->gs = r->gs;
}

/* See inject.h.  */
bool
inject_regs_fit (const struct arch_regs *regs)
{
  return regs->cs == USER_CS;
}

/* See inject.h.  */
void
inject_syscall (struct arch_regs *regs, uint64_t at, long nr,
                const uint64_t *args, unsigned n)
{
  regs->rip = at;
  regs->gpr[ARCH_RAX] = nr;
  regs->orig_rax = -1;
  for (unsigned i = 0; i < n; i++)
    regs->gpr[argument[i]] = args[i];
}

/* See inject.h.  */
int64_t
inject_result (const struct arch_regs *regs)
{
  return regs->gpr[ARCH_RAX];
}

/* See inject.h.  */
void
inject_start (struct arch_regs *regs, uint64_t entry, uint64_t channel)
{
  regs->rip = entry;
  regs->rflags = RFLAGS_START;
  regs->orig_rax = -1;
  regs->gpr[ARCH_RDI] = channel;
}
