/* Thousands of short threads, and some that work: locks, conditions, barriers,
   thread-locals, cancellation.  */

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define N_SHORT 3000
#define N_WORKERS 8

static __thread long local = 7;
static long total, turn;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static sem_t forever;

static void *
short_life (void *arg)
{
  local += (long) arg;
  __atomic_fetch_add (&total, local, __ATOMIC_RELAXED);
  return (void *) local;
}

static void *
take_turns (void *arg)
{
  long me = (long) arg;

  for (int round = 0; round < 200; round++)
    {
      pthread_mutex_lock (&lock);
      while (turn % N_WORKERS != me)
        pthread_cond_wait (&moved, &lock);
      turn++;
      pthread_cond_broadcast (&moved);
      pthread_mutex_unlock (&lock);
    }
  return NULL;
}

static void *
wait_for_ever (void *arg)
{
  sem_wait (arg);
  return NULL;
}

int
main (void)
{
  pthread_t t[N_WORKERS];
  void *result;
  long sum = 0;

  for (long i = 0; i < N_SHORT; i += N_WORKERS)
    {
      for (long k = 0; k < N_WORKERS; k++)
        if (pthread_create (&t[k], NULL, short_life, (void *) (i + k)) != 0)
          abort ();
      for (int k = 0; k < N_WORKERS; k++)
        {
          pthread_join (t[k], &result);
          sum += (long) result;
        }
    }
  printf ("short: %ld %ld, here %ld\n", total, sum, local);
  for (long k = 0; k < N_WORKERS; k++)
    pthread_create (&t[k], NULL, take_turns, (void *) k);
  for (int k = 0; k < N_WORKERS; k++)
    pthread_join (t[k], NULL);
  printf ("turns: %ld\n", turn);
  sem_init (&forever, 0, 0);
  pthread_create (&t[0], NULL, wait_for_ever, &forever);
  pthread_cancel (t[0]);
  pthread_join (t[0], &result);
  printf ("cancelled: %d\n", result == PTHREAD_CANCELED);
  return 0;
}
