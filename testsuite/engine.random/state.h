/* The state of a processor, as a number.  */

#ifndef TESTSUITE_ENGINE_RANDOM_STATE_H
#define TESTSUITE_ENGINE_RANDOM_STATE_H

#include "common/types.h"

/* What xsave stores, but the protection keys.  */
#define STATE_FEATURES 0xe7
#define STATE_XSAVE_SIZE 4096

/* Ask the processor for the layout of its vector state.  */
void state_init (void);

/* Fill AREA, in the standard format, with random contents.  */
void state_random (uint8_t *area);

/* Mix SIZE bytes at P, a multiple of 8, into HASH.  */
uint64_t state_mix (uint64_t hash, const void *p, size_t size);

/* Mix the x87 and vector state in AREA into HASH.  What is not stored there
   because it is as after a reset is filled in.  Left out is the address of the
   last x87 instruction.  */
uint64_t state_vectors (uint64_t hash, uint8_t *area);

#endif
