/* Stores of each form, at and around `watched', the same in each run.  */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/uio.h>
#include <immintrin.h>

uint8_t area[512] __attribute__ ((aligned (64))); /* 200..231 is watched */
__thread uint64_t tls[4];
static uint8_t src[512];

__attribute__ ((noinline)) static void
plain (uint8_t *p, uint64_t v)
{
  *(volatile uint8_t *)p = v;
  *(volatile uint16_t *)(p + 1) = v;
  *(volatile uint32_t *)(p + 3) = v;
  *(volatile uint64_t *)(p + 7) = v;
  __asm__ volatile("lock incl %0; decw %1; xchg %2, %3; cmpxchg %4, %5"
                   : "+m"(*(int *)p), "+m"(*(short *)(p + 5)), "+r"(v),
                     "+m"(*(long *)(p + 9))
                   : "r"(3l), "m"(*(long *)(p + 20))
                   : "rax", "cc", "memory");
  __asm__ volatile("bts %1, %0"
                   : "+m"(*(long *)p)
                   : "r"(77l)
                   : "memory", "cc");
  __asm__ volatile("setc %0" : "=m"(p[3]));
  __asm__ volatile("movnti %1, %0" : "=m"(*(long *)(p + 8)) : "r"(v * 3));
}
__attribute__ ((noinline)) static void
strings (uint8_t *p, unsigned n)
{
  void *d = p;
  const void *s = src + 7;
  unsigned long c = n;
  __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(c) : : "memory");
  d = p;
  c = n / 8;
  __asm__ volatile("rep stosq"
                   : "+D"(d), "+c"(c)
                   : "a"(0x0102030405060708ul + n)
                   : "memory");
  d = p + n - 4;
  s = src + 64;
  c = n / 4;
  __asm__ volatile("std; rep movsl; cld"
                   : "+D"(d), "+S"(s), "+c"(c)
                   :
                   : "memory");
  d = p;
  s = src;
  __asm__ volatile("movsq; stosb" : "+D"(d), "+S"(s) : "a"(9) : "memory");
}
__attribute__ ((noinline)) static void
vectors (uint8_t *p, int k)
{
  __m128i a = _mm_set1_epi8 (k);
  __asm__ volatile("movups %1, %0" : "=m"(*(__m128i *)(p + 3)) : "x"(a));
  __asm__ volatile("movq %1, %0" : "=m"(*(long *)(p + 21)) : "x"(a));
  __asm__ volatile("movntdq %1, %0"
                   : "=m"(*(__m128i *)(((uintptr_t)p + 15) & -16ul))
                   : "x"(a));
  if (__builtin_cpu_supports ("avx2"))
    {
      __asm__ volatile(
          "vpbroadcastb %1, %%ymm1; vmovdqu %%ymm1, %0; vzeroupper"
          : "=m"(*(__m256i *)(p + 1))
          : "x"(a)
          : "xmm1");
      __asm__ volatile("vpcmpeqd %%xmm2,%%xmm2,%%xmm2; vpsrldq "
                       "$8,%%xmm2,%%xmm2; vpmaskmovd %1,%%xmm2,%0"
                       : "+m"(*(__m128i *)(p + 2))
                       : "x"(a)
                       : "xmm2");
    }
  if (__builtin_cpu_supports ("avx512f"))
    {
      __asm__ volatile(
          "vpbroadcastd %1, %%zmm1; vmovdqu64 %%zmm1, %0; mov $0x50, %%eax; "
          "kmovw %%eax,%%k1; vpaddd %%zmm1,%%zmm1,%%zmm1; vmovdqu32 %%zmm1, "
          "%2%{%%k1%}; vzeroupper"
          : "=m"(*(__m512i *)(p - 11)), "+x"(a), "+m"(*(__m512i *)(p - 11))
          :
          : "xmm1", "rax");
    }
  __asm__ volatile("mov %0, %%rdi; maskmovdqu %%xmm3, %%xmm4"
                   :
                   : "r"(p + 4)
                   : "rdi", "memory");
  __asm__ volatile("fld1; fstpt %0; fnstcw %1"
                   : "=m"(*(long double *)(p + 6)), "=m"(*(short *)p));
  unsigned long lo = k, hi = 1;
  __asm__ volatile("lock cmpxchg16b %0"
                   : "+m"(*(__int128 *)(((uintptr_t)p + 15) & -16ul)),
                     "+a"(lo), "+d"(hi)
                   : "b"(1l), "c"(2l)
                   : "cc");
}
__attribute__ ((noinline)) static void
stack (uint8_t *p, long k)
{
  __asm__ volatile(
      "mov %%rsp, %%r12; mov %0, %%rsp; push %1; push $5; push %%r12; pop "
      "8(%%rsp); call 1f; 1: enter $16, $0; leave; mov %%r12, %%rsp"
      :
      : "r"(p), "r"(k)
      : "r12", "rbp", "memory");
  __asm__ volatile(
      "mov %%rsp, %%r12; mov %0, %%rsp; push %1; pop (%%rsp); mov %%r12, %%rsp"
      :
      : "r"(p), "r"(k + 1)
      : "r12", "memory");
}
/* An operand of more than 64 bytes, with a value that changes near its end; in
   front, no address of an instruction, for there is none after fninit.  */
