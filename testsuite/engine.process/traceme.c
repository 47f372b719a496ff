/* A child that asks to be traced, and is single-stepped by its parent.  */

#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int
main (void)
{
  int status, steps = 0, sum = 0;
  pid_t child = fork ();
  if (child == 0)
    {
      ptrace (PTRACE_TRACEME, 0, 0, 0);
      raise (SIGSTOP);
      for (volatile int i = 0; i < 100; i++)
        sum += i;
      _exit (sum & 0x7f);
    }
  waitpid (child, &status, 0);
  while (WIFSTOPPED (status) && steps++ < 100000)
    {
      ptrace (PTRACE_SINGLESTEP, child, 0, 0);
      waitpid (child, &status, 0);
    }
  printf ("steps %s, status %d\n",
          steps > 300 && steps < 20000 ? "as expected" : "odd",
          WEXITSTATUS (status));
  return 0;
}
