/* Interrupted at random places in the cache, a thread's state is translated to
   the application's, and the thread goes on from that state alone.  Whatever
   it computes must come out as it does natively: a register that is lost or a
   PC that is off by one instruction shows.  Flags and all registers matter to
   the guest.  Fresh places each run; the seed is the clock.

   Then the same with a shorter run, of which the processor's own states, one
   for each instruction, are known by single-stepping: each translated state,
   all general registers, PC and flags, must be one of them.  First that run is
   stepped through in the cache, so that every instruction there is tried.  */

#define _GNU_SOURCE
#include "little-engine.h"
#include "arch/enter.h"
#include "cache/region.h"
#include "lib/check.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define STEPPED_ROUNDS 200
/* CF PF AF ZF SF DF OF  */
#define FLAGS_COMPARED 0xcd5ul

static unsigned long n_inside, n_other;

/* The states that were stepped through, as hashes, in open addressing; none
   while n_states is 0.  */
#define SET_SIZE (1ul << 18)
static uint64_t states[SET_SIZE];
static unsigned long n_states, n_compared, n_unknown;
static struct arch_regs first_unknown;

static uint64_t
hash_state (const struct arch_regs *r)
{
  uint64_t h = r->rip * 0x9e3779b97f4a7c15ull + (r->rflags & FLAGS_COMPARED);

  for (unsigned n = 0; n < ARCH_N_GPR; n++)
    h = (h ^ h >> 29 ^ r->gpr[n]) * 0xbf58476d1ce4e5b9ull;
  return h | 1;
}

/* The place of H in the set, or the empty one where it belongs.  */
static uint64_t *
place (uint64_t h)
{
  uint64_t n = h >> 8;

  while (states[n % SET_SIZE] && states[n % SET_SIZE] != h)
    n++;
  return states + n % SET_SIZE;
}

static void
compare (const struct arch_regs *app)
{
  if (!n_states)
    return;
  n_compared++;
  if (*place (hash_state (app)))
    return;
  if (!n_unknown++)
    first_unknown = *app;
}

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
      __asm__ volatile ("1: addq $1, %1\n\tloop 1b"
                        : "+c"(k), "+r"(c)
                        :
                        : "cc");
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

/* The application's state where G was interrupted; false: outside.  */
static bool
translate (const greg_t *g, struct arch_regs *app)
{
  static const int of[ARCH_N_GPR]
      = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
          REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
          REG_R12, REG_R13, REG_R14, REG_R15 };
  struct arch_regs m = { .rip = (uint64_t) g[REG_RIP],
                         .rflags = (uint64_t) g[REG_EFL] };

  for (unsigned r = 0; r < ARCH_N_GPR; r++)
    m.gpr[r] = (uint64_t) g[of[r]];
  if (!cache_translate (little_context, &m, app))
    {
      n_other++;
      return false;
    }
  n_inside++;
  compare (app);
  return true;
}

static void
tick (int sig, siginfo_t *info, void *p)
{
  greg_t *g = ((ucontext_t *) p)->uc_mcontext.gregs;
  struct arch_regs app;

  (void) sig, (void) info;
  if (!translate (g, &app))
    return;
  memcpy (little_context->gpr, app.gpr, sizeof app.gpr);
  little_context->rip = app.rip;
  little_context->rflags = app.rflags;
  g[REG_RIP] = (greg_t) arch_restart;
  g[REG_RSP] = (greg_t) little_context->engine_rsp;
  g[REG_RDI] = (greg_t) little_context;
  g[REG_RSI] = ARCH_EXIT_RESUMED;
}

/* Have SIG call HANDLER, on a stack of its own.  */
static void
handle (int sig, void (*handler) (int, siginfo_t *, void *))
{
  static char stack[65536];
  stack_t ss = { .ss_sp = stack, .ss_size = sizeof stack };
  struct sigaction a
      = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };

  sigaltstack (&ss, 0);
  sigfillset (&a.sa_mask);
  sigaction (sig, &a, 0);
}

/* A timer whose ticks have no rhythm in common with the guest's loop.  */
static void
start_ticks (void)
{
  struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
  struct itimerspec t = { { 0, 37003 }, { 0, 37003 } };
  timer_t timer;

  handle (SIGALRM, tick);
  timer_create (CLOCK_MONOTONIC, &e, &timer);
  timer_settime (timer, 0, &t, 0);
}

