/* Stores to pages with code in them: to a page that was never touched, behind
   a block that ends close to it, and by several threads at the same address
   while others run what is there.  */

#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096
#define ROUNDS 20000

static uint8_t *code;
static volatile int stop;

typedef int function (void);

/* mov $VALUE, %eax; ret */
static void
write_function (uint8_t *at, uint32_t value)
{
  at[0] = 0xb8;
  memcpy (at + 1, &value, 4);
  at[5] = 0xc3;
}

static int
call (uint8_t *at)
{
  return ((function *) at) ();
}

static void *
store (void *arg)
{
  volatile uint32_t *word = (volatile uint32_t *) (code + 1024);
  (void) arg;
  for (int i = 0; i < ROUNDS; i++)
    *word = i;
  return NULL;
}

static void *
run (void *arg)
{
  int bad = 0;
  (void) arg;
  while (!stop)
    bad += call (code) != 42;
  return (void *) (intptr_t) bad;
}

/* With PROT for all of it.  */
static uint8_t *
map (size_t size)
{
  return mmap (NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void
untouched (void)
{
  int sum = 0;
  for (int i = 0; i < 100; i++)
    {
      uint8_t *p = map (2 * PAGE);
      write_function (p + PAGE - 6, i);
      sum += call (p + PAGE - 6);
      write_function (p + PAGE, 2 * i);
      sum += call (p + PAGE) + call (p + PAGE - 6);
      munmap (p, 2 * PAGE);
    }
  printf ("untouched: %d\n", sum);
}

int
main (void)
{
  pthread_t writers[3], runner;
  void *bad;

  untouched ();
  for (int k = 0; k < 20; k++)
    {
      code = map (PAGE);
      write_function (code, 42);
      stop = 0;
      pthread_create (&runner, NULL, run, NULL);
      for (int i = 0; i < 3; i++)
        pthread_create (writers + i, NULL, store, NULL);
      for (int i = 0; i < 3; i++)
        pthread_join (writers[i], NULL);
      stop = 1;
      pthread_join (runner, &bad);
      printf ("%d: %ld wrong, %u\n", k, (long) (intptr_t) bad,
              *(uint32_t *) (code + 1024));
      munmap (code, PAGE);
    }
  return 0;
}
