/* A loop with EFLAGS.AC set: each access of its own is aligned, and what the
   debugger asks for at `work' is not.  Then one that is not, which is a
   fault.  */

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

struct __attribute__ ((packed)) odd
{
  char pad;
  uint32_t half;
  uint64_t whole;
};

struct odd *odd;
volatile uint64_t count;
static uint64_t n_calls = 1000;
static sigjmp_buf out;
static volatile int faults;

__attribute__ ((noinline)) void
work (uint64_t n)
{
  char *half = (char *) &odd->half, *whole = (char *) &odd->whole;

  half[0] = (char) n;
  half[1] = (char) (n >> 8);
  whole[0] = (char) n;
  whole[1] = (char) (n >> 8);
  count = n;
}

/* A routine at an odd address, in a shared mapping: its bytes are verified
   each time that it runs.  */
static uint64_t (*add) (uint64_t);

static void
make_code (void)
{
  /* lea 0x12345678(%rdi), %rax;  ret */
  static const unsigned char code[]
      = { 0x48, 0x8d, 0x87, 0x78, 0x56, 0x34, 0x12, 0xc3 };
  char *p = mmap (NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

  __builtin_memcpy (p + 1, code, sizeof code);
  add = (uint64_t (*) (uint64_t)) (p + 1);
}

static void
set_ac (int on)
{
  if (on)
    __asm__ volatile ("pushfq\n\torl $0x40000, (%%rsp)\n\tpopfq"
                      ::: "memory", "cc");
  else
    __asm__ volatile ("pushfq\n\tandl $~0x40000, (%%rsp)\n\tpopfq"
                      ::: "memory", "cc");
}

static void
on_bus (int sig, siginfo_t *info, void *context)
{
  (void) sig, (void) context;
  set_ac (0);
  faults += info->si_code == BUS_ADRALN;
  siglongjmp (out, 1);
}

static int
ac (void)
{
  uint64_t flags;

  __asm__ volatile ("pushfq\n\tpop %0" : "=r"(flags)::"memory");
  return flags >> 18 & 1;
}

__attribute__ ((noinline)) void
done (void)
{
  __asm__ volatile ("");
}

int
main (void)
{
  struct sigaction a = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO };
  uint64_t sum = 0;
  int kept = 0;

  odd = calloc (1, sizeof *odd);
  make_code ();
  sigaction (SIGBUS, &a, NULL);
  for (uint64_t n = 1; n <= n_calls; n++)
    {
      set_ac (1);
      work (n);
      sum += add (n);
      kept += ac ();
      set_ac (0);
    }
  done ();
  if (sigsetjmp (out, 1) == 0)
    {
      set_ac (1);
      *(volatile uint64_t *) (((char *) odd) + 1) = 1;
      set_ac (0);
    }
  printf ("%d kept, sum %lu, %d fault\n", kept, (unsigned long) sum, faults);
  return 0;
}
