/* vfork and posix_spawn: the child borrows memory, the parent goes on with
   it.  */

#define _GNU_SOURCE
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static volatile int shared;

static int
change (void *amount)
{
  shared += *(int *) amount;
  return shared;
}

int
main (void)
{
  static char stack[65536] __attribute__ ((aligned (16)));
  char *args[] = { "sh", "-c", "echo spawned; exit 5", NULL };
  int status, amount = 10;
  pid_t pid;

  setvbuf (stdout, NULL, _IOLBF, 0);
  for (int i = 0; i < 3; i++)
    {
      pid = vfork ();
      if (pid == 0)
        {
          shared++;
          if (i == 2)
            execl ("/bin/sh", "sh", "-c", "exit 9", (char *) 0);
          _exit (40 + i);
        }
      waitpid (pid, &status, 0);
      printf ("vfork %d: %d, shared %d\n", i, WEXITSTATUS (status), shared);
    }
  if (posix_spawn (&pid, "/bin/sh", NULL, NULL, args, environ) != 0)
    return 1;
  waitpid (pid, &status, 0);
  printf ("spawn: %d\n", WEXITSTATUS (status));
  printf ("missing: %d\n", posix_spawn (&pid, "/no/such", NULL, NULL, args,
                                        environ));
  pid = clone (change, stack + sizeof stack, CLONE_VM | SIGCHLD, &amount);
  waitpid (pid, &status, 0);
  printf ("CLONE_VM: %d, shared %d\n", WEXITSTATUS (status), shared);
  return 0;
}
