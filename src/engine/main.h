/* The engine proper begins: engine_main (start.h) makes memory, the first
   thread, the map of the application, signals and the cache, in this order,
   and runs the program.  */

#ifndef ENGINE_MAIN_H
#define ENGINE_MAIN_H

#include "channel/channel.h"

/* The channel of this process.  */
extern struct channel *channel;

/* The value of entry TYPE in the auxiliary vector of the application, which
   lies above its stack pointer RSP at its first instruction; 0: none.  */
uint64_t main_auxv (app_addr rsp, uint64_t type);

#endif
