/* Stores in several ways, COUNT times each, and writes the time of one round,
   in nanoseconds, to the file RESULT: by the clock, and of the processor;
   stores WAY COUNT RESULT.

     stack   a deep recursion: return addresses and locals
     memset  4 KiB at a time
     loop    4 KiB, a word at a time, by the plainest loop
     local   locals, on a page of the stack with one that is watched: what
             beside is given
     heap    scattered words of a megabyte, beside what is watched
     hit     the watched word itself  */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

long watched;
int many[10000];
char range[1 << 20];
volatile long sink;

static volatile long *local_of_main;

static double
now (clockid_t clock)
{
  struct timespec t;

  clock_gettime (clock, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static long __attribute__ ((noinline))
fib (int n)
{
  return n < 2 ? n : fib (n - 1) + fib (n - 2);
}

static void
go_stack (int count)
{
  for (int i = 0; i < count; i++)
    sink = fib (12);
}

static void
go_memset (int count)
{
  static char area[4096];

  for (int i = 0; i < count; i++)
    {
      memset (area, i, sizeof area);
      sink = area[i & 4095];
    }
}

static void
go_loop (int count)
{
  static long words[512];

  for (int i = 0; i < count; i++)
    {
      long *p = words, *end = words + 512;

      do
        {
          *p++ = i;
          __asm__ volatile ("" : "+r"(p));      /* one by one */
        }
      while (p < end);
    }
  sink = words[count & 511];
}

/* A debugger stops here to watch *P, a local.  */
static void __attribute__ ((noinline, noclone))
beside (volatile long *p)
{
  __asm__ volatile ("" : : "r"(p) : "memory");
}

static void
go_local (int count)
{
  volatile long one = 0, two = 0, three[8] = { 0 };

  beside (local_of_main);
  for (int i = 0; i < count; i++)
    {
      one += i;
      two = one ^ i;
      three[i & 7] = two;
    }
  sink = one + two + three[3];
}

static void
go_heap (int count)
{
  size_t n = 1 << 17;
  long *words = calloc (n, sizeof *words);

  if (words == NULL)
    exit (1);
  for (int i = 0; i < count; i++)
    words[i * 2654435761u % n] += i;
  sink = words[0];
  free (words);
}

static void
go_hit (int count)
{
  for (int i = 0; i < count; i++)
    *(volatile long *) &watched = i + 1;
}

static const struct
{
  const char *name;
  void (*go) (int count);
} ways[] = {
  { "stack", go_stack },
  { "memset", go_memset },
  { "loop", go_loop },
  { "local", go_local },
  { "heap", go_heap },
  { "hit", go_hit },
};

static void
way_go (const char *name, int count)
{
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
    if (strcmp (name, ways[i].name) == 0)
      {
        ways[i].go (count);
        return;
      }
  exit (2);
}

int
main (int argc, char **argv)
{
  volatile long local = 0;
  double wall, cpu;
  FILE *f;

  if (argc != 4)
    return 2;
  local_of_main = &local;
  wall = now (CLOCK_MONOTONIC);
  cpu = now (CLOCK_PROCESS_CPUTIME_ID);
  way_go (argv[1], atoi (argv[2]));
  wall = now (CLOCK_MONOTONIC) - wall;
  cpu = now (CLOCK_PROCESS_CPUTIME_ID) - cpu;
  f = fopen (argv[3], "w");
  if (f == NULL)
    return 1;
  fprintf (f, "%g %g\n", wall / atoi (argv[2]), cpu / atoi (argv[2]));
  return fclose (f) != 0;
}
