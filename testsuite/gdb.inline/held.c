/* A loop with calls, branches and stores in which all registers but one have
   values that are known, and a timer whose handler looks at them.  */

#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>
#include <ucontext.h>

long watched, other[64];
static volatile long seen, wrong;
extern const uint8_t loop_begin[], loop_end[];

static const struct { int reg; uint64_t value; } known[] = {
  { REG_RCX, 0x1111 },  { REG_RDX, 0x2222222222 }, { REG_RSI, 0x3333 },
  { REG_R8, 0x8888 },   { REG_R9, 0x9999999999 },  { REG_R10, 0x10101010 },
  { REG_R11, 0x1111111111111 }, { REG_R12, 0x1212 }, { REG_R15, 0x1515 },
};

static void
look (int sig, siginfo_t *info, void *context)
{
  const greg_t *r = ((ucontext_t *) context)->uc_mcontext.gregs;

  (void) sig, (void) info;
  if (r[REG_RIP] < (greg_t) loop_begin || r[REG_RIP] >= (greg_t) loop_end)
    return;
  seen++;
  for (unsigned n = 0; n < sizeof known / sizeof *known; n++)
    wrong += (uint64_t) r[known[n].reg] != known[n].value;
}

static void __attribute__ ((noipa))
spin (long turns)
{
  __asm__ volatile (
      "mov $0x1111, %%ecx; mov $0x2222222222, %%rdx; mov $0x3333, %%esi\n"
      "mov $0x8888, %%r8d; mov $0x9999999999, %%r9\n"
      "mov $0x10101010, %%r10d; mov $0x1111111111111, %%r11\n"
      "mov $0x1212, %%r12d; mov $0x1515, %%r15d\n"
      "lea 3f(%%rip), %%r13\n"
      ".globl loop_begin\nloop_begin:\n"
      "1: mov %%rcx, (%1); mov %%r10, 8(%1); push %%r11; call 2f\n"
      "pop %%rbx; mov %%rbx, 16(%1); cmp %%r11, 16(%1); jne 4f\n"
      "call *%%r13; movb %%cl, 24(%1); mov %%r11, 32(%1)\n"
      "xor $0, %%r10; mov %%r10, 40(%1); lea (%%r11), %%r11\n"
      "5: dec %0; jnz 1b\n"
      "jmp 6f\n"
      "2: mov %%r9, 48(%1); ret\n"
      "3: add %%r8, 56(%1); ret\n"
      ".globl loop_end\nloop_end:\n"
      "4: ud2\n"
      "6:\n"
      : "+r"(turns)
      : "r"(other)
      : "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r15",
        "rbx", "cc", "memory");
}

int
main (void)
{
  struct sigaction sa = { .sa_sigaction = look, .sa_flags = SA_SIGINFO };
  struct itimerval often = { { 0, 500 }, { 0, 500 } };

  sigaction (SIGALRM, &sa, 0);
  setitimer (ITIMER_REAL, &often, 0);
  while (seen < 400 && !wrong)
    spin (20000);
  memset (&often, 0, sizeof often);
  setitimer (ITIMER_REAL, &often, 0);
  return wrong != 0;
}
