/* fork: memory is a copy, code translated later on either side is each one's
   own, and a tree of children is waited for.  */

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int value = 1;

/* Code that only one side reaches, one function for each child.  */
static int __attribute__ ((noinline))
a (int n)
{
  return n * 3 + 1;
}

static int __attribute__ ((noinline))
b (int n)
{
  return n * 5 + 2;
}

static int __attribute__ ((noinline))
c (int n)
{
  return n * 7 + 3;
}

static int (*const volatile only[3]) (int) = { a, b, c };

static int
child (int which)
{
  int sum = value;

  value = 100 + which;
  for (int i = 0; i < 1000; i++)
    sum = only[which] (sum) % 1009;
  return sum % 100;
}

static int
tree (int levels)
{
  int sum = 1, status;

  if (levels == 0)
    return 1;
  for (int i = 0; i < 2; i++)
    {
      pid_t pid = fork ();

      if (pid == 0)
        _exit (tree (levels - 1));
      waitpid (pid, &status, 0);
      sum += WEXITSTATUS (status);
    }
  return sum;
}

int
main (void)
{
  pid_t pids[3];
  int status;

  for (int i = 0; i < 3; i++)
    if ((pids[i] = fork ()) == 0)
      _exit (child (i));
  for (int i = 0; i < 3; i++)
    {
      waitpid (pids[i], &status, 0);
      printf ("child %d: %d, here %d\n", i, WEXITSTATUS (status), value);
      printf ("computed here: %d\n", only[i] (i));
    }
  printf ("tree %d\n", tree (4));
  fflush (stdout);
  if (fork () == 0)
    abort ();
  wait (&status);
  printf ("aborted: signal %d\n", WTERMSIG (status));
  return 0;
}
