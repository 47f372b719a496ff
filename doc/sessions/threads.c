/* The sample of the manual's session on threads: four workers add to a
   counter, a lock around it.  */

#include <pthread.h>
#include <stdio.h>

#define N_WORKERS 4
#define N_ROUNDS 1000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t barrier;
static long counter;

static void
add (long amount)
{
  pthread_mutex_lock (&lock);
  counter += amount;
  pthread_mutex_unlock (&lock);
}

static void *
worker (void *arg)
{
  long number = (long) arg;

  pthread_barrier_wait (&barrier);
  for (int i = 0; i < N_ROUNDS; i++)
    add (number);
  pthread_barrier_wait (&barrier);
  return NULL;
}

static void
report (void)
{
  printf ("counter %ld\n", counter);
}

int
main (void)
{
  pthread_t threads[N_WORKERS];

  pthread_barrier_init (&barrier, NULL, N_WORKERS + 1);
  for (long i = 0; i < N_WORKERS; i++)
    pthread_create (&threads[i], NULL, worker, (void *) i);
  pthread_barrier_wait (&barrier);
  pthread_barrier_wait (&barrier);
  for (int i = 0; i < N_WORKERS; i++)
    pthread_join (threads[i], NULL);
  report ();
  return 0;
}
