/* The signal that the engine uses among its threads is the program's as well:
   sent to itself while it computes, with a value, one at a time.  */

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define KICK 62
#define ROUNDS 500

static volatile long sum, n_got;
static volatile int stop;

static void
note (int sig, siginfo_t *info, void *context)
{
  (void) context;
  sum += sig * info->si_value.sival_int;
  n_got++;
}

static void *
compute (void *arg)
{
  volatile long *n = arg;

  while (!stop)
    ++*n;
  return NULL;
}

int
main (void)
{
  struct sigaction a = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
  volatile long n = 0;
  pthread_t t;

  sigaction (KICK, &a, NULL);
  pthread_create (&t, NULL, compute, (void *) &n);
  for (int i = 1; i <= ROUNDS; i++)
    {
      sigqueue (getpid (), KICK, (union sigval) { .sival_int = i });
      while (n_got < i)
        ;
    }
  stop = 1;
  pthread_join (t, NULL);
  printf ("%ld of %d, sum %ld\n", n_got, ROUNDS, sum);
  return 0;
}
