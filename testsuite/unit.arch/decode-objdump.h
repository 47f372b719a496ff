/* objdump as an oracle of the decoder: lengths and branch kinds of many
   instructions in one run of the program.  */

#ifndef TESTSUITE_UNIT_ARCH_DECODE_OBJDUMP_H
#define TESTSUITE_UNIT_ARCH_DECODE_OBJDUMP_H

#include "unit.arch/decode-known.h"

/* An instruction to judge, and its verdict.  */
struct specimen
{
  uint8_t bytes[INSN_MAX_LENGTH];
  uint8_t length, branch;       /* as the decoder has them */
  struct verdict zydis, capstone, objdump;
};

/* Fill in OBJDUMP of N specimens at S.  Returns false if there is no objdump
   that can be run.  */
bool objdump_judge (struct specimen *s, size_t n);

#endif
