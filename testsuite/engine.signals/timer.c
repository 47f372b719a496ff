/* A timer at 1 kHz interrupts loops of every kind of instruction; what they
   compute must not suffer.  Blocked while it fires, it loses nothing that
   native does not.  */

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

static volatile sig_atomic_t ticks;

static void
tick (int sig)
{
  (void) sig;
  ticks++;
}

/* A leaf that keeps its data below the stack pointer, in all of the 128 bytes
   that are its own: a frame that lay there need not write each of them.
   Returns how often it found something else there.  */
static uint64_t
red_zone (uint64_t n)
{
  uint64_t wrong = 0;

  asm volatile ("1:\tmov %1, %%rax\n\tlea -128(%%rsp), %%rdi\n\t"
                "mov $16, %%ecx\n\trep stosq\n\t"
                "mov $60, %%ecx\n2:\tdec %%ecx\n\tjnz 2b\n\t"
                "lea -128(%%rsp), %%rdi\n\tmov $16, %%ecx\n\t"
                "repe scasq\n\tje 3f\n\tinc %0\n3:\tdec %1\n\tjnz 1b"
                : "+r" (wrong), "+r" (n) : : "rax", "rcx", "rdi", "memory",
                "cc");
  return wrong;
}

static uint64_t
work (uint64_t seed)
{
  static char a[3000], b[3000];
  uint64_t x = seed;
  double d = 1;

  for (int i = 0; i < 300; i++)
    {
      x = x * 6364136223846793005u + 1442695040888963407u;
      memset (a, (int) x, sizeof a);
      memcpy (b, a, sizeof b);
      asm volatile ("std; lea 2999(%1), %%rdi; lea 2999(%2), %%rsi;"
                    "mov $3000, %%ecx; rep movsb; cld"
                    : "+r" (x) : "r" (b), "r" (a)
                    : "rcx", "rsi", "rdi", "memory");
      asm ("add %1, %0; adc $0, %0; rol $7, %0" : "+r" (x) : "r" (x >> 3)
           : "cc");
      d = d * 1.0000001 + (double) b[i % 3000];
      x ^= (uint64_t) d;
      x ^= (uint64_t) memcmp (a, b, sizeof a);
    }
  return x;
}

int
main (void)
{
  struct itimerval every = { { 0, 1000 }, { 0, 1000 } };
  uint64_t expected = work (1), bad = 0;

  signal (SIGALRM, tick);
  setitimer (ITIMER_REAL, &every, NULL);
  while (ticks < 500)
    bad += (work (1) != expected) + red_zone (20000);
  memset (&every, 0, sizeof every);
  setitimer (ITIMER_REAL, &every, NULL);
  printf ("wrong results: %lu\n", bad);
  return 0;
}
