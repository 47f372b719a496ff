/* Capstone as an oracle of the decoder: lengths, branch kinds, flags,
   registers and explicit memory operands.  Capstone 4 is often wrong and
   never asked alone.  */

#ifndef TESTSUITE_UNIT_ARCH_DECODE_CAPSTONE_H
#define TESTSUITE_UNIT_ARCH_DECODE_CAPSTONE_H

#include "unit.arch/decode-known.h"

/* To be called first.  */
void capstone_init (void);

/* Judge what the decoder says of I, whose AVAIL bytes are at CODE.  */
struct verdict capstone_judge (const struct insn *i, enum insn_status status,
                               const uint8_t *code, size_t avail);

#endif
