/* Eight threads that all write one counter, with and without a lock prefix;
   each store of the second kind is of a number of its own.  */

#include <pthread.h>

#define THREADS 8
#define TIMES 2000

long locked, plain;

static void *
count (void *p)
{
  long me = (long) p;

  for (long n = 1; n <= TIMES; n++)
    {
      __atomic_add_fetch (&locked, 1, __ATOMIC_RELAXED);
      *(volatile long *) &plain = me << 32 | n;
    }
  return p;
}

static void __attribute__ ((noipa))
counted (long n)
{
  locked = n;
}

int
main (void)
{
  pthread_t thread[THREADS];

  for (long n = 0; n < THREADS; n++)
    pthread_create (&thread[n], 0, count, (void *) (n + 1));
  for (int n = 0; n < THREADS; n++)
    pthread_join (thread[n], 0);
  counted (locked);
  return 0;
}
