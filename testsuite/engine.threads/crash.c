/* Deaths that are not in order: many threads at once, by fault, by abort, by a
   signal from outside, while others fork, exec, sleep and end; each process
   must die of its signal.  */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static pthread_barrier_t b;
static int how;
static volatile int *volatile nowhere = (int *)16;
static void *
crasher (void *a)
{
  pthread_barrier_wait (&b);
  if (how == 1)
    abort ();
  *nowhere = 1;
  return a;
}
static void *
shorty (void *a)
{
  return a;
}
static void *
maker (void *a)
{
  pthread_barrier_wait (&b);
  for (;;)
    {
      pthread_t t;
      if (!pthread_create (&t, 0, shorty, 0))
        pthread_join (t, 0);
    }
}
static void *
forker (void *a)
{
  pthread_barrier_wait (&b);
  for (;;)
    {
      pid_t p = fork ();
      if (!p)
        _exit (0);
      waitpid (p, 0, 0);
    }
}
static void *
vforker (void *a)
{
  pthread_barrier_wait (&b);
  for (;;)
    {
      pid_t p = vfork ();
      if (!p)
        {
          execl ("/bin/true", "true", NULL);
          _exit (1);
        }
      waitpid (p, 0, 0);
    }
}
static void *
sleeper (void *a)
{
  pthread_barrier_wait (&b);
  for (;;)
    pause ();
}
static void *
spinner (void *a)
{
  volatile long n = 0;
  pthread_barrier_wait (&b);
  for (;;)
    n++;
}
static void
run (int kind)
{
  pthread_t t;
  void *(*others[]) (void *)
      = { sleeper, spinner, kind % 3 == 1 ? forker : maker,
          kind % 3 == 2 ? vforker : sleeper };
  how = kind & 1;
  pthread_barrier_init (&b, 0, 4 + 1 + (kind < 4 ? 4 : 1));
  for (int i = 0; i < 4; i++)
    pthread_create (&t, 0, others[i], 0);
  for (int i = 0; i < (kind < 4 ? 4 : 1); i++)
    pthread_create (&t, 0, kind == 6 ? sleeper : crasher, 0);
  pthread_barrier_wait (&b);
  if (kind == 7)
    for (int i = 0; i < 3; i++)
      fork ();
  for (;;)
    pause ();
}
int
main (int argc, char **argv)
{
  struct rlimit l = { 0, 0 };
  setrlimit (RLIMIT_CORE, &l);
  setvbuf (stdout, NULL, _IOLBF, 0);
  for (int kind = 0; kind < 7; kind++)
    {
      int seen[64] = { 0 };
      for (int i = 0; i < 6; i++)
        {
          int st;
          pid_t p = fork ();
          if (!p)
            run (kind);
          if (kind == 6)
            {
              usleep (30000);
              kill (p, SIGQUIT);
            }
          waitpid (p, &st, 0);
          seen[st & 63]++;
        }
      printf ("kind %d: segv %d abort %d quit %d\n", kind, seen[SIGSEGV],
              seen[SIGABRT], seen[SIGQUIT]);
    }
  return 0;
}