__attribute__ ((noinline)) static void
large (uint8_t *p, int k)
{
  __asm__ volatile ("fninit; fildl %1; fninit; fnsave %0"
                    : "=m"(*(uint8_t (*)[108]) p)
                    : "m"(k));
}
/* The registers that checks use, in addresses, as values, and across a loop;
   flags, too.  */
__attribute__ ((noinline)) static void
held (uint8_t *p, long k)
{
  __asm__ volatile (
      "mov %0, %%r10; mov %1, %%r11; mov $3, %%ecx; cmp %%rcx, %%r11\n"
      "1: movq %%r11, (%%r10); setle 8(%%r10,%%rcx); lea 1(%%r10), %%r10\n"
      "mov %%r10d, -2(%%r10,%%rcx,2); lea (%%rcx,%%r11), %%r11\n"
      "push %%r10; pop %%r11; sub %%r10, %%r11; lea 1(%%r11), %%r11\n"
      "mov %%cl, (%%r10,%%r11,4); mov %%r11w, 9(%%r10,%%r11,2)\n"
      "adc %%r11, 3(%%r10); mov %%rcx, 1(%%r10); loop 1b\n"
      "mov %0, %%r11; xchg %%r11, (%%r11); mov %%r11, %%r10\n"
      "mov %0, %%r11; mov %%r10, 16(%%r11); popcnt %%r11, %%rcx\n"
      "mov %%rcx, -8(%%r11); movq $7, %%fs:tls@tpoff\n"
      "mov $tls@tpoff, %%r10; mov %%r11, %%fs:(%%r10)\n"
      "mov $1, %%ecx; mov %%r10, %%fs:8(%%r10,%%rcx,8)\n"
      :
      : "r"(p), "r"(k)
      : "r10", "r11", "rcx", "cc", "memory");
}
int
main (void)
{
  for (int i = 0; i < 512; i++)
    src[i] = i * 7 + (i >> 4);
  for (int r = 0; r < 6; r++)
    for (int off = 160; off < 240; off += 1 + r)
      {
        plain (area + off, r * 1000003 + off);
        strings (area + off - 8 * r, 8 + 8 * r);
        vectors (area + off, r + off);
        stack (area + ((off + 31) & -8), off);
        held (area + off, off - 200);
        large (area + off - 100, r * 1009 + off);
        tls[r & 3] = off;
      }
  unsigned h = 0;
  for (int i = 0; i < 512; i++)
    h = h * 31 + area[i];
  printf ("%u\n", h);
  return 0;
}
