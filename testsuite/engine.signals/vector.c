/* The vector state in signal frames: its size and features, before and after
   the program asks for AMX; tiles and other registers over signals of each
   kind; and the least size of an alternate stack.  */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <cpuid.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static volatile uint32_t magic, ext, xsize;
static volatile uint64_t feat, bv, comp;
static volatile int where;
static volatile uint32_t magic2;
static volatile uint64_t frame_len;
static volatile int zero;
static volatile int *volatile nowhere = (int *)16;
static int has_amx;
static __attribute__ ((target ("general-regs-only"))) void
look (int sig, siginfo_t *i, void *c)
{
  ucontext_t *u = c;
  uint8_t *x = (uint8_t *)u->uc_mcontext.fpregs;
  magic = *(uint32_t *)(x + 464);
  ext = *(uint32_t *)(x + 468);
  feat = *(uint64_t *)(x + 472);
  xsize = *(uint32_t *)(x + 480);
  bv = *(uint64_t *)(x + 512);
  comp = *(uint64_t *)(x + 520);
  magic2 = *(uint32_t *)(x + xsize);
  frame_len = x - (uint8_t *)c;
  where = ((uintptr_t)x & 63) == 0;
  if (sig == SIGSEGV)
    {
      u->uc_mcontext.gregs[REG_RIP] += 2;
    }
  if (sig == SIGILL)
    {
      u->uc_mcontext.gregs[REG_RIP] += 2;
    }
}
static void
show (const char *what, uint64_t mask)
{
  printf ("%s: magic %x size %u ext %u features %lx bv %lx comp %lx second %x "
          "aligned %d uc-to-x %lu\n",
          what, magic, xsize, ext, feat, bv & mask, comp, magic2, where,
          frame_len);
  magic = 0;
}
static void
kinds (const char *name)
{
  char t[64];
  printf ("%s\n", name);
  raise (SIGUSR1);
  show (" raise", ~0ull & ~0x604ull);
  asm volatile("mov 16, %%eax\n\t.byte 0x90, 0x90, 0x90" ::
                   : "rax", "memory"); /* 7 bytes: fault */
  show (" fault", ~0x604ull);
  asm volatile("ud2");
  show (" ud2", ~0x604ull);
}
static void
segv_kind (void)
{
  asm volatile("xor %%eax, %%eax\n\tmov (%%rax), %%eax" ::: "rax", "memory");
  show (" fault", ~0x604ull);
}
struct cfg
{
  uint8_t palette, start, rsvd[14];
  uint16_t colsb[16];
  uint8_t rows[16];
} __attribute__ ((packed, aligned (64)));
static __thread struct cfg cfg;
static __thread uint8_t tile[1024] __attribute__ ((aligned (64))),
    out[1024] __attribute__ ((aligned (64)));
