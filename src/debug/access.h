/* What the instruction at a thread's PC is about to access, and doing only
   part of a repeated string instruction.

   What the registers do not tell (the indices of scatters and gathers, an
   instruction of unknown effect) counts as all of memory when it is written
   to, and as nothing when it is read.  */

#ifndef DEBUG_ACCESS_H
#define DEBUG_ACCESS_H

#include "arch/decode.h"
#include "arch/context.h"
#include "debug/ranges.h"

struct access_part
{
  app_addr start, end;
  unsigned access;              /* enum insn_access */
};

struct access
{
  unsigned n;
  struct access_part part[INSN_MAX_MEM];
  struct insn insn;
  uint8_t bytes[INSN_MAX_LENGTH];       /* insn's */
  uint64_t rest;                /* iterations that are left out */
};

/* Find out what the instruction at C's PC will access.  A repeated one is made
   to do no more than what leads to the first element that lies in RANGES: %rcx
   is changed, and the parts are those of that element.  */
void access_begin (struct access *a, struct arch_context *c,
                   const struct ranges *ranges);

/* The instruction, at PC, is DONE as far as it was let, or has been
   interrupted: put right what access_begin has changed.  */
void access_end (struct access *a, struct arch_context *c, app_pc pc,
                 bool done);

#endif
