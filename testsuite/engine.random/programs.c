/* Random programs, the same for a seed: each is generated, run with a random
   state of the processor, and described by one line that depends on every
   register, flag and byte of memory at its checkpoints, at its faults and at
   its end.  A timer interrupts them all the while: what it sees must be the
   start of an instruction of the program, and it must change nothing.  From
   one checkpoint on a child of fork runs the rest too, and must come to the
   same end.

   usage: programs SEED N [-v [FIRST]]
   -v prints a line for each checkpoint and fault too; FIRST is the first
   program of the N.

   While a program runs %fs is the program's: no function of libc that uses
   thread-local variables may be called.  */

#include <asm/prctl.h>
#include <cpuid.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "engine.random/generate.h"
#include "engine.random/operand.h"
#include "engine.random/state.h"
#include "unit.arch/decode-random.h"

struct saved_state
{
  uint64_t gpr[16];
  uint64_t flags;
  uint64_t unused[7];
  uint8_t vectors[STATE_XSAVE_SIZE] __attribute__ ((aligned (64)));
};
struct saved_state saved_state;

void stub_run (uint64_t pc);
void stub_finish (void);
void stub_checkpoint (void);
void checkpoint (void);

static uint64_t hash, libc_fs;
static unsigned n_faults, n_checkpoints;
static unsigned long n_ticks, n_astray;
static bool verbose, running, is_child;

#define FORK_AT 3

/* A system call with two arguments, and two that are 0.  */
static long
call (long number, long a, long b)
{
  register long r10 asm ("r10") = 0;
  long result;

  asm volatile ("syscall" : "=a" (result)
                : "0" (number), "D" (a), "S" (b), "d" (0l), "r" (r10)
                : "rcx", "r11", "memory");
  return result;
}

static void
fail (const char *what)
{
  perror (what);
  exit (1);
}

/* Describe one more event at PC, with N more WORDS that belong to it and the
   vector state in AREA.  */
static void
describe (int sig, uint64_t pc, const void *words, unsigned n, uint8_t *area)
{
  uint64_t vectors = state_vectors (0, area);

  hash = state_mix (hash, &(uint64_t){ sig }, 8);
  hash = state_mix (hash, words, n * 8);
  hash = state_mix (hash, &vectors, 8);
  if (!verbose || is_child)
    return;
  call (SYS_arch_prctl, ARCH_SET_FS, libc_fs);
  printf ("  signal %d, number %u at %lx:", sig, n_checkpoints + n_faults, pc);
  for (unsigned k = 0; k < n; k++)
    printf (" %lx", ((const uint64_t *)words)[k]);
  printf (" vectors %lx\n", vectors);
  fflush (stdout);
  call (SYS_arch_prctl, ARCH_SET_FS, FS_DATA);
}

/* Fork; the parent waits, and what has come of the child is mixed into its
   description.  Without libc, for %fs is the program's.  */
static void
branch_off (void)
{
  int status = 0;
  long child = call (SYS_fork, 0, 0);

  if (child == 0)
    is_child = true;
  else
    {
      call (SYS_wait4, child, (long)&status);
      hash = state_mix (hash, &(uint64_t){ status }, 8);
    }
}

/* Called from stub_checkpoint.  */
void
checkpoint (void)
{
  if (++n_checkpoints == FORK_AT && !is_child)
    branch_off ();
  describe (0, *(uint64_t *)saved_state.gpr[RSP], &saved_state,
            offsetof (struct saved_state, unused) / 8, saved_state.vectors);
}

/* A handler begins with the interrupted program's alignment checks.  */
static void
clear_alignment_check (void)
{
  asm volatile ("lea -128(%%rsp), %%rsp; pushfq; andl $~0x40000, (%%rsp);"
                "popfq; lea 128(%%rsp), %%rsp" : : : "memory", "cc");
}

/* Exceptions of floating point are masked again, that not every instruction
   raises them.  */
