/* Calls a function COUNT times and writes the time of one call, in
   nanoseconds, to the file RESULT: calls COUNT RESULT.  The benchmarks put
   conditions and tracepoints on `visit'.  */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

volatile long sum;

void __attribute__ ((noinline))
visit (int n)
{
  sum += n & 7;
}

static double
now (void)
{
  struct timespec t;

  clock_gettime (CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

int
main (int argc, char **argv)
{
  int count;
  double start, end;
  FILE *f;

  if (argc != 3 || (count = atoi (argv[1])) <= 0)
    return 2;
  start = now ();
  for (int n = 0; n < count; n++)
    visit (n);
  end = now ();
  f = fopen (argv[2], "w");
  if (f == NULL)
    return 1;
  fprintf (f, "%g\n", (end - start) / count);
  return fclose (f) != 0;
}
