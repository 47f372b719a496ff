/* Faults that are sent: by a handler to itself with the fault's own siginfo,
   as crash reporters do, and while blocked.  */

#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile int seen;

static void
note (int sig, siginfo_t *info, void *uc)
{
  (void) uc;
  seen++;
  printf ("signal %d, code %d\n", sig, info->si_code);
}

static void
pass_on (int sig, siginfo_t *info, void *uc)
{
  (void) uc;
  printf ("signal %d, code %d, address %p\n", sig, info->si_code,
          info->si_addr);
  fflush (stdout);
  signal (sig, SIG_DFL);
  syscall (SYS_rt_tgsigqueueinfo, getpid (), gettid (), sig, info);
}

static void
blocked (int sig)
{
  sigset_t set, old;
  siginfo_t info;
  sigemptyset (&set);
  sigaddset (&set, sig);
  sigprocmask (SIG_BLOCK, &set, &old);
  kill (getpid (), sig);
  sigpending (&old);
  printf ("pending %d, seen %d\n", sigismember (&old, sig), seen);
  sigprocmask (SIG_UNBLOCK, &set, NULL);
  printf ("seen %d\n", seen);
  sigprocmask (SIG_BLOCK, &set, NULL);
  raise (sig);
  printf ("waited for %d\n", sigwaitinfo (&set, &info));
  sigprocmask (SIG_UNBLOCK, &set, NULL);
  signal (sig, SIG_IGN);
  raise (sig);
}

int
main (void)
{
  static const int sigs[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, 62 };
  struct sigaction sa = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
  setvbuf (stdout, NULL, _IONBF, 0);
  for (unsigned i = 0; i < sizeof sigs / sizeof *sigs; i++)
    {
      seen = 0;
      sigaction (sigs[i], &sa, NULL);
      blocked (sigs[i]);
    }
  sa.sa_sigaction = pass_on;
  sigaction (SIGSEGV, &sa, NULL);
  *(volatile int *) 16 = 1;
  return 0;
}