static void
mask_exceptions (struct _libc_fpstate *f)
{
  f->cwd |= 0x3f;
  f->swd &= ~0x80ff;
  f->mxcsr |= 0x1f80;
}

/* The program is described as it is at the fault, and goes on behind the
   instruction.  */
static void
fault (int sig, siginfo_t *info, void *uc)
{
  greg_t *g = ((ucontext_t *)uc)->uc_mcontext.gregs;
  struct _libc_fpstate *f = ((ucontext_t *)uc)->uc_mcontext.fpregs;
  uint64_t words[REG_EFL + 5] = { info->si_code, (uint64_t)info->si_addr,
                                  g[REG_TRAPNO], g[REG_ERR] };

  clear_alignment_check ();
  if (!running || n_faults++ > 1000000)
    _exit (9);
  memcpy (words + 4, g, (REG_EFL + 1) * sizeof *g);
  describe (sig, g[REG_RIP], words, ARRAY_SIZE (words), (uint8_t *)f);
  if (sig == SIGFPE)
    mask_exceptions (f);
  if (sig != SIGTRAP)
    g[REG_RIP] = asm_next (g[REG_RIP]);
}

static bool
is_code (uint64_t pc)
{
  return pc - CODE (0) < CODE_SIZE || pc - CODE (1) < CODE_SIZE;
}

/* A handler begins with vector registers of its own, and may leave anything
   in them.  */
static void
tick (int sig, siginfo_t *info, void *uc)
{
  greg_t *g = ((ucontext_t *)uc)->uc_mcontext.gregs;

  (void)sig;
  (void)info;
  clear_alignment_check ();
  n_ticks++;
  if (is_code (g[REG_RIP]))
    n_astray += !asm_is_start (g[REG_RIP])
                || (uint64_t)g[REG_RSP] - STACK_BASE > STACK_SIZE;
  asm volatile ("fninit; fld1; fldpi; pcmpeqd %%xmm0, %%xmm0;"
                "pcmpeqd %%xmm9, %%xmm9" : : : "xmm0", "xmm9");
}

static void
map (uint64_t at, size_t size, int prot)
{
  if (mmap ((void *)at, size, prot,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0)
      != (void *)at)
    fail ("mmap");
}

static void
map_data (uint64_t at)
{
  map (at - PAGE_SIZE, DATA_SIZE + 2 * PAGE_SIZE, PROT_NONE);
  mprotect ((void *)at, DATA_SIZE, PROT_READ | PROT_WRITE);
}

static const uint64_t data_areas[]
    = { NEAR_DATA (0),
        NEAR_DATA (1),
        RIP_LOW_DATA,
        LOW_DATA,
        FS_DATA,
        FS_DATA + NEAR_DATA (0),
        FS_DATA + NEAR_DATA (1),
        FS_DATA + RIP_LOW_DATA,
        GS_DATA,
        GS_DATA + NEAR_DATA (0),
        GS_DATA + NEAR_DATA (1),
        GS_DATA + RIP_LOW_DATA };

static void
map_all (void)
{
  for (unsigned n = 0; n < N_AREAS; n++)
    {
      struct control *c = (struct control *)CONTROL (n);

      map (CODE (n), CODE_SIZE, PROT_READ | PROT_WRITE);
      map (CONTROL (n), PAGE_SIZE, PROT_READ | PROT_WRITE);
      c->checkpoint = (uint64_t)stub_checkpoint;
      c->finish = (uint64_t)stub_finish;
      for (unsigned k = 0; k < ARRAY_SIZE (c->indices); k++)
        c->indices[k] = (int64_t)(k * 37 % 64) - 30;
    }
  for (unsigned n = 0; n < ARRAY_SIZE (data_areas); n++)
    map_data (data_areas[n]);
  map (STACK_BASE, STACK_SIZE, PROT_READ | PROT_WRITE);
}

