/* Where the oracles disagree with the decoder, and are wrong.  */

#ifndef TESTSUITE_UNIT_ARCH_DECODE_KNOWN_H
#define TESTSUITE_UNIT_ARCH_DECODE_KNOWN_H

#include "arch/decode.h"

/* What can disagree.  */
enum aspect
{
  VALIDITY, LENGTH, LAYOUT, BRANCH, TARGET, KNOWN, PREFIXES, FLAGS_READ,
  FLAGS_WRITTEN, GPR_READ, GPR_WRITTEN, MEMORY, N_ASPECTS
};

extern const char *const aspect_names[N_ASPECTS];

/* What an oracle makes of an instruction.  */
struct verdict
{
  bool known;                   /* to the oracle */
  uint8_t length;               /* according to it */
  uint16_t differs;             /* aspects in which it disagrees, bits */
};

/* Whether a row of the table says that the decoder is right about ASPECT of
   I, whatever an oracle says.  */
bool known_disagreement (const struct insn *i, enum aspect aspect);

#endif
