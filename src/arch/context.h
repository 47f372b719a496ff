/* What emitted code knows of its thread: the block at %gs:0.

   Emitted code reaches a field as %gs:OFFSET; the offsets are fixed by the
   assertions below and written out in arch/x86-64/enter.S.  While a thread
   runs in the cache, GPR and RFLAGS are dead, but for those that a rewritten
   sequence has spilled to its own place in GPR; the translation tables say
   which.  While the thread is in the engine they are the application's.

   The engine's %gs base is the address of this structure; the application's
   own %gs base is a field of it and no more than that.  */

#ifndef ARCH_CONTEXT_H
#define ARCH_CONTEXT_H

#define ARCH_N_HEAT 1024

#ifndef __ASSEMBLER__
#include "arch/regs.h"

struct arch_context
{
  struct arch_context *self;    /*   0 */
  uint64_t gpr[ARCH_N_GPR];     /*   8 */
  uint64_t rip;                 /* 136: where the application goes on */
  uint64_t rflags;              /* 144 */
  uint64_t next;                /* 152: cache address to enter at */
  uint64_t engine_rsp;          /* 160: top of the engine's stack */
  uint64_t leave;               /* 168: address of the leave routine */
  uint64_t exit;                /* 176: number of the exit taken */
  uint64_t target;              /* 184: application PC of an indirect branch */
  uint64_t table;               /* 192: lookup table of this flavour */
  uint64_t lookup_miss;         /* 200: routine for a target not in there */
  uint64_t spill[4];            /* 208: scratch of rewriting rules */
  uint64_t fs_base, gs_base;    /* 240: the application's */
  uint64_t interrupted;         /* 256: not 0: arch_enter goes to the
                                   dispatcher instead */
  uint16_t heat[ARCH_N_HEAT];   /* 264: times that links to heads of traces
                                   were taken, by a hash of the head */
  uint64_t held;                /* 2312: mask of the registers that this
                                   flavour holds (rewrite.h); of those gpr is
                                   the application's at every border */
  uint64_t constant;            /* 2320: what its code expects in %r10 */
  uint64_t resume;              /* 2328: where arch_enter_held goes */
};
#endif

#define CONTEXT_GPR(R) (8 + 8 * (R))
#define CONTEXT_RIP 136
#define CONTEXT_RFLAGS 144
#define CONTEXT_NEXT 152
#define CONTEXT_ENGINE_RSP 160
#define CONTEXT_LEAVE 168
#define CONTEXT_EXIT 176
#define CONTEXT_TARGET 184
#define CONTEXT_TABLE 192
#define CONTEXT_LOOKUP_MISS 200
#define CONTEXT_SPILL(N) (208 + 8 * (N))
#define CONTEXT_FS_BASE 240
#define CONTEXT_GS_BASE 248
#define CONTEXT_INTERRUPTED 256
#define CONTEXT_HEAT(N) (264 + 2 * (N))
#define CONTEXT_HELD 2312
#define CONTEXT_CONSTANT 2320
#define CONTEXT_RESUME 2328

#ifndef __ASSEMBLER__
_Static_assert (offsetof (struct arch_context, rip) == CONTEXT_RIP, "");
_Static_assert (offsetof (struct arch_context, table) == CONTEXT_TABLE, "");
_Static_assert (offsetof (struct arch_context, spill) == CONTEXT_SPILL (0),
                "");
_Static_assert (offsetof (struct arch_context, interrupted)
                == CONTEXT_INTERRUPTED, "");
_Static_assert (offsetof (struct arch_context, heat) == CONTEXT_HEAT (0), "");
_Static_assert (offsetof (struct arch_context, held) == CONTEXT_HELD, "");
_Static_assert (offsetof (struct arch_context, resume) == CONTEXT_RESUME, "");
#endif

#endif
