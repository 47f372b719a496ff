/* A program that sets the trap flag for itself, and traces itself by its
   handler of SIGTRAP: through branches, a system call, repeated string
   instructions, pushf and popf, int3, icebp, mov to %ss, cpuid, iret; set by
   the frame of a handler; in a child of fork; and blocked.  */

#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define MAX 200

static volatile int n, n_alarms;
static struct
{
  uintptr_t pc, addr;
  int code;
  long flags, trapno, rcx;
} seen[MAX];

static void
note (int sig, siginfo_t *info, void *context)
{
  const greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
  (void)sig;
  if (n == MAX)
    return;
  seen[n].pc = r[REG_RIP];
  seen[n].addr = (uintptr_t)info->si_addr;
  seen[n].code = info->si_code;
  seen[n].flags = r[REG_EFL];
  seen[n].rcx = r[REG_RCX];
  seen[n++].trapno = r[REG_TRAPNO];
}

static void
print (const char *name, uintptr_t start, int with_rcx)
{
  printf ("%s:", name);
  for (int i = 0; i < n; i++)
    {
      printf (" %ld/%ld/%d/%lx/%ld", seen[i].pc - start,
              seen[i].addr ? seen[i].addr - start : 0, seen[i].code,
              seen[i].flags, seen[i].trapno);
      if (with_rcx)
        printf ("/%ld", seen[i].rcx < 100 ? seen[i].rcx : -1);
    }
  printf ("\n");
  n = 0;
}

