/* Random instructions that stay where they belong.

   An instruction of random bytes is taken if running it can do no harm, and
   if it gives the same result each time.  Its memory operand is given a random
   form that leads into the program's own data: registers that are part of the
   address are loaded in front of it.  */

#ifndef TESTSUITE_ENGINE_RANDOM_OPERAND_H
#define TESTSUITE_ENGINE_RANDOM_OPERAND_H

#include "engine.random/assemble.h"

/* EVEX: the processor has AVX-512.  */
void operand_init (bool evex);

/* Write a random instruction, and what it needs in front of it, that changes
   no register of the mask PRESERVE.  */
void operand_insn (unsigned preserve);

/* A random number below N.  */
unsigned below (unsigned n);

#endif
