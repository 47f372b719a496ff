/* A child of clone that shares memory, and is a process of its own.  */

#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>

#define STACK_SIZE 65536

volatile int calls;

int
child (void *arg)
{
  (void) arg;
  calls++;
  return 3;
}

int
main (void)
{
  char *stack = malloc (STACK_SIZE);
  int status = 0;
  int pid = clone (child, stack + STACK_SIZE, CLONE_VM, NULL);

  if (waitpid (pid, &status, __WCLONE) != pid)
    return 1;
  child (NULL);
  return WEXITSTATUS (status) + calls;
}
