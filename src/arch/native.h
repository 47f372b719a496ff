/* Leaving the engine for good: the program runs natively from here.  */

#ifndef ARCH_NATIVE_H
#define ARCH_NATIVE_H

#include "arch/regs.h"

/* Load all of REGS but the segment bases, which the caller has set, and go
   on at its rip.  The program's stack is not touched.  Vector state is left
   as it is.  No lock may be held.  */
NORETURN void arch_go_native (const struct arch_regs *regs);

#endif
