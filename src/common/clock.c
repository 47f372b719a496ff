/* See clock.h.  */

#include "common/clock.h"

#include <time.h>

/* See clock.h.  */
int64_t
clock_ms (void)
{
  return clock_us () / 1000;
}

/* See clock.h.  */
uint64_t
clock_us (void)
{
  struct timespec t;

  clock_gettime (CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}
