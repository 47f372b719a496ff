/* Threads are born all the time, and each comes to one function.  */

#include <pthread.h>

#define THREADS 300

volatile long total;

void __attribute__ ((noinline))
work (long n)
{
  __atomic_add_fetch (&total, n, __ATOMIC_RELAXED);
}

static void *
run (void *arg)
{
  work ((long) arg);
  return NULL;
}

static void __attribute__ ((noinline))
finished (long result)
{
  __asm__ volatile ("" : : "r"(result));
}

int
main (void)
{
  static pthread_t t[THREADS];

  for (long i = 0; i < THREADS; i++)
    pthread_create (t + i, NULL, run, (void *) i);
  for (int i = 0; i < THREADS; i++)
    pthread_join (t[i], NULL);
  finished (total);
  return 0;
}
