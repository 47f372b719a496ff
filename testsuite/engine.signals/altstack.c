/* The alternate stack: used, left, nested, too small, disarmed; and a stack
   overflow that is survived.  */

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define SIZE 65536

static char *stack;
static sigjmp_buf back;
static int nested;

static int
is_on_it (const void *p)
{
  return (const char *) p >= stack && (const char *) p < stack + SIZE;
}

static void
handler (int sig)
{
  stack_t s;
  int here;

  sigaltstack (NULL, &s);
  printf ("signal %d on it %d, flags %d, size %zu\n", sig, is_on_it (&here),
          s.ss_flags, s.ss_size);
  if (nested-- > 0)
    raise (SIGUSR2);
}

static void
overflown (int sig)
{
  int here;

  printf ("overflow: signal %d on it %d\n", sig, is_on_it (&here));
  siglongjmp (back, 1);
}

static int __attribute__ ((noinline, optimize ("no-optimize-sibling-calls")))
recurse (int n)
{
  volatile char big[4096];

  big[n & 4095] = 1;
  return n < 0 ? 0 : recurse (n + 1) + big[(n + 1) & 4095];
}

static void
on (int sig, void (*f) (int), int flags)
{
  struct sigaction a = { .sa_handler = f, .sa_flags = flags };

  sigaction (sig, &a, NULL);
}

int
main (void)
{
  struct rlimit limit = { 1 << 20, 1 << 20 };
  stack_t s = { .ss_size = SIZE }, before;

  setvbuf (stdout, NULL, _IONBF, 0);
  setrlimit (RLIMIT_STACK, &limit);
  s.ss_sp = stack = malloc (SIZE);
  sigaltstack (NULL, &before);
  printf ("before: flags %d\n", before.ss_flags);
  printf ("set: %d\n", sigaltstack (&s, NULL));
  on (SIGUSR1, handler, SA_ONSTACK);
  on (SIGUSR2, handler, 0);
  raise (SIGUSR1);
  raise (SIGUSR2);
  nested = 1;
  raise (SIGUSR1);
  on (SIGSEGV, overflown, SA_ONSTACK);
  if (sigsetjmp (back, 1) == 0)
    recurse (0);
  s.ss_flags = SS_DISABLE;
  printf ("disabled: %d\n", sigaltstack (&s, NULL));
  raise (SIGUSR1);
  s.ss_flags = 0;
  s.ss_size = 100;
  printf ("too small: %d\n", sigaltstack (&s, NULL));
  return 0;
}
