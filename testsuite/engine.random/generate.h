/* Random programs.

   A program is a number of routines, each of which calls only those written
   before it, so that it ends.  Control flow is structured: conditionals,
   loops with counters, jump tables, calls and returns of every kind, pushes
   that are popped again; what is between is operand_insn's.  */

#ifndef TESTSUITE_ENGINE_RANDOM_GENERATE_H
#define TESTSUITE_ENGINE_RANDOM_GENERATE_H

#include "engine.random/assemble.h"

/* Write a program; the result is where it begins.  It ends by jumping to
   control.finish.  FSGSBASE: the processor has rdfsbase and its like.  */
uint64_t generate (bool fsgsbase);

#endif
