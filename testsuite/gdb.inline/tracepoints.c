/* Calls to be traced: by eight threads, with timers that interrupt them; and
   one whose memory cannot be read.  */

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { N_THREADS = 8 };

struct node { struct node *next; long value; };

long n_calls = 20000;
volatile long total;
volatile long ticks;
char text[] = "some text";
double real = 1.5;

/* N + 1 is added by the instruction at `store'.  */
__attribute__ ((noinline)) void
work (long n, long thread)
{
  __asm__ volatile (".globl store\nstore:\n\tlock addq %1, %0"
                    : "+m"(total) : "r"(n + thread + 1));
}

__attribute__ ((noinline)) long
follow (struct node *p)
{
  __asm__ volatile ("" : : "r"(p));
  return p != NULL ? p->value : 0;
}

__attribute__ ((noinline)) void
done (void)
{
  __asm__ volatile ("");
}

static void
tick (int signal)
{
  ticks++;
}

static void *
run (void *thread)
{
  for (long n = 0; n < n_calls; n++)
    work (n, (long) thread);
  return NULL;
}

int
main (int argc, char **argv)
{
  struct itimerval often = { { 0, 200 }, { 0, 200 } };
  struct node last = { NULL, 42 };
  pthread_t threads[N_THREADS];

  signal (SIGALRM, tick);
  if (argc > 1 && strcmp (argv[1], "kill") == 0)
    {
      for (long n = 0; n < n_calls; n++)
        work (n, 0);
      kill (getpid (), SIGKILL);
    }
  setitimer (ITIMER_REAL, &often, NULL);
  for (long i = 0; i < N_THREADS; i++)
    pthread_create (&threads[i], NULL, run, (void *) i);
  for (long i = 0; i < N_THREADS; i++)
    pthread_join (threads[i], NULL);
  memset (&often, 0, sizeof often);
  setitimer (ITIMER_REAL, &often, NULL);
  follow (&last);
  follow (NULL);
  follow (&last);
  done ();
  printf ("total %ld\n", total);
  return 0;
}
