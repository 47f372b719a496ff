/* Functions compiled by the compiler run from the cache and return what they
   return natively: calls, recursion, jump tables, pointers to functions, the
   C library with its system calls, and a cache that is far too small.  */

#include "little-engine.h"
#include "lib/check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int the_static = 5;

static long __attribute__ ((noinline))
fib (long n, long m)
{
  return n < 2 ? n + m : fib (n - 1, m) + fib (n - 2, m);
}

static long __attribute__ ((noinline))
switches (long n, long seed)
{
  unsigned long x = (unsigned long) seed, s = 0;
  for (long i = 0; i < n; i++)
    {
      x = x * 6364136223846793005ul + 1442695040888963407ul;
      switch (x >> 60)
        {
        case 0: s += 3; break;
        case 1: s ^= x; break;
        case 2: s -= 5; break;
        case 3: s = s << 3 | s >> 61; break;
        case 4: s *= 3; break;
        case 5: s += x & 255; break;
        case 6: s = ~s; break;
        case 7: s += (unsigned long) the_static++; break;
        case 8: s ^= s >> 7; break;
        default: s ^= 0x55;
        }
    }
  return (long) s;
}

static int
compare (const void *a, const void *b)
{
  return *(const int *) a < *(const int *) b ? -1
         : *(const int *) a > *(const int *) b;
}

static long __attribute__ ((noinline))
sorts (long n, long seed)
{
  int *v = malloc ((size_t) n * sizeof *v);
  char text[64];
  long sum = 0;

  for (long i = 0; i < n; i++)
    v[i] = (int) (seed = seed * 1103515245 + 12345);
  qsort (v, (size_t) n, sizeof *v, compare);
  for (long i = 0; i < n; i++)
    sum = sum * 31 + v[i];
  snprintf (text, sizeof text, "%ld %g %s", sum, (double) sum / 3,
            n & 1 ? "odd" : "even");
  for (char *p = text; *p; p++)
    sum = sum * 33 + *p;
  free (v);
  return sum + (getppid () > 0);
}

static void
check_all (const char *how)
{
  long s;
  the_static = 5;
  s = switches (100000, 7);
  the_static = 5;
  check (little_call (switches, 100000, 7) == s, "jump table, %s", how);
  check (little_call (fib, 22, 1) == fib (22, 1), "recursion, %s", how);
  check (little_call (sorts, 5000, 3) == sorts (5000, 3),
         "qsort, snprintf, malloc, %s", how);
}

static void
check_traces (unsigned threshold, bool near, bool no_compare)
{
  uint64_t before = cache_stats ()->traces;

  little_threshold = threshold;
  little_no_compare = no_compare;
  little_init (0, near);
  check_all (no_compare ? "traces, no comparison" : near ? "traces, near"
                                                         : "traces, far");
  check (cache_stats ()->traces > before, "threshold %u: %lu traces",
         threshold, cache_stats ()->traces - before);
  little_init (96 * 1024, near);
  check_all ("traces, 96 KiB");
}

int
main (void)
{
  unsigned long before;

  little_init (24 * 1024, true);
  check_all ("24 KiB");
  check (cache_stats ()->resets > 2, "the small cache filled up");
  little_init (0, true);
  check_all ("near");
  before = little_dispatches;
  little_call (fib, 22, 1);
  check (little_dispatches - before < 20,
         "linked: the cache is left %lu times", little_dispatches - before);
  little_init (0, false);
  check_all ("far");
  for (unsigned n = 0; n < 4; n++)
    check_traces (n & 1 ? 50 : 2, n < 2, false);
  check_traces (2, true, true);
  return check_done ();
}
