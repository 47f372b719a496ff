/* System calls that change the memory map: the functions are named in
   calls.def and called by the gate alone.  */

#ifndef ENGINE_MEMORY_CALLS_H
#define ENGINE_MEMORY_CALLS_H

#include "common/types.h"

/* Once the areas are known, before the program runs: give the kernel the
   protection that memory_kernel_prot says.  */
void memory_calls_init (void);

/* The application's own protection everywhere: it is about to run
   natively.  */
void memory_calls_undo (void);

/* The kernel's protection where the application asks for PROT: the engine
   must be able to read code, and the nx_app option leaves nothing
   executable.  */
uint64_t memory_kernel_prot (uint64_t prot);

/* Between the two no other thread is changing the map: what the areas say is
   what the kernel has.  */
void memory_calls_acquire (void);
void memory_calls_release (void);

#endif
