/* Zydis as an oracle of the decoder.  */

#ifndef TESTSUITE_UNIT_ARCH_DECODE_ZYDIS_H
#define TESTSUITE_UNIT_ARCH_DECODE_ZYDIS_H

#include "unit.arch/decode-known.h"

/* To be called first.  VERBOSE shows an example of each kind of
   disagreement, keyed by encoding family, map, opcode and ModRM.reg.  */
void zydis_init (bool verbose);

/* Judge what the decoder says of I, whose AVAIL bytes are at CODE.  */
struct verdict zydis_judge (const struct insn *i, enum insn_status status,
                            const uint8_t *code, size_t avail);

#endif
