/* Threads that are seen as soon as they are made, before they had a turn.  */

#include <pthread.h>

#define THREADS 60

static pthread_barrier_t barrier;

static void __attribute__ ((noinline))
made (int count)
{
  __asm__ volatile ("" ::"r"(count));
}

static void *
run (void *arg)
{
  (void) arg;
  pthread_barrier_wait (&barrier);
  return NULL;
}

int
main (void)
{
  pthread_t t[THREADS];

  pthread_barrier_init (&barrier, NULL, THREADS + 1);
  for (int n = 0; n < THREADS; n++)
    {
      pthread_create (t + n, NULL, run, NULL);
      made (n + 1);
    }
  pthread_barrier_wait (&barrier);
  for (int n = 0; n < THREADS; n++)
    pthread_join (t[n], NULL);
  return 0;
}
