/* Programs that are executed with larger and larger limits of the stack, below
   which the kernel places their mappings: somewhere among them they meet the
   engine's place.  */

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEP (64ul << 30)
#define N 26

int
main (int argc, char **argv)
{
  struct rlimit limit;
  int status, well = 0;

  if (argc == 2)
    return malloc (1 << 24) ? 11 : 12;
  getrlimit (RLIMIT_STACK, &limit);
  for (unsigned long n = 1; n <= N; n++)
    {
      pid_t p = fork ();
      if (p == 0)
        {
          limit.rlim_cur = n * STEP;
          if (setrlimit (RLIMIT_STACK, &limit))
            _exit (1);
          execl (argv[0], argv[0], "child", NULL);
          _exit (2);
        }
      waitpid (p, &status, 0);
      well += status == 11 << 8;
    }
  printf ("%d of %d\n", well, N);
  return 0;
}
