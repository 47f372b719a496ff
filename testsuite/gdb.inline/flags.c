/* Every combination of arithmetic flags, and all registers, live over one
   instruction, `spot', where the debugger's conditions are evaluated.  What
   comes out must be what comes out of the same code with no such place.  */

#include <stdint.h>
#include <stdio.h>

#define ROUND(LABEL)                                                          \
  __asm__ volatile ("mov %[flags], %%r8\n\t"                                  \
                    "push %%r8\n\tpopf\n\t"                                   \
                    "mov $3, %%ecx\n\tmov $5, %%edx\n\tmov $7, %%ebx\n\t"     \
                    "mov $11, %%esi\n\tmov $13, %%edi\n\t"                    \
                    "mov $17, %%r9d\n\tmov $19, %%r10d\n\t"                   \
                    "mov $23, %%r11d\n\tmov $29, %%r12d\n\t"                  \
                    "mov %[n], %%rax\n"                                       \
                    LABEL                                                     \
                    "mov %%rax, %%r13\n\t"                                    \
                    "pushf\n\tpop %%r8\n\t"                                   \
                    "lea (%%rcx,%%rdx,2), %%r13\n\t"                          \
                    "lea (%%r13,%%rbx,4), %%r13\n\t"                          \
                    "lea (%%r13,%%rsi,8), %%r13\n\t"                          \
                    "imul $3, %%r13\n\tadd %%rdi, %%r13\n\t"                  \
                    "imul $3, %%r13\n\tadd %%r9, %%r13\n\t"                   \
                    "imul $3, %%r13\n\tadd %%r10, %%r13\n\t"                  \
                    "imul $3, %%r13\n\tadd %%r11, %%r13\n\t"                  \
                    "imul $3, %%r13\n\tadd %%r12, %%r13\n\t"                  \
                    "imul $3, %%r13\n\tadd %%rax, %%r13\n\t"                  \
                    "mov %%r13, %[sum]\n\tmov %%r8, %[after]"                 \
                    : [sum] "=m"(sum), [after] "=m"(after)                    \
                    : [flags] "m"(flags), [n] "m"(number)                     \
                    : "rax", "rcx", "rdx", "rbx", "rsi", "rdi", "r8", "r9",   \
                      "r10", "r11", "r12", "r13", "cc", "memory")

/* CF, PF, AF, ZF, SF, OF as the low bits of N say.  */
static uint64_t
flags_of (unsigned n)
{
  static const unsigned place[] = { 0, 2, 4, 6, 7, 11 };
  uint64_t flags = 0x202;

  for (unsigned i = 0; i < 6; i++)
    flags |= (uint64_t) (n >> i & 1) << place[i];
  return flags;
}

__attribute__ ((noinline)) static uint64_t
plain (unsigned n, uint64_t *hash)
{
  static uint64_t flags, sum, after, number;

  flags = flags_of (n);
  number = n;
  ROUND ("");
  *hash = sum * 3 + n;
  return after & 0x8d5;
}

__attribute__ ((noinline)) static uint64_t
marked (unsigned n, uint64_t *hash)
{
  static uint64_t flags, sum, after, number;

  flags = flags_of (n);
  number = n;
  ROUND (".globl spot\nspot:\n\t");
  *hash = sum * 3 + n;
  return after & 0x8d5;
}

int
main (void)
{
  unsigned bad = 0;

  for (unsigned n = 0; n < 640; n++)
    {
      uint64_t a, b;

      bad += marked (n, &a) != plain (n, &b) || a != b;
    }
  printf ("%u are wrong\n", bad);
  return bad != 0;
}