/* BODY between two popf, of which the first sets the flag.  */
#define TRACE(NAME, WITH_RCX, BODY)                                           \
  static void NAME (void)                                                     \
  {                                                                           \
    uintptr_t start;                                                          \
    char from[64] = "abcdefghabcdefgh", to[64] = "abcdefgx";                  \
    asm volatile("sub $256, %%rsp\n\txor %%eax, %%eax\n\t"                    \
                 "lea 1f(%%rip), %%rax\n\tmov %%rax, %0\n"                    \
                 "1:\tpushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\t" BODY        \
                 "\n\tpushfq\n\tandl $~0x100, (%%rsp)\n\tpopfq\n\tnop\n\t"    \
                 "nop\n\tadd $256, %%rsp"                                     \
                 : "=&r"(start)                                               \
                 : "r"(from), "r"(to)                                         \
                 : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r11", "r15",    \
                   "memory", "cc");                                           \
    print (#NAME, start, WITH_RCX);                                           \
  }

TRACE (plain, 0, "nop\n\tmov $1, %%eax\n\tadd %%eax, %%eax\n\tnop")
TRACE (branches, 0,
       "mov $3, %%ecx\n2:\tdec %%ecx\n\tjnz 2b\n\tjmp 3f\n\tnop\n"
       "3:\tcall 4f\n\tjmp 5f\n4:\tret\n5:\tlea 6f(%%rip), %%rax\n\t"
       "jmp *%%rax\n\tnop\n6:\tnop")
TRACE (system_call, 0, "mov $39, %%eax\n\tsyscall\n\tnop\n\tnop")
TRACE (repeated, 1,
       "mov %1, %%rsi\n\tmov %2, %%rdi\n\tmov $5, %%ecx\n\trep movsb\n\t"
       "mov %1, %%rsi\n\tmov %2, %%rdi\n\tmov $9, %%ecx\n\trepe cmpsb\n\t"
       "mov $0x63, %%eax\n\tmov %1, %%rdi\n\tmov $9, %%ecx\n\trepne scasb\n\t"
       "mov $0, %%ecx\n\trep stosb\n\tmov $1, %%ecx\n\trep lodsb\n\t"
       "xor %%eax, %%eax")
TRACE (flags, 0,
       "pushfq\n\tpop %%r15\n\tpush $0x302\n\tpopfq\n\tpushfq\n\tpop %%rcx\n\t"
       "sub %%r15, %%rcx\n\tnop\n\tpushfw\n\tpopfw\n\txor %%eax, %%eax")
TRACE (breakpoints, 0, "nop\n\tint3\n\tnop\n\t.byte 0xf1\n\tnop\n\tint $3")
TRACE (stack_segment, 0, "mov %%ss, %%eax\n\tmov %%eax, %%ss\n\tnop\n\tnop")
TRACE (serialising, 0,
       "xor %%eax, %%eax\n\tcpuid\n\tnop\n\trdtsc\n\tnop\n\txor %%eax, %%eax")
TRACE (interrupt_return, 0,
       "mov %%rsp, %%rdx\n\tmov %%ss, %%eax\n\tpush %%rax\n\tpush %%rdx\n\t"
       "pushfq\n\tmov %%cs, %%eax\n\tpush %%rax\n\tlea 7f(%%rip), %%rax\n\t"
       "push %%rax\n\tiretq\n\tnop\n7:\tnop\n\tnop")

/* iret that sets the flag, and one that clears it.  */
static void
set_by_iret (void)
{
  uintptr_t start;
  asm volatile("xor %%eax, %%eax\n\tlea 1f(%%rip), %%rax\n\tmov %%rax, %0\n\t"
               "mov %%rsp, %%rdx\n\tmov %%ss, %%ecx\n\t"
               "push %%rcx\n\tpush %%rdx\n\tpush $0x302\n\tmov %%cs, %%ebx\n\t"
               "push %%rbx\n\tpush %%rax\n\tiretq\n1:\tnop\n\tnop\n\t"
               "push %%rcx\n\tpush %%rdx\n\tpush $0x202\n\tpush %%rbx\n\t"
               "lea 2f(%%rip), %%rax\n\tpush %%rax\n\tiretq\n2:\tnop\n\tnop"
               : "=&r"(start)
               :
               : "rax", "rbx", "rcx", "rdx", "memory", "cc");
  print ("set by iret", start, 0);
}

static void
set_flag (int sig, siginfo_t *info, void *context)
{
  greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
  (void)sig, (void)info;
  r[REG_EFL] |= 0x100;
}

static void
clear_flag (int sig, siginfo_t *info, void *context)
{
  greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
  (void)sig, (void)info;
  if (++n == 5)
    r[REG_EFL] &= ~0x100l;
}

static void
count_alarm (int sig)
{
  (void)sig;
  n_alarms++;
}

static void
handle (int sig, void (*handler) (int, siginfo_t *, void *))
{
  struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
  sigaction (sig, &a, NULL);
}

/* Alarms come while a loop is traced.  */
static void
with_alarms (void)
{
  unsigned long sum = 0, steps;
  struct itimerval often = { { 0, 300 }, { 0, 300 } }, never = { { 0 } };
  signal (SIGALRM, count_alarm);
  setitimer (ITIMER_REAL, &often, NULL);
  n = MAX; /* only counted */
  for (steps = 0; n_alarms < 20 || steps < 20; steps++)
    asm volatile("pushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\tmov $100, %%ecx\n"
                 "1:\tadd %%rcx, %0\n\tdec %%ecx\n\tjnz 1b\n\t"
                 "pushfq\n\tandl $~0x100, (%%rsp)\n\tpopfq"
                 : "+r"(sum)
                 :
                 : "rcx", "memory", "cc");
  setitimer (ITIMER_REAL, &never, NULL);
  printf ("with alarms: %lu\n", sum / steps);
  n = 0;
}

static void
in_child (int blocked)
{
  int status;
  sigset_t set;
  pid_t p;
  fflush (stdout);
  p = fork ();
  if (p == 0)
    {
      sigemptyset (&set);
      sigaddset (&set, SIGTRAP);
      if (blocked)
        sigprocmask (SIG_BLOCK, &set, NULL);
      plain ();
      fflush (stdout);
      _exit (0);
    }
  waitpid (p, &status, 0);
  printf ("child: %x\n", status);
}

int
main (void)
{
  handle (SIGTRAP, note);
  plain ();
  branches ();
  system_call ();
  repeated ();
  flags ();
  breakpoints ();
  stack_segment ();
  serialising ();
  interrupt_return ();
  set_by_iret ();
  in_child (0);
  in_child (1);
  with_alarms ();
  handle (SIGUSR1, set_flag);
  handle (SIGTRAP, clear_flag);
  raise (SIGUSR1);
  printf ("set by a frame: %d\n", n);
  return 0;
}
