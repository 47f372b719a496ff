/* The first process of a pid namespace: signals that have no handler do
   nothing to it, but for those that a fault of its own raises.  */

#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int *volatile nowhere = (int *)16;

static void
be_init (int what)
{
  switch (what)
    {
    case 0:
      kill (1, SIGABRT);
      kill (1, SIGTERM);
      kill (1, SIGSEGV);
      raise (SIGQUIT);
      _exit (3);
    case 1:
      *nowhere = 1;
      break;
    case 2:
      abort ();
    }
}

int
main (void)
{
  for (int i = 0; i < 3; i++)
    {
      int status = 0;
      pid_t outer = fork ();
      if (outer == 0)
        {
          pid_t p;
          if (unshare (CLONE_NEWPID))
            _exit (77);
          p = fork ();
          if (p == 0)
            be_init (i);
          waitpid (p, &status, 0);
          printf ("%d: exit %d, signal %d\n", i,
                  WIFEXITED (status) ? WEXITSTATUS (status) : -1,
                  WIFSIGNALED (status) ? WTERMSIG (status) : 0);
          fflush (stdout);
          _exit (0);
        }
      waitpid (outer, &status, 0);
      if (WEXITSTATUS (status))
        printf ("no pid namespace\n");
    }
  return 0;
}
