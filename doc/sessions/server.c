/* The sample of the manual's session on a forking server: each request is
   served by a child.  */

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int
serve (int request)
{
  return request * request % 7;
}

static int
dispatch (int request)
{
  int status;
  pid_t child = fork ();

  if (child < 0)
    exit (1);
  if (child == 0)
    _exit (serve (request));
  if (waitpid (child, &status, 0) != child)
    exit (1);
  return WEXITSTATUS (status);
}

int
main (void)
{
  int sum = 0;

  for (int request = 1; request <= 3; request++)
    sum += dispatch (request);
  printf ("sum %d\n", sum);
  return 0;
}
