/* The engine's first steps in a process.

   engine_start is the entry of the image: the server sends the process there
   at its first instruction, with the address of the channel in %rdi and
   a stack that must not be touched.  */

#ifndef ENGINE_START_H
#define ENGINE_START_H

#include "channel/channel.h"

/* The channel of this process.  */
extern struct channel *channel;

/* Begin, on the boot stack: called by engine_start.  */
NORETURN void start_main (void *channel);

/* The value of entry TYPE in the auxiliary vector of the application, which
   lies above its stack pointer RSP at its first instruction; 0: none.  */
uint64_t start_auxv (app_addr rsp, uint64_t type);

#endif
