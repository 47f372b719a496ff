/* A thread that becomes hot where it then sleeps in a system call: others
   make traces meanwhile.  The sleeper is let go on a byte at a time, so that
   it sleeps in each phase of what it does.  */

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define ROUNDS 64

static int down[2], up[2];

static void *
sleeper (void *arg)
{
  char c;

  while (read (down[0], &c, 1) == 1)
    if (write (up[1], &c, 1) != 1)
      break;
  return arg;
}

/* Loops of their own, in one function for each.  */
#define LOOP(N)                                                               \
  static unsigned __attribute__ ((noinline))                                  \
  loop_##N (unsigned n)                                                       \
  {                                                                           \
    unsigned sum = N;                                                         \
    while (n--)                                                               \
      sum = sum & 1 ? sum * 3 + N : sum / 2 + n;                              \
    return sum;                                                               \
  }
#define EIGHT(DO, N)                                                          \
  DO (N##0) DO (N##1) DO (N##2) DO (N##3) DO (N##4) DO (N##5) DO (N##6)       \
  DO (N##7)
#define SIXTY_FOUR(DO)                                                        \
  EIGHT (DO, 1) EIGHT (DO, 2) EIGHT (DO, 3) EIGHT (DO, 4) EIGHT (DO, 5)       \
  EIGHT (DO, 6) EIGHT (DO, 7) EIGHT (DO, 8)
SIXTY_FOUR (LOOP)
#define NAME(N) loop_##N,
static unsigned (*const loops[ROUNDS]) (unsigned) = { SIXTY_FOUR (NAME) };

int
main (void)
{
  pthread_t thread;
  unsigned sum = 0;
  char c = 0;

  if (pipe (down) || pipe (up))
    return 1;
  pthread_create (&thread, NULL, sleeper, NULL);
  for (unsigned n = 0; n < ROUNDS; n++)
    {
      if (write (down[1], &c, 1) != 1 || read (up[0], &c, 1) != 1)
        return 1;
      sum += loops[n] (20000);
    }
  close (down[1]);
  pthread_join (thread, NULL);
  printf ("%u\n", sum);
  return 0;
}
