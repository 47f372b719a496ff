/* Interrupted at random places in the cache, a thread's state is translated to
   the application's, and the thread goes on from that state alone.  Whatever
   it computes must come out as it does natively: a register that is lost or a
   PC that is off by one instruction shows.  Flags and all registers matter to
   the guest.  Fresh places each run; the seed is the clock.  */

#define _GNU_SOURCE
#include "little-engine.h"
#include "arch/enter.h"
#include "cache/region.h"
#include "lib/check.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

static unsigned long n_inside, n_other;

static long __attribute__ ((noinline))
one (long x)
{
  return x * 3 + 1;
}
static long __attribute__ ((noinline))
two (long x)
{
  return x ^ x >> 5;
}
static long (*volatile the_functions[2]) (long) = { one, two };
static volatile long a_global = 1;

/* Calls, indirect calls, returns, loads relative to %rip, carries that live
   across branches, a rep and a loop instruction.  */
static long __attribute__ ((noinline))
guest (long n, long seed)
{
  unsigned long lo = (unsigned long) seed, hi = 1, c = 7;
  char from[64], to[64];

  memset (from, 1, sizeof from);
  for (long i = 0; i < n; i++)
    {
      long k = 5;
      __asm__ volatile ("addq %2, %0\n\tjmp 1f\n1:\tadcq $3, %1\n\t"
                        "jc 2f\n\tadcq $0, %0\n2:"
                        : "+r"(lo), "+r"(hi)
                        : "r"(c)
                        : "cc");
      __asm__ volatile ("1: addq $1, %1\n\tloop 1b" : "+c"(k), "+r"(c) : : "cc");
      lo = (unsigned long) the_functions[lo & 1]((long) lo);
      a_global += (long) hi;
      from[i & 63] += (char) lo;
      char *s = from, *d = to;
      unsigned long count = sizeof from;
      __asm__ volatile ("rep movsb"
                        : "+S"(s), "+D"(d), "+c"(count)
                        :
                        : "memory");
      hi += (unsigned char) to[(i + 1) & 63];
    }
  return (long) (lo ^ hi) + a_global;
}

static void
tick (int sig, siginfo_t *info, void *p)
{
  static const int of[ARCH_N_GPR]
      = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
          REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
          REG_R12, REG_R13, REG_R14, REG_R15 };
  greg_t *g = ((ucontext_t *) p)->uc_mcontext.gregs;
  struct arch_regs m = { .rip = (uint64_t) g[REG_RIP] }, app;

  (void) sig, (void) info;
  for (unsigned r = 0; r < ARCH_N_GPR; r++)
    m.gpr[r] = (uint64_t) g[of[r]];
  if (!cache_translate (little_context, &m, &app))
    {
      n_other++;
      return;
    }
  n_inside++;
  memcpy (little_context->gpr, app.gpr, sizeof app.gpr);
  little_context->rip = app.rip;
  little_context->rflags = (uint64_t) g[REG_EFL];
  g[REG_RIP] = (greg_t) arch_restart;
  g[REG_RSP] = (greg_t) little_context->engine_rsp;
  g[REG_RDI] = (greg_t) little_context;
  g[REG_RSI] = ARCH_EXIT_RESUMED;
}

/* A timer whose ticks have no rhythm in common with the guest's loop.  */
static void
start_ticks (void)
{
  static char stack[65536];
  stack_t ss = { .ss_sp = stack, .ss_size = sizeof stack };
  struct sigaction a
      = { .sa_sigaction = tick, .sa_flags = SA_SIGINFO | SA_ONSTACK };
  struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
  struct itimerspec t = { { 0, 37003 }, { 0, 37003 } };
  timer_t timer;

  sigaltstack (&ss, 0);
  sigfillset (&a.sa_mask);
  sigaction (SIGALRM, &a, 0);
  timer_create (CLOCK_MONOTONIC, &e, &timer);
  timer_settime (timer, 0, &t, 0);
}

int
main (void)
{
  long want, got;
  unsigned wrong = 0;
  bool near = true;

  want = guest (20000, 3);
  little_init (0, true);
  start_ticks ();
  while (n_inside < 10000)
    {
      a_global = 1;
      little_threshold = near ? 2 + n_inside % 50 : 0;
      little_init (0, near = !near);
      got = little_call (guest, 20000, 3);
      wrong += got != want;
    }
  check (wrong == 0, "%u results are wrong", wrong);
  check (cache_stats ()->traces > 100, "%lu traces",
         cache_stats ()->traces);
  check (n_inside * 10 > 3 * (n_inside + n_other),
         "interrupts inside blocks: enough of them");
  return check_done ();
}
