/* Threads come upon hot loops all the time, in code made at run time, while
   others change and unmap such code: what is being recorded for one thread is
   given up when another's code goes.  */

#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096
#define THREADS 6
#define ROUNDS 300
#define LOOPS 24

/* A loop of three blocks that adds up K and K + 1 in turn, %edi times:
     0  xor %eax, %eax
     2  test $1, %dil
     6  je 15
     8  add $K, %eax
    13  jmp 20
    15  add $K + 1, %eax
    20  dec %edi
    22  jne 2
    24  ret  */
static const uint8_t template[] = {
  0x31, 0xc0, 0x40, 0xf6, 0xc7, 0x01, 0x74, 0x07, 0x05, 0, 0, 0, 0,
  0xeb, 0x05, 0x05, 0, 0, 0, 0, 0xff, 0xcf, 0x75, 0xea, 0xc3
};

static void
write_loop (uint8_t *at, uint32_t k)
{
  uint32_t next = k + 1;

  memcpy (at, template, sizeof template);
  memcpy (at + 9, &k, 4);
  memcpy (at + 16, &next, 4);
}

static int
run_loops (uint8_t *code, unsigned seed)
{
  int bad = 0;

  for (uint32_t k = 0; k < LOOPS; k++)
    write_loop (code + 64 * k, seed + k);
  for (uint32_t k = 0; k < LOOPS; k++)
    {
      uint32_t n = 2 * (k + 2);
      uint32_t (*loop) (uint32_t)
        = (uint32_t (*) (uint32_t)) (code + 64 * k);

      for (int i = 0; i < 8; i++)
        bad += loop (n) != n / 2 * (2 * (seed + k) + 1);
    }
  return bad;
}

static void *
work (void *arg)
{
  unsigned seed = (unsigned) (intptr_t) arg * 100000;
  long bad = 0;

  for (int i = 0; i < ROUNDS; i++)
    {
      uint8_t *code = mmap (NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      bad += run_loops (code, seed + i);
      bad += run_loops (code, seed + i + 7);
      munmap (code, PAGE);
    }
  return (void *) bad;
}

int
main (void)
{
  pthread_t threads[THREADS];
  long sum = 0;

  for (long i = 0; i < THREADS; i++)
    pthread_create (threads + i, NULL, work, (void *) i);
  for (int i = 0; i < THREADS; i++)
    {
      void *bad;
      pthread_join (threads[i], &bad);
      sum += (long) bad;
    }
  printf ("%ld wrong\n", sum);
  return 0;
}
