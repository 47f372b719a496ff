/* The signal that the engine uses among its threads is the program's as well:
   sent to itself while it computes, with a value, one at a time.  */

#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KICK 33
#define ROUNDS 500

/* glibc keeps this signal for itself: the kernel's own structures, and calls
   that do not pass through it.  */
struct action
{
  void (*handler) (int, siginfo_t *, void *);
  unsigned long flags;
  void (*restorer) (void);
  unsigned long mask;
};

void restorer (void);
asm (".globl restorer\nrestorer:\n\tmov $15, %eax\n\tsyscall");

static volatile long sum, n_got;
static volatile int stop;

static void
note (int sig, siginfo_t *info, void *context)
{
  (void) context;
  sum += sig * info->si_value.sival_int;
  n_got++;
}

static void *
compute (void *arg)
{
  volatile long *n = arg;

  while (!stop)
    ++*n;
  return NULL;
}

int
main (void)
{
  struct action a = { note, SA_SIGINFO | 0x04000000, restorer, 0 };
  unsigned long set = 1ul << (KICK - 1);
  volatile long n = 0;
  pthread_t t;

  pthread_create (&t, NULL, compute, (void *) &n);      /* sets an action */
  syscall (SYS_rt_sigaction, KICK, &a, NULL, sizeof a.mask);
  for (int i = 1; i <= ROUNDS; i++)
    {
      sigqueue (getpid (), KICK, (union sigval) { .sival_int = i });
      while (n_got < i)
        ;
    }
  /* Nobody else may take those that are blocked.  */
  stop = 1;
  pthread_join (t, NULL);
  syscall (SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, sizeof set);
  for (int i = 1; i <= 3; i++)
    sigqueue (getpid (), KICK, (union sigval) { .sival_int = i });
  printf ("blocked: %ld, ", n_got);
  syscall (SYS_rt_sigprocmask, SIG_UNBLOCK, &set, NULL, sizeof set);
  printf ("not: %ld\n", n_got);
  printf ("%ld of %d, sum %ld\n", n_got, ROUNDS, sum);
  return 0;
}
