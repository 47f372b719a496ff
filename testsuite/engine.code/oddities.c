/* Ways into the kernel and through code that few programs go: system calls
   with prefixes, the vsyscall page, far returns, iret, string instructions
   whose source is in %gs, software interrupts, privileged instructions.  */

#define _GNU_SOURCE
#include <asm/prctl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static sigjmp_buf again;
static volatile uintptr_t fault_at;
static volatile int vague; /* the kernel tells no more of it */

static void
on_fault (int sig, siginfo_t *info, void *context)
{
  const greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
  printf ("  signal %d code %d addr %s", sig, info->si_code,
          !info->si_addr                                      ? "0"
          : (uintptr_t)info->si_addr == (uintptr_t)r[REG_RIP] ? "pc"
          : (uintptr_t)info->si_addr == fault_at              ? "expected"
                                                              : "other");
  if (!vague)
    printf (" trap %lld error %llx", r[REG_TRAPNO], r[REG_ERR]);
  printf ("\n");
  siglongjmp (again, 1);
}

#define FAULTS(NAME, CODE)                                                    \
  printf ("%s\n", NAME);                                                      \
  if (!sigsetjmp (again, 1))                                                  \
    {                                                                         \
      asm volatile(CODE                                                       \
                   :                                                          \
                   :                                                          \
                   : "rax", "rcx", "rdx", "rsi", "rdi", "r11", "memory",      \
                     "cc");                                                   \
      printf ("  no fault\n");                                                \
    }

static void
prefixed_syscalls (void)
{
  long a = SYS_getppid, b = SYS_getppid, c = SYS_getppid, after;
  asm volatile("rex.W syscall" : "+a"(a) : : "rcx", "r11", "memory");
  asm volatile(".byte 0xf3\n\tsyscall\n\tlea (%%rip), %1\n\tsub %%rcx, %1"
               : "+a"(b), "=r"(after)
               :
               : "rcx", "r11", "memory");
  asm volatile(".byte 0x66, 0x2e\n\tsyscall"
               : "+a"(c)
               :
               : "rcx", "r11", "memory");
  printf ("prefixed: %d %d %d %ld\n", a == getppid (), b == getppid (),
          c == getppid (), after);
}

static void
vsyscall_page (void)
{
  long (*time_entry) (long *) = (void *)0xffffffffff600400;
  int (*tod_entry) (struct timeval *, void *) = (void *)0xffffffffff600000;
  int (*cpu_entry) (unsigned *, unsigned *, void *)
      = (void *)0xffffffffff600800;
  struct timeval tv = { 0 };
  unsigned cpu = 999, node = 999;
  printf ("vsyscall\n");
  if (sigsetjmp (again, 1))
    return; /* the kernel has none */
  long t = time_entry (NULL);
  printf ("  time %d", t - time (NULL) <= 0 && time (NULL) - t < 5);
  printf (" gettimeofday %d %d", tod_entry (&tv, NULL), tv.tv_sec - t < 5);
  printf (" getcpu %d %d\n", cpu_entry (&cpu, &node, NULL), cpu < 999);
  fault_at = 0xffffffffff600000;
  vague = 1;
  FAULTS ("  its middle", "mov $0xffffffffff600404, %%rax\n\tcall *%%rax")
  vague = 0;
  FAULTS ("  reading it",
          "mov $0xffffffffff600000, %%rax\n\tmov (%%rax), %%al")
  fault_at = 0;
}

static void
far_returns (void)
{
  long a = 0, b = 0, c = 0;
  asm volatile("mov %%cs, %%ecx\n\tlea 1f(%%rip), %%rax\n\tpush %%rcx\n\t"
               "push %%rax\n\tlretq\n\tud2\n1:\tmov $1, %0"
               : "+r"(a)
               :
               : "rax", "rcx", "memory");
  asm volatile(
      "mov %%rsp, %%rdx\n\tmov %%cs, %%ecx\n\tlea 1f(%%rip), %%rax\n\t"
      "push $77\n\tpush %%rcx\n\tpush %%rax\n\tlretq $8\n\tud2\n"
      "1:\tmov $1, %0\n\tsub %%rsp, %%rdx\n\tadd %%rdx, %0"
      : "+r"(b)
      :
      : "rax", "rcx", "rdx", "memory", "cc");
  asm volatile(
      "mov %%rsp, %%rdx\n\tmov %%ss, %%esi\n\tmov %%cs, %%ecx\n\t"
      "lea 1f(%%rip), %%rax\n\tpush %%rsi\n\tlea -32(%%rdx), %%rdi\n\t"
      "push %%rdi\n\tpush $0x2d7\n\tpush %%rcx\n\tpush %%rax\n\t"
      "iretq\n\tud2\n1:\tpushfq\n\tpop %0\n\tsub %%rsp, %%rdi\n\t"
      "mov %%rdx, %%rsp\n\tshl $16, %%rdi\n\tadd %%rdi, %0"
      : "+r"(c)
      :
      : "rax", "rcx", "rdx", "rsi", "rdi", "memory", "cc");
  printf ("far: %ld %ld %lx\n", a, b, c);
}

static uint64_t
string_sum (const void *p, size_t n)
{
  const uint8_t *b = p;
  uint64_t sum = 0;
  while (n--)
    sum = sum * 31 + *b++;
  return sum;
}

