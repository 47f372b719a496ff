/* Code to decode: the executable sections of ELF files, instruction by
   instruction, each distinct one once.  */

#ifndef TESTSUITE_UNIT_ARCH_DECODE_SWEEP_H
#define TESTSUITE_UNIT_ARCH_DECODE_SWEEP_H

#include "arch/decode.h"

/* Called for a distinct instruction, that is one that differs in more than
   a displacement or a branch offset: AVAIL bytes at CODE, of which the first
   insn is I; STATUS is what the decoder said.  Returns the number of bytes
   to go on by; 0 stands for the decoder's own length.  */
typedef unsigned sweep_fn (const struct insn *i, enum insn_status status,
                           const uint8_t *code, size_t avail);

/* Sweep over the executable sections of FILE.  Returns false if FILE is no
   64-bit x86 ELF file that can be read.  */
bool sweep_file (const char *file, sweep_fn *fn);

/* Call FN for each executable section of FILE; the sections stay mapped.
   Returns false as above.  */
bool sweep_sections (const char *file,
                     void (*fn) (const uint8_t *code, size_t size));

/* Sweep over SIZE bytes at CODE, as if they stood at PC.  */
void sweep_code (const uint8_t *code, size_t size, app_pc pc, sweep_fn *fn);

/* Instructions met so far, and distinct ones.  */
extern unsigned long sweep_n_met, sweep_n_distinct;

#endif
