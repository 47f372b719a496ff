/* What happens to the test's server happens to this: ten threads that work,
   of which one says so; one that execs, or exits, at a known place.  */

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define N 10

volatile unsigned long work[N];

static void *
spin (void *arg)
{
  volatile unsigned long *mine = arg;

  for (;;)
    ++*mine;
  return NULL;
}

static void
beat (void)
{
  for (;;)
    {
      puts ("beat");
      fflush (stdout);
      usleep (1000);
    }
}

void __attribute__ ((noinline))
about_to (void)
{
  __asm__ volatile ("");
}

static void *
become_true (void *arg)
{
  about_to ();
  execl ("/bin/true", "true", (char *) NULL);
  return arg;
}

int
main (int argc, char **argv)
{
  pthread_t thread;

  for (int i = 1; i < N; i++)
    if (pthread_create (&thread, NULL, spin, (void *) &work[i]) != 0)
      return 1;
  if (argc < 2)
    beat ();
  if (strcmp (argv[1], "exec") == 0)
    pthread_create (&thread, NULL, become_true, NULL);
  else
    {
      about_to ();
      __asm__ volatile ("syscall" : : "a"(SYS_exit_group), "D"(7));
    }
  spin ((void *) &work[0]);
}
