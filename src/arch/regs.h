/* The register file of a thread, as the engine, the channel and the server
   all see it.  Integer registers only: vector state travels as an XSAVE image
   beside it (SDM volume 1, chapter 13, standard format).

   The order of GPR is that of the instruction encoding (SDM volume 2, table
   2-2), so that a register number from an instruction is an index.  */

#ifndef ARCH_REGS_H
#define ARCH_REGS_H

#include "common/types.h"

enum arch_gpr
{
  ARCH_RAX, ARCH_RCX, ARCH_RDX, ARCH_RBX, ARCH_RSP, ARCH_RBP, ARCH_RSI,
  ARCH_RDI, ARCH_R8, ARCH_R9, ARCH_R10, ARCH_R11, ARCH_R12, ARCH_R13,
  ARCH_R14, ARCH_R15, ARCH_N_GPR
};

struct arch_regs
{
  uint64_t gpr[ARCH_N_GPR];
  uint64_t rip;
  uint64_t rflags;
  uint64_t fs_base;
  uint64_t gs_base;             /* the application's, not the engine's */
  uint64_t orig_rax;            /* -1 outside a system call */
  uint16_t cs, ss, ds, es, fs, gs;
  uint32_t pad;
};

#endif