static void
note_state (const struct user_regs_struct *u)
{
  struct arch_regs r = {
    .gpr = { u->rax, u->rcx, u->rdx, u->rbx, u->rsp, u->rbp, u->rsi, u->rdi,
             u->r8, u->r9, u->r10, u->r11, u->r12, u->r13, u->r14, u->r15 },
    .rip = u->rip,
    .rflags = u->eflags,
  };

  *place (hash_state (&r)) = hash_state (&r);
  n_states++;
}

/* Let a child of fork, which has the same memory, go through the guest one
   instruction at a time.  */
static void
step_through (void)
{
  struct user_regs_struct u;
  struct arch_regs r;
  app_pc stop = little_begin (&r, guest, STEPPED_ROUNDS, 3);
  pid_t pid = fork ();

  if (pid == 0)
    {
      ptrace (PTRACE_TRACEME, 0, 0, 0);
      raise (SIGSTOP);
      _exit (1);
    }
  waitpid (pid, 0, 0);
  ptrace (PTRACE_GETREGS, pid, 0, &u);
  u.rax = u.rcx = u.rdx = u.rbx = u.rbp = 0;
  u.r8 = u.r9 = u.r10 = u.r11 = u.r12 = u.r13 = u.r14 = u.r15 = 0;
  u.rsp = r.gpr[ARCH_RSP], u.rdi = r.gpr[ARCH_RDI], u.rsi = r.gpr[ARCH_RSI];
  u.rip = r.rip, u.eflags = r.rflags, u.orig_rax = -1ull;
  ptrace (PTRACE_SETREGS, pid, 0, &u);
  while (u.rip != stop && n_states < SET_SIZE / 2)
    {
      note_state (&u);
      if (ptrace (PTRACE_SINGLESTEP, pid, 0, 0) || waitpid (pid, 0, 0) != pid)
        break;
      ptrace (PTRACE_GETREGS, pid, 0, &u);
    }
  note_state (&u);
  kill (pid, SIGKILL);
  waitpid (pid, 0, 0);
}

/* The trap of each instruction, in the cache and in the dispatcher, from the
   moment on that control enters the cache with FLAG_TF.  */
static bool trapping;

static void
trap (int sig, siginfo_t *info, void *p)
{
  greg_t *g = ((ucontext_t *) p)->uc_mcontext.gregs;
  struct arch_regs app;

  (void) sig, (void) info;
  if (trapping)
    translate (g, &app);
  else
    g[REG_EFL] &= ~(greg_t) FLAG_TF;
}

static void
start_trapping (struct arch_context *c)
{
  c->rflags |= FLAG_TF;
}

static void
report_states (const char *what)
{
  check (n_unknown == 0, "%s: %lu states are those of a stepped run (%lu not)",
         what, n_compared, n_unknown);
  if (n_unknown)
    printf ("the first unknown state has rip %#lx, rax %#lx, flags %#lx\n",
            first_unknown.rip, first_unknown.gpr[ARCH_RAX],
            first_unknown.rflags);
  n_unknown = n_compared = 0;
}

static void
step_in_cache (void)
{
  handle (SIGTRAP, trap);
  little_hook = start_trapping;
  for (unsigned n = 0; n < 4; n++)
    {
      a_global = 1;
      little_threshold = n & 1 ? 2 : 0;
      little_init (0, n & 2);
      trapping = true;
      little_call (guest, STEPPED_ROUNDS, 3);
      trapping = false;
    }
  little_hook = 0;
  check (n_compared > 100000, "each instruction in the cache");
  report_states ("each instruction");
}

static void
check_states (void)
{
  a_global = 1;
  step_through ();
  check (n_states > 10000, "a stepped run of %lu states", n_states);
  step_in_cache ();
  start_ticks ();
  n_inside = n_other = 0;
  for (unsigned n = 0; n_compared < 10000; n++)
    {
      a_global = 1;
      little_threshold = n & 128 ? 2 + n / 128 % 50 : 0;
      if (n % 64 == 0)
        little_init (0, n & 64);
      little_call (guest, STEPPED_ROUNDS, 3);
    }
  check (cache_stats ()->traces > 20, "traces among them");
  report_states ("interrupts");
  n_states = n_inside = n_other = 0;
}

int
main (void)
{
  long want, got;
  unsigned wrong = 0;
  bool near = true;

  want = guest (20000, 3);
  little_init (0, true);
  check_states ();
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