static void
protect (int prot)
{
  for (unsigned n = 0; n < N_AREAS; n++)
    if (mprotect ((void *)CODE (n), CODE_SIZE, prot) < 0)
      fail ("mprotect");
}

static void
fill (uint64_t at, size_t size)
{
  for (size_t n = 0; n < size; n += 8)
    memcpy ((void *)(at + n), &(uint64_t){ random_bits () }, 8);
}

static void
begin_state (void)
{
  for (unsigned n = 0; n < ARRAY_SIZE (data_areas); n++)
    fill (data_areas[n], DATA_SIZE);
  fill (STACK_BASE, STACK_SIZE);
  for (unsigned n = 0; n < 16; n++)
    saved_state.gpr[n] = random_bits ();
  saved_state.gpr[RSP] = STACK_BASE + STACK_SIZE - 1024;
  saved_state.flags = 0x202;
  state_random (saved_state.vectors);
  hash = n_faults = n_checkpoints = 0;
}

static void
run (uint64_t start)
{
  call (SYS_arch_prctl, ARCH_SET_FS, FS_DATA);
  call (SYS_arch_prctl, ARCH_SET_GS, GS_DATA);
  running = true;
  stub_run (start);
  running = false;
  call (SYS_arch_prctl, ARCH_SET_GS, 0);
  call (SYS_arch_prctl, ARCH_SET_FS, libc_fs);
}

static void
try (unsigned long seed, unsigned n)
{
  uint64_t start;

  random_seed (seed * 0x9e3779b97f4a7c15 + n * 0xd1b54a32d192ed03);
  protect (PROT_READ | PROT_WRITE);
  start = generate (getauxval (AT_HWCAP2) & 2);
  protect (PROT_READ | PROT_EXEC);
  begin_state ();
  if (verbose)
    printf ("program %u begins at %lx\n", n, start);
  run (start);
  for (unsigned k = 0; k < ARRAY_SIZE (data_areas); k++)
    hash = state_mix (hash, (void *)data_areas[k], DATA_SIZE);
  hash = state_mix (hash, (void *)STACK_BASE, STACK_SIZE);
  if (is_child)
    _exit (hash & 0x7f);
  printf ("program %u: %016lx after %u checkpoints, %u faults\n", n, hash,
          n_checkpoints, n_faults);
}

static void
handle (int sig, void (*handler) (int, siginfo_t *, void *))
{
  struct sigaction sa = { .sa_sigaction = handler,
                          .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };

  sigfillset (&sa.sa_mask);
  sigaction (sig, &sa, NULL);
}

static void
handle_all (void)
{
  static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
  stack_t stack = { .ss_size = 65536, .ss_sp = malloc (65536) };
  struct itimerval every = { { 0, 500 }, { 0, 500 } };

  sigaltstack (&stack, NULL);
  for (unsigned n = 0; n < ARRAY_SIZE (faults); n++)
    handle (faults[n], fault);
  handle (SIGALRM, tick);
  setitimer (ITIMER_REAL, &every, NULL);
}

static bool
has_evex (void)
{
  unsigned a, b, c, d;

  return __get_cpuid_count (7, 0, &a, &b, &c, &d) && (b & bit_AVX512VL);
}

int
main (int argc, char **argv)
{
  unsigned long seed = argc > 1 ? strtoul (argv[1], NULL, 0) : 1;
  unsigned count = argc > 2 ? atoi (argv[2]) : 1;
  unsigned first = argc > 4 ? atoi (argv[4]) : 0;

  verbose = argc > 3;
  call (SYS_arch_prctl, ARCH_GET_FS, (long)&libc_fs);
  operand_init (has_evex ());
  state_init ();
  map_all ();
  handle_all ();
  for (unsigned n = first; n < first + count; n++)
    try (seed, n);
  printf ("interrupted %s, astray %lu\n", n_ticks ? "often" : "never",
          n_astray);
  return 0;
}
