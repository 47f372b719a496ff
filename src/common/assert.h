/* Assertions: on in release too.

   A failed one calls bug_handler, which each side sets: the engine's dumps
   what it knows by raw write and exits 70; without one the process traps.  */

#ifndef COMMON_ASSERT_H
#define COMMON_ASSERT_H

#include "common/types.h"

#define VM_EXIT_BUG 70

extern void (*bug_handler) (const char *what, const char *file, int line);

/* A bug: WHAT is the expression that was false, or a sentence.  */
void vm_bug (const char *what, const char *file, int line) NORETURN;

#define vm_assert(E)                                                          \
  (__builtin_expect (!!(E), 1) ? (void) 0 : vm_bug (#E, __FILE__, __LINE__))

#define vm_unreachable(WHAT) vm_bug (WHAT, __FILE__, __LINE__)

#endif
