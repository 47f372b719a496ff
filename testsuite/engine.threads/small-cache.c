/* Threads that run more code than a small cache holds, at the same time: it is
   emptied again and again, by one of them, while the others are inside, and
   one never leaves a loop.  */

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define THREADS 4
#define FUNCTIONS 4096
#define SIZE 32                 /* bytes of a function */
#define ROUNDS 3

/* lea K(%rdi), %eax; test $1, %dil; je 1f; add $K, %eax; 1: ret  */
static const uint8_t template[] = {
  0x8d, 0x87, 0, 0, 0, 0, 0x40, 0xf6, 0xc7, 0x01, 0x74, 0x05,
  0x05, 0, 0, 0, 0, 0xc3
};

static void
write_functions (uint8_t *code, uint32_t seed)
{
  for (uint32_t i = 0; i < FUNCTIONS; i++)
    {
      uint32_t k = seed + i;

      memcpy (code + i * SIZE, template, sizeof template);
      memcpy (code + i * SIZE + 2, &k, 4);
      memcpy (code + i * SIZE + 13, &k, 4);
    }
}

static void *
work (void *arg)
{
  uint32_t seed = (uint32_t) (uintptr_t) arg * 1000003;
  uint8_t *code = mmap (NULL, FUNCTIONS * SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  long bad = 0;

  write_functions (code, seed);
  mprotect (code, FUNCTIONS * SIZE, PROT_READ | PROT_EXEC);
  for (uint32_t round = 0; round < ROUNDS; round++)
    for (uint32_t i = 0; i < FUNCTIONS; i++)
      {
        uint32_t (*f) (uint32_t)
          = (uint32_t (*) (uint32_t)) (code + i * SIZE);
        uint32_t k = seed + i, x = i + round;

        bad += f (x) != (x & 1 ? x + 2 * k : x + k);
      }
  return (void *) bad;
}

static volatile int stop;

static void *
spin (void *arg)
{
  while (!stop)
    ;
  return arg;
}

int
main (void)
{
  pthread_t threads[THREADS], spinner;
  void *bad;

  if (pthread_create (&spinner, NULL, spin, NULL) != 0)
    abort ();
  for (uintptr_t i = 0; i < THREADS; i++)
    if (pthread_create (threads + i, NULL, work, (void *) i) != 0)
      abort ();
  for (unsigned i = 0; i < THREADS; i++)
    {
      pthread_join (threads[i], &bad);
      printf ("thread %u: %ld wrong\n", i, (long) bad);
    }
  stop = 1;
  pthread_join (spinner, NULL);
  return 0;
}
