/* A child that asks to be traced, and is single-stepped by its parent.  It has
   written to a page of code before, and does so again.  */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/* Make CODE a function that returns N, and call it.  */
static int
call (unsigned char *code, unsigned char n)
{
  unsigned char bytes[] = { 0xb8, n, 0, 0, 0, 0xc3 };
  memcpy (code, bytes, sizeof bytes);
  return ((int (*) (void)) code) ();
}

int
main (void)
{
  int status, steps = 0, sum = 0;
  unsigned char *code = mmap (NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  pid_t child = fork ();
  if (child == 0)
    {
      sum += call (code, 3);
      ptrace (PTRACE_TRACEME, 0, 0, 0);
      sum += call (code, 4);
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
