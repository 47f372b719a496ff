/* The first thread leaves, the last one ends the process; and one thread's
   signals come to the thread that they were sent to.  */

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_t leader;
static volatile sig_atomic_t got_by[2];
static __thread int me;

static void
note (int sig)
{
  (void) sig;
  got_by[me]++;
}

static void *
survivor (void *arg)
{
  me = 1;
  pthread_join (leader, NULL);
  for (int i = 0; i < 100; i++)
    pthread_kill (pthread_self (), SIGUSR1);
  printf ("the leader is gone; signals %d %d, argument %s\n", got_by[0],
          got_by[1], (char *) arg);
  exit (23);
}

int
main (void)
{
  pthread_t t;

  leader = pthread_self ();
  signal (SIGUSR1, note);
  for (int i = 0; i < 10; i++)
    pthread_kill (leader, SIGUSR1);
  pthread_create (&t, NULL, survivor, "handed over");
  pthread_exit (NULL);
}