static void
load (int v)
{
  cfg.palette = 1;
  for (int i = 0; i < 8; i++)
    {
      cfg.colsb[i] = 64;
      cfg.rows[i] = 16;
    }
  for (int i = 0; i < 1024; i++)
    tile[i] = i * v + 3;
  asm volatile(".byte 0xc4, 0xe2, 0x78, 0x49, 0x00" ::"a"(&cfg),
               "m"(cfg)); /* ldtilecfg (%rax) */
  asm volatile(".byte 0xc4, 0xe2, 0x7b, 0x4b, 0x34, 0x08" ::"a"(tile),
               "c"(64L), "m"(tile)); /* tileloadd (%rax,%rcx), tmm6 */
}
static int
check (int v)
{
  memset (out, 0, sizeof out);
  asm volatile(".byte 0xc4, 0xe2, 0x7a, 0x4b, 0x34, 0x08" ::"a"(out), "c"(64L)
               : "memory"); /* tilestored tmm6 */
  return memcmp (tile, out, 1024) == 0;
}
static void
smash (int sig)
{
  uint8_t t2[1024] __attribute__ ((aligned (64))) = { 1 };
  struct cfg c2 = { .palette = 1 };
  for (int i = 0; i < 8; i++)
    {
      c2.colsb[i] = 64;
      c2.rows[i] = 16;
    }
  asm volatile(".byte 0xc4, 0xe2, 0x78, 0x49, 0x00" ::"a"(&c2), "m"(c2));
  asm volatile(".byte 0xc4, 0xe2, 0x7b, 0x4b, 0x34, 0x08" ::"a"(t2), "c"(64L),
               "m"(t2));
}
static volatile int ticks;
static void
tick (int s)
{
  ticks++;
  smash (s);
}
static void *
amx_thread (void *a)
{
  int v = (long)a;
  long bad = 0, n = 0;
  load (v);
  while (ticks < 20)
    {
      bad += !check (v);
      n++;
    }
  return (void *)bad;
}
static void
stacks (const char *name)
{
  char *m = mmap (0, 1 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  long min = getauxval (AT_MINSIGSTKSZ);
  printf ("%s: minsigstksz %ld:", name, min);
  for (long s = 2047; s < 20000; s = s * 5 / 4)
    {
      stack_t st = { .ss_sp = m, .ss_size = s };
      printf (" %ld/%s", s,
              sigaltstack (&st, 0) == 0 ? "ok" : strerrorname_np (errno));
      st.ss_flags = SS_DISABLE;
      sigaltstack (&st, 0);
    }
  printf ("\n");
}
int
main (void)
{
  struct sigaction a = { .sa_sigaction = look, .sa_flags = SA_SIGINFO };
  sigaction (SIGUSR1, &a, 0);
  sigaction (SIGSEGV, &a, 0);
  sigaction (SIGILL, &a, 0);
  setvbuf (stdout, NULL, _IOLBF, 0);
  raise (SIGUSR1);
  show ("raise", ~0x604ull);
  segv_kind ();
  asm volatile("ud2");
  show (" ud2", ~0x604ull);
  stacks ("before");
  uint64_t sup = 0, perm = 0, perm2 = 0;
  printf ("supp %ld", syscall (SYS_arch_prctl, 0x1021, &sup));
  printf (" %lx perm %ld", sup, syscall (SYS_arch_prctl, 0x1022, &perm));
  printf (" %lx\n", perm);
  stack_t tiny = { .ss_sp = malloc (11951), .ss_size = 11951 };
  sigaltstack (&tiny, 0);
  printf ("request with a small stack %ld",
          syscall (SYS_arch_prctl, 0x1023, 18));
  printf (" %s\n", strerrorname_np (errno));
  tiny.ss_flags = SS_DISABLE;
  sigaltstack (&tiny, 0);
  if (syscall (SYS_arch_prctl, 0x1023, 18))
    {
      printf ("no amx: %s\n", strerrorname_np (errno));
      return 0;
    }
  syscall (SYS_arch_prctl, 0x1022, &perm2);
  printf ("perm %lx\n", perm2);
  stacks ("permitted");
  raise (SIGUSR1);
  show ("permitted", ~0x604ull);
  segv_kind ();
  load (5);
  printf ("loaded %d\n", check (5));
  segv_kind ();
  asm volatile("ud2");
  show (" ud2", ~0x604ull);
  /* a fault that the engine raises itself */
  asm volatile("ud2");
  show (" ud2", ~0x604ull);
  asm volatile("int $0x81");
  show (" int", ~0x604ull);
  printf ("kept %d\n", check (5));
  raise (SIGUSR1);
  show ("used", ~0x604ull);
  printf ("kept %d\n", check (5));
  signal (SIGUSR2, smash);
  raise (SIGUSR2);
  printf ("over a handler that uses tiles %d\n", check (5));
  struct itimerval t = { { 0, 1000 }, { 0, 1000 } };
  signal (SIGALRM, tick);
  setitimer (ITIMER_REAL, &t, 0);
  pthread_t th[4];
  void *r;
  for (long i = 0; i < 4; i++)
    pthread_create (th + i, 0, amx_thread, (void *)(i + 7));
  for (int i = 0; i < 4; i++)
    {
      pthread_join (th[i], &r);
      printf ("thread: %ld bad\n", (long)r);
    }
  printf ("first thread kept %d\n",
          (memset (&t, 0, sizeof t), setitimer (ITIMER_REAL, &t, 0), load (5),
           check (5)));
  fflush (stdout);
  pid_t p = fork ();
  if (!p)
    {
      uint64_t pp = 0;
      syscall (SYS_arch_prctl, 0x1022, &pp);
      printf ("child %lx\n", pp);
      raise (SIGUSR1);
      show ("child", ~0x60604ull);
      load (9);
      printf ("child %d\n", check (9));
      raise (SIGUSR1);
      show ("child", ~0x604ull);
      fflush (stdout);
      _exit (0);
    }
  waitpid (p, 0, 0);
  return 0;
}
