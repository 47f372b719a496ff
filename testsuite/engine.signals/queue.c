/* Blocked signals wait, real-time ones in their order with their values, the
   others once; sigwaitinfo, signalfd and sigsuspend take them.  */

#include <sys/signalfd.h>
#include <unistd.h>

#include "engine.signals/order.h"

static void
send_all (void)
{
  for (int i = 1; i <= 3; i++)
    {
      sigqueue (getpid (), SIGRTMIN + 2, (union sigval) { i });
      sigqueue (getpid (), SIGRTMIN, (union sigval) { i });
      sigqueue (getpid (), SIGUSR1, (union sigval) { i });
    }
}

int
main (void)
{
  struct sigaction a = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
  struct signalfd_siginfo got;
  sigset_t block, none, pending;
  siginfo_t info;
  int fd;

  sigfillset (&a.sa_mask);
  sigaction (SIGUSR1, &a, NULL);
  sigaction (SIGRTMIN, &a, NULL);
  sigaction (SIGRTMIN + 2, &a, NULL);
  sigemptyset (&none);
  sigemptyset (&block);
  sigaddset (&block, SIGUSR1);
  sigaddset (&block, SIGRTMIN);
  sigaddset (&block, SIGRTMIN + 2);
  sigprocmask (SIG_BLOCK, &block, NULL);

  send_all ();
  sigpending (&pending);
  printf ("pending %d %d %d %d\n", sigismember (&pending, SIGUSR1),
          sigismember (&pending, SIGRTMIN), sigismember (&pending, SIGHUP),
          sigismember (&pending, SIGRTMIN + 2));
  sigprocmask (SIG_UNBLOCK, &block, NULL);
  print_order ("unblocked");

  sigprocmask (SIG_BLOCK, &block, NULL);
  send_all ();
  printf ("sigwaitinfo %d", sigwaitinfo (&block, &info));
  printf (" value %d code %d\n", info.si_value.sival_int, info.si_code);
  fd = signalfd (-1, &block, 0);
  if (read (fd, &got, sizeof got) == sizeof got)
    printf ("signalfd %u value %d\n", got.ssi_signo, got.ssi_int);
  sigsuspend (&none);
  print_order ("suspended");
  sigprocmask (SIG_BLOCK, NULL, &pending);
  printf ("blocked again %d\n", sigismember (&pending, SIGRTMIN));
  return 0;
}
