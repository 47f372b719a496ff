/* A guest for the tests of the target; its first argument says what to do.  */

#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

volatile long counter, ready;
volatile char buffer[64] = "as it was";

void __attribute__ ((noinline))
here (long n)
{
  counter += n;
  __asm__ volatile ("");
}

static void *
spin (void *arg)
{
  ready++;
  for (;;)
    counter++;
  return arg;
}

/* Threads that spin, and one that sleeps.  */
static int
threads (int n)
{
  pthread_t t;

  for (int i = 0; i < n; i++)
    pthread_create (&t, NULL, spin, NULL);
  while (n >= 0)
    pause ();
  return 0;
}

static int
fork_and_exec (char **argv)
{
  int status, pid = fork ();

  if (pid == 0)
    {
      execl (argv[0], argv[0], "calls", (char *) NULL);
      _exit (99);
    }
  waitpid (pid, &status, 0);
  return WEXITSTATUS (status);
}

int
main (int argc, char **argv)
{
  const char *what = argc > 1 ? argv[1] : "";

  if (strcmp (what, "calls") == 0)
    for (int i = 1; i <= 3; i++)
      here (i);
  else if (strcmp (what, "spin") == 0)
    spin (NULL);
  else if (strcmp (what, "threads") == 0)
    return threads (atoi (argv[2]));
  else if (strcmp (what, "fork") == 0)
    return fork_and_exec (argv);
  else if (strcmp (what, "exec") == 0)
    execl (argv[0], argv[0], "calls", (char *) NULL);
  else if (strcmp (what, "kill") == 0)
    raise (SIGKILL);
  else if (strcmp (what, "signal") == 0)
    raise (SIGUSR1);
  else if (strcmp (what, "buffer") == 0)
    return strcmp ((const char *) buffer, "written") == 0 ? 33 : 34;
  return 40 + (int) counter;
}
