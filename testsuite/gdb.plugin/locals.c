/* Two threads, one after the other, count in a thread-local variable of their
   own, from 0 and from 1000.  */

#include <pthread.h>
#include <stdio.h>

__thread long counted;
__thread struct { char c; double half; } pair;

double __attribute__ ((noinline))
take (double x, long n)
{
  counted = n;
  pair.half = x / 2;
  return x + pair.half;
}

static void *
count (void *from)
{
  double sum = 0;

  for (long n = 0; n < 500; n++)
    sum += take ((double) n, (long) from + n);
  printf ("%g, %ld\n", sum, counted);
  return 0;
}

int
main (void)
{
  pthread_t t;

  count (0);
  if (pthread_create (&t, 0, count, (void *) 1000) != 0)
    return 1;
  return pthread_join (t, 0) != 0;
}
