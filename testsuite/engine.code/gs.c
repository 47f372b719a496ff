/* A program that uses %gs for itself: the base set by arch_prctl and by
   wrgsbase, operands of several shapes, and the base kept over calls,
   signals and threads.  */

#include <asm/prctl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t area[64];

static uint64_t
read_shapes (uint64_t index)
{
  uint64_t a, b, c, d;

  asm volatile ("mov %%gs:16, %0\n\tmov %%gs:8(,%4,8), %1\n\t"
                "mov %%gs:(%4,%4,2), %2\n\tmovzwl %%gs:26(%4), %k3"
                : "=&r" (a), "=&r" (b), "=&r" (c), "=&r" (d) : "r" (index));
  return a * 3 + b * 5 + c * 7 + d * 11;
}

static void
write_shapes (uint64_t index)
{
  asm volatile ("movl $99, %%gs:40\n\taddq %0, %%gs:(%0,%0)\n\t"
                "lock incq %%gs:64\n\tmovb $7, %%gs:7(%0)"
                : : "r" (index) : "memory", "cc");
}

static uint64_t
get_base (void)
{
  uint64_t base = 1;

  syscall (SYS_arch_prctl, ARCH_GET_GS, &base);
  return base;
}

static volatile uint64_t in_handler;

static void
handler (int sig)
{
  (void) sig;
  in_handler = read_shapes (8);
}

static void *
thread (void *arg)
{
  (void) arg;
  return (void *) (get_base () == (uint64_t) area ? 0x1l : 0x2l);
}

int
main (void)
{
  uint64_t sum = 0;
  pthread_t t;
  void *r;

  printf ("at start %lu\n", get_base ());
  for (int i = 0; i < 64; i++)
    area[i] = (uint64_t) i * 0x9e3779b97f4a7c15u;
  syscall (SYS_arch_prctl, ARCH_SET_GS, area);
  printf ("set %d\n", get_base () == (uint64_t) area);
  for (uint64_t i = 0; i < 16; i++)
    {
      sum = sum * 31 + read_shapes (i);
      write_shapes (i * 8);
    }
  printf ("shapes %lx\n", sum);
  signal (SIGUSR1, handler);
  raise (SIGUSR1);
  printf ("handler %d\n", in_handler == read_shapes (8));
  pthread_create (&t, NULL, thread, NULL);
  pthread_join (t, &r);
  printf ("thread %p\n", r);
  sum = 0;
  for (int i = 0; i < 64; i++)
    sum = sum * 31 + area[i];
  printf ("area %lx\n", sum);
  return 0;
}
