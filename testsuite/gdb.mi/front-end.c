/* What a front end looks at: a called function with a loop, a global that is
   written, threads that wait, and a main that spins until it is told to
   end.  */

#include <pthread.h>

#define WORKERS 2

volatile int total;
volatile int spinning = 1;
static pthread_barrier_t born, finish;

static int
add (int limit)
{
  int sum = 0;

  for (int i = 1; i <= limit; i++)
    {
      sum += i;
      total = sum;
    }
  return sum;
}

static void *
work (void *arg)
{
  pthread_barrier_wait (&born);
  pthread_barrier_wait (&finish);
  return arg;
}

int
main (void)
{
  pthread_t threads[WORKERS];
  int result = 0;

  pthread_barrier_init (&born, NULL, WORKERS + 1);
  pthread_barrier_init (&finish, NULL, WORKERS + 1);
  for (int i = 0; i < WORKERS; i++)
    if (pthread_create (&threads[i], NULL, work, NULL) != 0)
      return 1;
  pthread_barrier_wait (&born);
  for (int limit = 1; limit <= 6; limit++)
    result += add (limit);
  while (spinning)
    continue;
  pthread_barrier_wait (&finish);
  for (int i = 0; i < WORKERS; i++)
    pthread_join (threads[i], NULL);
  return result != 1 + 3 + 6 + 10 + 15 + 21;
}
