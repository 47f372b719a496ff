/* Random instructions for the decoder's fuzzers.

   Bytes are not even: prefixes, escapes and the payloads of VEX, EVEX and
   XOP are put together from fields, so that much of what is made is an
   instruction, with a displacement of 4 bytes seldom.  */

#ifndef TESTSUITE_UNIT_ARCH_DECODE_RANDOM_H
#define TESTSUITE_UNIT_ARCH_DECODE_RANDOM_H

#include "common/types.h"

void random_seed (uint64_t seed);
uint64_t random_bits (void);

/* Fill CODE with an attempt at an instruction.  */
void random_insn (uint8_t code[16]);

#endif
