/* spin N: N threads that never leave a loop.  */

#include <pthread.h>
#include <stdlib.h>

static void *
spin (void *arg)
{
  volatile unsigned long n = 0;

  for (;;)
    n++;
  return arg;
}

int
main (int argc, char **argv)
{
  int n = argc > 1 ? atoi (argv[1]) : 1;
  pthread_attr_t attr;
  pthread_t thread;

  pthread_attr_init (&attr);
  pthread_attr_setstacksize (&attr, 65536);
  for (int i = 1; i < n; i++)
    if (pthread_create (&thread, &attr, spin, NULL) != 0)
      return 1;
  spin (NULL);
}
