/* See alignment.h.  */

#include "engine/alignment.h"
#include "arch/decode.h"
#include "cache/cache.h"
#include "engine/heap.h"

enum { TRAP_DB = 1, TRAP_AC = 17 };

/* The instruction at PC accesses memory for the engine.  A part of the cache
   may lie in the core region.  */
static bool
is_own (uint64_t pc)
{
  return cache_contains ((cache_pc) pc) ? cache_is_own ((cache_pc) pc)
                                        : core_overlaps (pc, pc + 1);
}

static bool
is_fault (int sig, const struct linux_siginfo *info,
          const struct frame_regs *r)
{
  return sig == RAW_SIGBUS && info->code == RAW_BUS_ADRALN
         && r->trapno == TRAP_AC && (r->rflags & FLAG_AC);
}

static bool
is_trap (int sig, const struct linux_siginfo *info,
         const struct frame_regs *r)
{
  return sig == RAW_SIGTRAP && info->code == RAW_TRAP_TRACE
         && r->trapno == TRAP_DB;
}

/* See alignment.h.  */
bool
alignment_signal (struct thread *t, int sig, const struct linux_siginfo *info,
                  struct frame_regs *r)
{
  if (t->unaligned)
    {
      t->unaligned = false;
      r->rflags = (r->rflags | FLAG_AC) & ~(uint64_t) FLAG_TF;
      if (is_trap (sig, info, r))
        return true;
    }
  if (!is_fault (sig, info, r) || !is_own (r->rip))
    return false;
  t->unaligned = true;
  r->rflags = (r->rflags | FLAG_TF) & ~(uint64_t) FLAG_AC;
  return true;
}