static void
gs_strings (void)
{
  static uint8_t area[256], to[256], other[256];
  uint64_t rsi, rdi, rcx, rax, flags;
  for (int i = 0; i < 256; i++)
    area[i] = other[i] = i * 7 + 3;
  other[100] = 1;
  syscall (SYS_arch_prctl, ARCH_SET_GS, area);
#define STRING(NAME, CODE, RSI, RDI, RCX)                                     \
  rsi = RSI, rdi = (uint64_t)(RDI), rcx = RCX, rax = 0x1122334455667788;      \
  asm volatile("push $0x202\n\tpopfq\n\t" CODE "\n\tpushfq\n\tpop %4\n\tcld"  \
               : "+S"(rsi), "+D"(rdi), "+c"(rcx), "+a"(rax), "=r"(flags)      \
               :                                                              \
               : "memory", "cc");                                             \
  printf ("%s: %ld %ld %ld %lx %lx %lx\n", NAME, rsi,                         \
          (long)(rdi - (uint64_t)(RDI)), rcx, rax, flags & 0xcd5,             \
          string_sum (to, sizeof to));
  STRING ("movsb", "movsb %%gs:(%%rsi), %%es:(%%rdi)", 5, to, 9)
  STRING ("rep movsq", "rep movsq %%gs:(%%rsi), %%es:(%%rdi)", 8, to + 10, 6)
  STRING ("rep movsl down", "std\n\trep movsl %%gs:(%%rsi), %%es:(%%rdi)", 100,
          to + 200, 7)
  STRING ("rep movsw, none", "rep movsw %%gs:(%%rsi), %%es:(%%rdi)", 8, to, 0)
  STRING ("lodsb", "lodsb %%gs:(%%rsi), %%al", 7, to, 3)
  STRING ("lodsl", "lodsl %%gs:(%%rsi), %%eax", 7, to, 3)
  STRING ("rep lodsw", "rep lodsw %%gs:(%%rsi), %%ax", 7, to, 3)
  STRING ("cmpsb", "cmpsb %%es:(%%rdi), %%gs:(%%rsi)", 7, other, 3)
  STRING ("repe cmpsb", "repe cmpsb %%es:(%%rdi), %%gs:(%%rsi)", 0, other, 256)
  STRING ("repe cmpsq", "repe cmpsq %%es:(%%rdi), %%gs:(%%rsi)", 0, other, 32)
  STRING ("repne cmpsw", "repne cmpsw %%es:(%%rdi), %%gs:(%%rsi)", 2, other,
          90)
  STRING ("addr32", "addr32 lodsb %%gs:(%%esi), %%al", 0x7700000007, to, 3)
  fault_at = (uintptr_t)area + 0x7ff00000000;
  FAULTS ("gs read", "mov $0x7ff00000000, %%rsi\n\tlodsb %%gs:(%%rsi), %%al")
  fault_at = 8;
  FAULTS ("gs to nowhere",
          "mov $8, %%edi\n\txor %%esi, %%esi\n\tmovsb %%gs:(%%rsi), (%%rdi)")
  fault_at = 0;
}

int
main (void)
{
  struct sigaction a = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
  sigaction (SIGSEGV, &a, NULL);
  sigaction (SIGBUS, &a, NULL);
  sigaction (SIGILL, &a, NULL);
  sigaction (SIGFPE, &a, NULL);
  setvbuf (stdout, NULL, _IONBF, 0);
  prefixed_syscalls ();
  far_returns ();
  gs_strings ();
  vsyscall_page ();
  FAULTS ("int 0x81", "int $0x81")
  FAULTS ("int 0", "int $0")
  FAULTS ("int 1", "int $1")
  FAULTS ("int 14", "int $14")
  FAULTS ("hlt", "hlt")
  FAULTS ("in", "in $0x60, %%al")
  FAULTS ("outsb", "outsb %%gs:(%%rsi), %%dx")
  FAULTS ("cli", "cli")
  FAULTS ("sysret", "sysretq")
  FAULTS ("sysexit", "sysexitl")
  FAULTS ("swapgs", "swapgs")
  FAULTS ("lock syscall", ".byte 0xf0\n\tsyscall")
  FAULTS ("ud0", ".byte 0x0f, 0xff, 0xc0")
  FAULTS ("ud1", ".byte 0x0f, 0xb9, 0xc0")
  FAULTS ("ud2", "ud2")
  FAULTS ("into", ".byte 0xce")
  FAULTS ("bound", ".byte 0x62, 0x00, 0x00, 0x00, 0x00, 0x00")
  FAULTS ("mov to cr", "mov %%rax, %%cr3")
  FAULTS ("rdmsr", "rdmsr")
  FAULTS ("rdpmc", "mov $0x7fff, %%ecx\n\trdpmc")
  FAULTS ("div", "xor %%ecx, %%ecx\n\tdiv %%ecx")
  FAULTS (
      "noncanonical",
      "mov $1, %%rax\n\tror $1, %%rax\n\tshr $1, %%rax\n\tmov (%%rax), %%al")
  FAULTS ("noncanonical stack", "mov %%rsp, %%rdx\n\tmov $1, %%rax\n\tror $1, "
                                "%%rax\n\tadd $64, %%rax\n\t"
                                "mov (%%rax), %%rcx\n\tmov %%rdx, %%rsp")
  FAULTS ("jump noncanonical", "mov $1, %%rax\n\tror $1, %%rax\n\tjmp *%%rax")
  FAULTS ("jump nowhere", "mov $24, %%eax\n\tjmp *%%rax")
  FAULTS ("iret to data segment",
          "mov %%rsp, %%rdx\n\tmov %%cs, %%ecx\n\tpush $0x33\n\tpush "
          "%%rdx\n\tpushfq\n\t"
          "push %%rcx\n\tpush $0\n\tiretq")
  return 0;
}
