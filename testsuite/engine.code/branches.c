/* Branches of every kind: all conditions on all flags, loop and jrcxz, calls
   and jumps through registers, memory and tables, returns that pop, and
   deep recursion; flags live across all of them.  */

#include <stdint.h>
#include <stdio.h>

#define CONDITIONS(X)                                                         \
  X (o) X (no) X (b) X (ae) X (e) X (ne) X (be) X (a) X (s) X (ns) X (p)      \
  X (np) X (l) X (ge) X (le) X (g)

static unsigned
conditions (uint64_t flags)
{
  unsigned taken = 0;

#define TRY(CC)                                                               \
  asm ("push %1\n\tpopf\n\tlea (%0,%0), %0\n\tj" #CC " 1f\n\tjmp 2f\n"        \
       "1:\tlea 1(%0), %0\n2:"                                                \
       : "+r" (taken) : "r" (flags) : "cc", "memory");
  CONDITIONS (TRY)
#undef TRY
  return taken;
}

static uint64_t
loops (uint64_t n)
{
  uint64_t sum = 0;

  asm ("1:\tadd %1, %0\n\tloop 1b" : "+r" (sum), "+c" (n));
  n = 9;
  asm ("1:\tadd %1, %0\n\tcmp $4, %1\n\tloopne 1b" : "+r" (sum), "+c" (n));
  asm ("jrcxz 1f\n\tadd $1000, %0\n1:" : "+r" (sum) : "c" (0ul));
  asm ("jrcxz 1f\n\tadd $5000, %0\n1:" : "+r" (sum) : "c" (1ul));
  asm ("jecxz 1f\n\tadd $9000, %0\n1:" : "+r" (sum) : "c" (1ul << 32));
  return sum;
}

/* Flags that are live over an indirect call and a return.  */
static uint64_t
live_flags (uint64_t a)
{
  uint64_t r;

  asm volatile ("lea 3f(%%rip), %%rdx\n\tadd %%rax, %%rax\n\tcall *%%rdx\n\t"
                "adc $0, %0\n\tjmp 4f\n"
                "3:\tmov $10, %0\n\tret\n4:"
                : "=&r" (r), "+a" (a) : : "rdx", "memory", "cc");
  return r;
}

/* ret $16, a call through memory relative to %rsp, push and pop around.  */
static uint64_t
popping (uint64_t a)
{
  uint64_t r;

  asm volatile ("mov %%rsp, %%rbx\n\tand $-16, %%rsp\n\tsub $256, %%rsp\n\t"
                "lea 5f(%%rip), %%rcx\n\tpush %%rcx\n\tpush %1\n\tpush %1\n\t"
                "call *16(%%rsp)\n\tpop %%rdx\n\tcmp %%rcx, %%rdx\n\t"
                "mov %%rbx, %%rsp\n\tje 6f\n\tinc %0\n\tjmp 6f\n"
                "5:\tmov 8(%%rsp), %0\n\tadd 16(%%rsp), %0\n\tret $16\n6:"
                : "=&r" (r) : "r" (a) : "rbx", "rcx", "rdx", "memory",
                  "cc");
  return r;
}

static uint64_t __attribute__ ((noinline))
deep (int n)
{
  return n == 0 ? 1 : deep (n - 1) * 3 + 1;
}

static int __attribute__ ((noinline))
by_table (int n)
{
  switch (n)
    {
    case 0: return 17;
    case 1: return n * 31 + 4;
    case 2: return n - 9;
    case 3: return n << 6;
    case 4: return ~n;
    case 5: return n * n * n;
    case 6: return -n;
    case 7: return 4711;
    default: return n / 3;
    }
}

int
main (void)
{
  static const uint64_t bits[] = { 1, 4, 16, 64, 128, 2048 };
  uint64_t sum = 0;

  for (unsigned set = 0; set < 64; set++)
    {
      uint64_t flags = 2;

      for (int b = 0; b < 6; b++)
        if (set & 1u << b)
          flags |= bits[b];
      sum = sum * 31 + conditions (flags);
    }
  printf ("conditions %lx\n", sum);
  printf ("loops %lu\n", loops (100));
  printf ("flags %lu %lu\n", live_flags (1), live_flags (1ul << 63));
  printf ("popping %lu\n", popping (21));
  printf ("deep %lu\n", deep (10000));
  sum = 0;
  for (int i = 0; i < 1000; i++)
    sum = sum * 7 + (unsigned) by_table (i % 10);
  printf ("table %lx\n", sum);
  return 0;
}
