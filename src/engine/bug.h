/* What the engine does about bugs of its own, and where its log goes.  */

#ifndef ENGINE_BUG_H
#define ENGINE_BUG_H

#include "engine/thread.h"

/* Set bug_handler and log_sink: both write to descriptor 2.  */
void bug_init (void);

/* The engine faulted at PC: signal SIG, address ADDR.  Says so and exits
   with VM_EXIT_BUG.  */
void bug_fault (int sig, uint64_t pc, uint64_t addr) NORETURN;

#endif
