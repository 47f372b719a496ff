/* The processor's time stamp is forbidden by prctl(2): the program's own
   reading faults, what the engine does goes on, in a child and in a new image
   too.  */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

static sigjmp_buf back;

static void
handler (int sig)
{
  siglongjmp (back, sig);
}

static void
show (const char *who)
{
  int how = 0, sig = sigsetjmp (back, 1);

  if (!sig)
    sig = __rdtsc () == 0;
  prctl (PR_GET_TSC, &how);
  printf ("%s: %d, signal %d\n", who, how, sig);
  fflush (stdout);
  usleep (1000);
}

static void
in_child (void (*run) (char **argv), char **argv)
{
  int status;

  if (fork () == 0)
    {
      run (argv);
      exit (7);
    }
  wait (&status);
  printf ("child: %x\n", status);
}

static void
new_image (char **argv)
{
  execl ("/proc/self/exe", argv[0], "again", NULL);
}

static void
shows (char **argv)
{
  show (argv[0] ? "child" : "nobody");
}

int
main (int argc, char **argv)
{
  signal (SIGSEGV, handler);
  freopen ("/dev/null", "w", stderr);   /* where the engine's figures go */
  if (argc > 1)
    {
      show ("image");
      return 0;
    }
  show ("before");
  prctl (PR_SET_TSC, PR_TSC_SIGSEGV);
  show ("after");
  in_child (shows, argv);
  in_child (new_image, argv);
  prctl (PR_SET_TSC, PR_TSC_ENABLE);
  show ("again");
  return 0;
}
