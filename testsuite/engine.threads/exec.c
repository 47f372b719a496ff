/* A thread executes another program while others run.  */

#include <pthread.h>
#include <unistd.h>

static void *
spin (void *arg)
{
  for (;;)
    ;
  return arg;
}

static void *
execute (void *arg)
{
  execl ("/bin/echo", "echo", "from a thread", (char *) NULL);
  return arg;
}

int
main (void)
{
  pthread_t t;
  for (int i = 0; i < 4; i++)
    pthread_create (&t, NULL, spin, NULL);
  pthread_create (&t, NULL, execute, NULL);
  pause ();
  return 1;
}
