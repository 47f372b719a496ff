/* Eight threads that call one function at once, count under a lock, and count
   without one.  */

#include <pthread.h>
#include <stdio.h>

#define THREADS 8
#define CALLS 20000
#define COUNTS 25

volatile long total, counter, bumps;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t barrier;

void __attribute__ ((noinline))
work (long me, long n)
{
  __atomic_add_fetch (&total, me * n & 7, __ATOMIC_RELAXED);
}

void __attribute__ ((noinline))
counted (long me)
{
  (void) me;
  pthread_mutex_lock (&lock);
  counter++;
  pthread_mutex_unlock (&lock);
}

void __attribute__ ((noinline))
bump (void)
{
  __atomic_add_fetch (&bumps, 1, __ATOMIC_RELAXED);
}

static void *
run (void *arg)
{
  long me = (long) arg;

  pthread_barrier_wait (&barrier);
  for (long n = 0; n < CALLS; n++)
    work (me, n);
  pthread_barrier_wait (&barrier);
  for (long n = 0; n < COUNTS; n++)
    counted (me);
  pthread_barrier_wait (&barrier);
  for (long n = 0; n < COUNTS; n++)
    bump ();
  return NULL;
}

static long __attribute__ ((noinline))
finished (long result)
{
  return result + 1;
}

int
main (void)
{
  pthread_t t[THREADS];

  pthread_barrier_init (&barrier, NULL, THREADS);
  for (long i = 0; i < THREADS; i++)
    pthread_create (t + i, NULL, run, (void *) i);
  for (int i = 0; i < THREADS; i++)
    pthread_join (t[i], NULL);
  printf ("total %ld, counter %ld\n", total, counter);
  return finished (counter) == THREADS * COUNTS + 1 ? 0 : 1;
}
