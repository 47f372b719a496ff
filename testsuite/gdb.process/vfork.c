/* A child of vfork that writes to its parent's memory and execs.  */

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

volatile int shared;

static void
child (char *program)
{
  shared = 42;
  execl (program, program, "again", (char *) NULL);
  _exit (1);
}

static void
finished (int status)
{
  printf ("%d, %d\n", shared, WEXITSTATUS (status));
}

int
main (int argc, char **argv)
{
  int status;

  if (argc > 1)
    return 7;
  if (vfork () == 0)
    child (argv[0]);
  wait (&status);
  finished (status);
  return 0;
}
