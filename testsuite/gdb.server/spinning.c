/* Fifty threads that never leave a loop.  One of them says so when it is
   asked.  */

#include <pthread.h>
#include <stdio.h>

#define N 50

volatile unsigned long work[N];
volatile int speak = 1;

static void *
spin (void *arg)
{
  volatile unsigned long *mine = arg;

  for (;;)
    ++*mine;
  return NULL;
}

int
main (void)
{
  pthread_t thread;

  for (int i = 1; i < N; i++)
    if (pthread_create (&thread, NULL, spin, (void *) &work[i]) != 0)
      return 1;
  for (;;)
    {
      work[0]++;
      if (speak)
        {
          speak = 0;
          puts ("ready");
          fflush (stdout);
        }
    }
}
