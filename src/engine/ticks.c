/* See ticks.h.  What a tick is worth is asked when it is needed: by two notes
   of both clocks, the first of which was made when the engine began.  */

#include "engine/ticks.h"
#include "arch/enter.h"
#include "linux/raw.h"

enum { CLOCK_MONOTONIC_ = 1, PR_GET_TSC_ = 25, PR_TSC_ENABLE_ = 1 };

static uint64_t began_ns, began_ticks;
static bool forbidden;

static uint64_t
now_ns (void)
{
  struct linux_timespec ts = { 0 };
  raw3 (__NR_clock_gettime, CLOCK_MONOTONIC_, RAW_PTR (&ts), 0);
  return ts.sec * 1000000000ul + ts.nsec;
}

/* See ticks.h.  */

void
ticks_forbid (void)
{
  began_ticks = began_ns;
  __atomic_store_n (&forbidden, true, __ATOMIC_RELEASE);
}

/* See ticks.h.  */

void
ticks_init (void)
{
  uint32_t how = PR_TSC_ENABLE_;
  began_ns = now_ns ();
  raw3 (__NR_prctl, PR_GET_TSC_, RAW_PTR (&how), 0);
  if (how == PR_TSC_ENABLE_)
    began_ticks = arch_ticks ();
  else
    ticks_forbid ();
}

/* See ticks.h.  */

bool
ticks_are_stamps (void)
{
  return !__atomic_load_n (&forbidden, __ATOMIC_ACQUIRE);
}

/* See ticks.h.  */

uint64_t
ticks_now (void)
{
  return ticks_are_stamps () ? arch_ticks () : now_ns ();
}

/* See ticks.h.  */

uint64_t
ticks_to_ns (uint64_t ticks)
{
  uint64_t life = ticks_now () - began_ticks;
  return ticks < life ? arch_scale (ticks, now_ns () - began_ns, life) : 0;
}

/* See ticks.h.  */

uint64_t
ticks_elapsed (uint64_t *ticks)
{
  uint64_t since = *ticks;
  *ticks = ticks_now ();
  return ticks_to_ns (*ticks - since);
}
