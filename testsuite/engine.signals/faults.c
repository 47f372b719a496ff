/* Faults, with what a handler is told of them, and resumption elsewhere.  */

#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static sigjmp_buf back;
static char *page;
extern char load[], store[], segment[], divide[], undefined[], breakpoint[];

static void
told (int sig, siginfo_t *info, void *context)
{
  ucontext_t *u = context;
  char *pc = (char *) u->uc_mcontext.gregs[REG_RIP];
  const char *where = pc == load ? "load" : pc == store ? "store"
                      : pc == segment ? "segment"
                      : pc == divide ? "divide" : pc == undefined ? "undefined"
                      : pc == breakpoint + 1 ? "breakpoint" : "elsewhere";
  long offset = (char *) info->si_addr - page;

  printf ("signal %d code %d at %s", sig, info->si_code, where);
  if (sig == SIGSEGV || sig == SIGBUS)
    printf (" address +%ld error %lld", offset,
            (long long) u->uc_mcontext.gregs[REG_ERR]);
  printf (" trap %lld rcx %#llx rdx %#llx",
          (long long) u->uc_mcontext.gregs[REG_TRAPNO],
          (long long) u->uc_mcontext.gregs[REG_RCX],
          (long long) u->uc_mcontext.gregs[REG_RDX]);
  printf (" rbx %#llx r12 %#llx\n",
          (long long) u->uc_mcontext.gregs[REG_RBX],
          (long long) u->uc_mcontext.gregs[REG_R12]);
  siglongjmp (back, 1);
}

/* Each instruction faults with the same registers.  */
#define FAULT(NAME, INSN)                                                     \
  static void __attribute__ ((noinline))                                      \
  do_##NAME (void *p)                                                         \
  {                                                                           \
    asm volatile ("mov $0x1234, %%ebx\n\tmov $0x5678, %%r12d\n\t"             \
                  "xor %%edx, %%edx\n\tmov $0x77, %%ecx\n"                    \
                  ".globl " #NAME "\n" #NAME ":\t" INSN                       \
                  : : "a" (p) : "rbx", "r12", "rcx", "rdx", "memory");        \
  }

FAULT (load, "mov 40(%%rax), %%rcx")
FAULT (store, "movl $1, 80(%%rax)")
FAULT (segment, "mov %%gs:8(%%rax), %%rdx")
FAULT (divide, "div %%edx")
FAULT (undefined, "ud2")
FAULT (breakpoint, "int3")

static void
try (void (*f) (void *), void *p)
{
  if (sigsetjmp (back, 1) == 0)
    f (p);
}

int
main (void)
{
  struct sigaction a = { .sa_sigaction = told, .sa_flags = SA_SIGINFO };
  static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };

  setvbuf (stdout, NULL, _IONBF, 0);
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
    sigaction (signals[i], &a, NULL);
  page = mmap (NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect (page + 4096, 4096, PROT_NONE);
  try (do_store, page);
  try (do_load, page + 4096);
  try (do_load, page + 4096 - 44);
  try (do_segment, page + 4096);
  try (do_divide, page);
  try (do_undefined, page);
  try (do_breakpoint, page);
  munmap (page, 8192);
  try (do_load, page);
  try (do_store, page);
  return 0;
}
