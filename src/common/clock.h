/* The monotonic clock, for the server.  The engine has its own (ticks.h).  */

#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include "common/types.h"

int64_t clock_ms (void);
uint64_t clock_us (void);

#endif
