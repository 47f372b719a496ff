/* Contexts: makecontext and swapcontext among stacks while a timer interrupts,
   alternate stacks that disarm themselves, are nested, too small, or changed
   in a handler; frames whose context was changed, or moved; longjmp out of
   handlers.  */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif
#define N 5
static ucontext_t ctx[N], main_ctx, from_handler;
static long work[N];
static volatile int ticks, turns, preempt, current;
static char *
stack_new (size_t n)
{
  return mmap (0, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
               0);
}
static void
tick (int s)
{
  ticks++;
  if (preempt && current >= 0)
    {
      int me = current;
      current = (me + 1) % N;
      swapcontext (&ctx[me], &ctx[current]);
    }
}
/* A context that a handler goes to for the first time begins with SIGALRM
   blocked, as those have it that were left in a handler: swapcontext sets the
   mask before the registers, and a tick there would find `current' moved on
   and its context not yet left.  */
static void
allow_ticks (void)
{
  sigset_t s;
  sigemptyset (&s);
  sigaddset (&s, SIGALRM);
  sigprocmask (SIG_UNBLOCK, &s, 0);
}
static void
job (int me)
{
  allow_ticks ();
  for (;;)
    {
      for (volatile int i = 0; i < 2000; i++)
        ;
      work[me]++;
      turns++;
      if (preempt)
        {
          if (ticks > 60 && work[0] > 3 && work[1] > 3 && work[2] > 3
              && work[3] > 3 && work[4] > 3)
            {
              preempt = 0;
              current = -1;
              setcontext (&main_ctx);
            }
        }
      else
        {
          if (work[me] >= 200 && me == N - 1)
            swapcontext (&ctx[me], &main_ctx);
          else
            swapcontext (&ctx[me], &ctx[(me + 1) % N]);
        }
    }
}
static void
contexts (void)
{
  struct itimerval t = { { 0, 1000 }, { 0, 1000 } }, z = { { 0 } };
  struct sigaction a = { .sa_handler = tick, .sa_flags = SA_RESTART };
  sigaction (SIGALRM, &a, 0);
  current = -1;
  for (int i = 0; i < N; i++)
    {
      getcontext (&ctx[i]);
      ctx[i].uc_stack.ss_sp = stack_new (65536);
      ctx[i].uc_stack.ss_size = 65536;
      ctx[i].uc_link = &main_ctx;
      makecontext (&ctx[i], (void (*) (void))job, 1, i);
    }
  setitimer (ITIMER_REAL, &t, 0);
  swapcontext (&main_ctx, &ctx[0]);
  printf ("cooperative %ld %ld\n", work[0], work[4]);
  for (int i = 0; i < N; i++)
    {
      work[i] = 0;
      getcontext (&ctx[i]);
      sigaddset (&ctx[i].uc_sigmask, SIGALRM);
      ctx[i].uc_stack.ss_sp = stack_new (65536);
      ctx[i].uc_stack.ss_size = 65536;
      ctx[i].uc_link = &main_ctx;
      makecontext (&ctx[i], (void (*) (void))job, 1, i);
    }
  ticks = 0;
  preempt = 1;
  current = 0;
  swapcontext (&main_ctx, &ctx[0]);
  setitimer (ITIMER_REAL, &z, 0);
  printf ("preemptive %d\n", work[0] > 3 && work[4] > 3);
}
static char *alt, *alt2;
static volatile int depth;
static sigjmp_buf jb;
static int
on (char *m, size_t n)
{
  char c;
  return &c > m && &c < m + n;
}
static const char *
fl (int f)
{
  static char b[4][32];
  static int i;
  i = (i + 1) % 4;
  snprintf (b[i], 32, "%s%s%s", f & SS_ONSTACK ? "on" : "",
            f & SS_DISABLE ? "dis" : "", f & SS_AUTODISARM ? "auto" : "");
  return b[i];
}
static void
nest (int s, siginfo_t *i, void *c)
{
  ucontext_t *u = c;
  stack_t now, other = { .ss_sp = alt2, .ss_size = 65536 };
  sigaltstack (0, &now);
  printf ("  depth %d on %d/%d now %s size %zu frame %s size %zu", depth,
          on (alt, 65536), on (alt2, 65536), fl (now.ss_flags), now.ss_size,
          fl (u->uc_stack.ss_flags), u->uc_stack.ss_size);
  printf (" change %s\n",
          sigaltstack (&other, 0) ? strerrorname_np (errno) : "ok");
  if (depth++ < 2)
    raise (SIGUSR1);
}
static void
alts (unsigned flags)
{
  stack_t s = { .ss_sp = alt, .ss_size = 65536, .ss_flags = flags }, old;
  struct sigaction a = { .sa_sigaction = nest,
                         .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
  sigaction (SIGUSR1, &a, 0);
  printf ("altstack flags %x: %d", flags, sigaltstack (&s, 0));
  printf (" %d\n", errno);
  depth = 0;
  raise (SIGUSR1);
  sigaltstack (0, &old);
  printf (" after %s %zu\n", fl (old.ss_flags), old.ss_size);
  depth = 0;
  raise (SIGUSR1);
  old.ss_flags = SS_DISABLE;
  sigaltstack (&old, &s);
  printf (" disabled, was %s %zu\n", fl (s.ss_flags), s.ss_size);
}
static void
out (int s)
{
  siglongjmp (jb, on (alt, 65536) ? 2 : 1);
}
static void
jumps (void)
{
  stack_t s = { .ss_sp = alt, .ss_size = 65536 };
  struct sigaction a = { .sa_handler = out, .sa_flags = SA_ONSTACK };
  int n[3] = { 0 };
  sigaltstack (&s, 0);
  sigaction (SIGSEGV, &a, 0);
  sigaction (SIGUSR2, &a, 0);
  for (volatile int i = 0; i < 100; i++)
    {
      int r = sigsetjmp (jb, 1);
      if (!r)
        {
          if (i & 1)
            raise (SIGUSR2);
          else
            *(volatile int *)8 = 1;
        }
      else
        n[r]++;
    }
  printf ("jumps %d %d\n", n[1], n[2]);
}
__attribute__ ((noinline)) static int
overflow (int n)
{
  volatile char b[4096];
  b[0] = n;
  return overflow (n + 1) + b[0];
}
static void
deep (void)
{
  if (!sigsetjmp (jb, 1))
    overflow (0);
  else
    printf ("overflow caught\n");
}
static void
small_stack (void)
{
  fflush (stdout);
  for (int k = 0; k < 3; k++)
    {
      pid_t p = fork ();
      int st;
      if (!p)
        {
          struct sigaction a = { .sa_handler = out, .sa_flags = SA_ONSTACK };
          char *m = stack_new (8192);
          mprotect (m, 4096, PROT_NONE);
          stack_t s = { .ss_sp = k == 2 ? (char *)0x10000
                                        : m + 4096 - (k == 0 ? 2048 : 0),
                        .ss_size = 4096 };
          if (k == 0)
            s.ss_size = 2048;
          sigaltstack (&s, 0);
          sigaction (SIGUSR1, &a, 0);
          sigaction (SIGSEGV, &a, 0);
          if (!sigsetjmp (jb, 1))
            raise (SIGUSR1);
          _exit (3);
        }
      waitpid (p, &st, 0);
      printf ("stack that is no good %d: %x\n", k, st);
    }
}
static void
edit (int s, siginfo_t *i, void *c)
{
  ucontext_t *u = c;
  greg_t *r = u->uc_mcontext.gregs;
  r[REG_RIP] += 2;
  r[REG_RAX] = 0x1111;
  r[REG_R15] = 0x2222;
  r[REG_EFL] ^= 1 | 0x40 | 0x400;
  sigaddset (&u->uc_sigmask, SIGUSR1);
  ((uint64_t *)u->uc_mcontext.fpregs->_xmm)[2 * 3] = 0x3333;
}
static void
edited (void)
{
  struct sigaction a = { .sa_sigaction = edit, .sa_flags = SA_SIGINFO };
  uint64_t ax, r15, fl, x;
  sigset_t m;
  sigaction (SIGILL, &a, 0);
  asm volatile("xor %%eax,%%eax\n\tud2\n\tpushfq\n\tpop %2\n\tcld\n\tmovq "
               "%%xmm3,%3\n\tmov %%r15,%1"
               : "=&a"(ax), "=r"(r15), "=&r"(fl), "=&r"(x)::"r15", "xmm3",
                 "cc");
  sigprocmask (0, 0, &m);
  printf ("edited %lx %lx %lx %lx mask %d\n", ax, r15, fl & 0xcd5, x,
          sigismember (&m, SIGUSR1));
  sigdelset (&m, SIGUSR1);
  sigprocmask (SIG_SETMASK, &m, 0);
}
static void
save (int s, siginfo_t *i, void *c)
{
  memcpy (&from_handler, c, sizeof from_handler);
}
static void
bad_frames (void)
{
  fflush (stdout);
  for (int k = 0; k < 6; k++)
    {
      pid_t p = fork ();
      int st;
      if (!p)
        {
          static uint64_t f[1000] __attribute__ ((aligned (64)));
          ucontext_t *u = (void *)(f + 1);
          signal (SIGSEGV, SIG_DFL);
          getcontext (u);
          u->uc_mcontext.gregs[REG_RIP] = (greg_t)_exit;
          u->uc_mcontext.gregs[REG_RDI] = 9;
          u->uc_mcontext.gregs[REG_RSP] = (greg_t)(alt + 60000);
          u->uc_mcontext.gregs[REG_CSGSFS] = 0x33 | 0x2bl << 48;
          u->uc_mcontext.fpregs = 0;
          u->uc_flags = 7;
          if (k == 1)
            u->uc_mcontext.fpregs = (void *)0x1234567;
          if (k == 2)
            u->uc_mcontext.gregs[REG_RIP] = 1l << 60;
          if (k == 3)
            {
              u->uc_mcontext.fpregs = (void *)(f + 500);
              memset (f + 500, 0xff, 2000);
            }
          if (k == 4)
            u = (void *)0x500;
          if (k == 5)
            u->uc_mcontext.fpregs = (void *)(f + 501);
          asm volatile("mov %0, %%rsp\n\tmov $15, %%eax\n\tsyscall" ::"r"(u));
        }
      waitpid (p, &st, 0);
      printf ("frame %d: %x\n", k, st);
    }
}
int
main (void)
{
  setvbuf (stdout, NULL, _IOLBF, 0);
  alt = stack_new (65536);
  alt2 = stack_new (65536);
  contexts ();
  alts (0);
  alts (SS_AUTODISARM);
  alts (SS_ONSTACK);
  alts (77);
  jumps ();
  deep ();
  small_stack ();
  edited ();
  bad_frames ();
  return 0;
}
