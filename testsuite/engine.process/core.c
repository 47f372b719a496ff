/* Dies with a core, HOW and WHO: by a fault or by abort, in the first thread
   or in another; the other threads are in a loop, in a system call, in the
   vDSO, and in a function with many frames.  The core goes to the folder DIR.
 */

#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define N_THREADS 5

static pthread_barrier_t all_there;
static const char *how;
static volatile int *volatile nowhere = (int *)16;
static volatile unsigned long counter, n_clocks;
static volatile int reader_tid, sleeper_tid, idler_tid;
static int pipe_ends[2];

/* Nothing but the values of these registers tells the debugger more.  */
__attribute__ ((noinline)) static void
spin (void)
{
  asm volatile("mov $0x1234567, %%ebx\n\tmov %%rbx, %%r15\n\t"
               "movq %%rbx, %%xmm7\n1:\tincq %0\n\tjmp 1b"
               : "+m"(counter)
               :
               : "rbx", "r15", "xmm7");
}

static void *
spinner (void *arg)
{
  pthread_barrier_wait (&all_there);
  spin ();
  return arg;
}

static void *
reader (void *arg)
{
  char c;
  reader_tid = gettid ();
  pthread_barrier_wait (&all_there);
  return read (pipe_ends[0], &c, 1) == 1 ? arg : NULL;
}

static void *
clock_reader (void *arg)
{
  struct timespec t;
  pthread_barrier_wait (&all_there);
  for (;; n_clocks++)
    clock_gettime (CLOCK_MONOTONIC, &t);
  return arg;
}

__attribute__ ((noinline)) static int
descend (int depth)
{
  int below = depth ? descend (depth - 1) + 1 : pause ();
  asm volatile("" : "+r"(below));
  return below;
}

static void *
sleeper (void *arg)
{
  sleeper_tid = gettid ();
  pthread_barrier_wait (&all_there);
  descend (10);
  return arg;
}

__attribute__ ((noinline)) static void
die (void)
{
  if (strcmp (how, "abort") == 0)
    abort ();
  *nowhere = 1;
}

/* Wait until thread TID is in system call NR, with FIRST as its first
   argument if that is not 0.  */
static void
wait_for_call (int tid, long nr, unsigned long first)
{
  char path[64];
  long found = -1;
  unsigned long arg = 0;

  snprintf (path, sizeof path, "/proc/self/task/%d/syscall", tid);
  while (found != nr || (first && arg != first))
    {
      FILE *f = fopen (path, "r");
      if (!f || fscanf (f, "%ld %lx", &found, &arg) != 2)
        found = -1;
      if (f)
        fclose (f);
    }
}

static void *
killer (void *arg)
{
  if (!arg)
    idler_tid = gettid ();
  pthread_barrier_wait (&all_there);
  if (arg)
    {
      wait_for_call (reader_tid, SYS_read, pipe_ends[0]);
      wait_for_call (sleeper_tid, SYS_pause, 0);
      wait_for_call (idler_tid, SYS_pause, 0);
      while (!counter || !n_clocks)
        ;
      die ();
    }
  pause ();
  return NULL;
}

int
main (int argc, char **argv)
{
  struct rlimit limit;
  pthread_t t;

  if (argc != 4 || chdir (argv[3]) || pipe (pipe_ends))
    return 1;
  how = argv[1];
  getrlimit (RLIMIT_CORE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_CORE, &limit);
  pthread_barrier_init (&all_there, NULL, N_THREADS + 1);
  pthread_create (&t, NULL, spinner, NULL);
  pthread_create (&t, NULL, reader, NULL);
  pthread_create (&t, NULL, clock_reader, NULL);
  pthread_create (&t, NULL, sleeper, NULL);
  pthread_create (&t, NULL, killer, strcmp (argv[2], "other") ? NULL : &t);
  killer (strcmp (argv[2], "first") ? NULL : &t);
  return 0;
}
