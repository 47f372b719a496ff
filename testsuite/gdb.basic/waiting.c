/* Waits for a signal in a system call.  */

#include <errno.h>
#include <signal.h>
#include <stdio.h>

static volatile int seen;

static void
handler (int sig)
{
  seen = sig;
}

int
main (void)
{
  sigset_t set;

  signal (SIGUSR1, handler);
  sigemptyset (&set);
  sigaddset (&set, SIGUSR1);
  sigprocmask (SIG_BLOCK, &set, NULL);
  puts ("ready");
  fflush (stdout);
  sigemptyset (&set);
  sigsuspend (&set);
  return seen == SIGUSR1 && errno == EINTR ? 0 : 1;
}
