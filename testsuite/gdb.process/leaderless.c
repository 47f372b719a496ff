/* The first thread has ended when another one executes the program anew.  */

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static pthread_t leader;
static char *self;

static void *
execute (void *arg)
{
  pthread_join (leader, NULL);
  execl (self, self, "again", (char *) NULL);
  return arg;
}

int
main (int argc, char **argv)
{
  pthread_t thread;

  if (argc > 1)
    return 7;
  leader = pthread_self ();
  self = argv[0];
  pthread_create (&thread, NULL, execute, NULL);
  pthread_exit (NULL);
}
