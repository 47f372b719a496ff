/* Threads that fork all the time, beside one that does not.  */

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#define N 4

static void *
forker (void *arg)
{
  for (;;)
    {
      int pid = fork ();

      if (pid == 0)
        _exit (11);
      waitpid (pid, NULL, 0);
    }
  return arg;
}

void __attribute__ ((noinline))
here (void)
{
  usleep (100);
}

int
main (void)
{
  pthread_t thread;

  for (int i = 0; i < N; i++)
    pthread_create (&thread, NULL, forker, NULL);
  for (;;)
    here ();
}
