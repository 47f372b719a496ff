/* Children that share memory without being threads: many one after the other,
   one that executes a file, and ones that die.  */

#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK 65536

static int count;

static int
add (void *arg)
{
  (void) arg;
  count++;
  _exit (7);
}

static int
leave (void *arg)
{
  (void) arg;
  return 9;
}

static int
execute (void *arg)
{
  execl ("/bin/echo", "echo", (char *) arg, (char *) NULL);
  return 1;
}

static int
crash (void *arg)
{
  return *(volatile int *) arg;
}

static void
run (const char *what, int (*f) (void *), int flags, void *arg)
{
  static char stack[STACK];
  int status = 0;
  fflush (stdout);
  pid_t pid = clone (f, stack + STACK, CLONE_VM | SIGCHLD | flags, arg);
  waitpid (pid, &status, 0);
  printf ("%s: status %x\n", what, status & ~0x80);
}

int
main (void)
{
  for (int i = 0; i < 100; i++)
    run ("add", add, i & 1 ? CLONE_VFORK : 0, NULL);
  printf ("%d\n", count);
  run ("leave", leave, 0, NULL);
  run ("execute", execute, 0, "shared");
  run ("execute", execute, CLONE_VFORK, "vfork");
  run ("crash", crash, 0, (void *) 8);
  run ("crash", crash, CLONE_VFORK, (void *) 8);
  run ("leave", leave, CLONE_VFORK, NULL);
  return 0;
}
