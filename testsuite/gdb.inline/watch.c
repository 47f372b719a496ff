/* Stores to what is watched, by the program and by the kernel for it.  */

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

long global, other;
char array[1 << 20];
__thread long local_to_thread = 5;
static char stack_for_handler[65536];

__attribute__ ((noinline)) static void
increase (long *p)
{
  ++*p;
}

static void
handle (int sig)
{
  other += sig;
}

/* One at a time: of two stores that are both done before either has stopped,
   GDB counts the first, which brings the value of both.  */
static void *
count (void *p)
{
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

  for (int n = 0; n < 25; n++)
    {
      pthread_mutex_lock (&mutex);
      __atomic_add_fetch ((long *) p, 1, __ATOMIC_RELAXED);
      pthread_mutex_unlock (&mutex);
    }
  return p;
}

int
main (void)
{
  stack_t st = { .ss_sp = stack_for_handler,
                 .ss_size = sizeof stack_for_handler };
  struct sigaction sa = { .sa_handler = handle, .sa_flags = SA_ONSTACK };
  pthread_t thread[4];
  int pipes[2];

  increase (&other);
  increase (&global);           /* from 0 to 1 */
  *(volatile long *) &global = 1;
  increase (&global);           /* to 2 */
  for (int n = 0; n < 1000; n++)
    memset (array, n, 4096);
  memset (array + 500000, 1, 100000);
  memset (array + 500000, 1, 100000);
  if (pipe (pipes) || write (pipes[1], "hello", 5) != 5
      || read (pipes[0], array + 700000, 5) != 5)
    return 1;
  sigaltstack (&st, 0);
  sigaction (SIGUSR1, &sa, 0);
  raise (SIGUSR1);
  local_to_thread++;
  for (int n = 0; n < 4; n++)
    pthread_create (&thread[n], 0, count, &global);
  for (int n = 0; n < 4; n++)
    pthread_join (thread[n], 0);
  for (long n = 0; n < 30000000; n++)
    *(volatile long *) &other = n;
  printf ("%ld\n", global);
  return 0;
}
