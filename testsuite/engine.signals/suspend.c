/* Signals and calls that sleep: what returns EINTR, what goes on, which mask
   holds in the handler, and what is left of the time.  */

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int seen;
static sigset_t in_handler;

static void
on_alarm (int sig)
{
  (void) sig;
  seen++;
  sigprocmask (SIG_BLOCK, NULL, &in_handler);
}

static void
start (int flags)
{
  struct itimerval it = { .it_value.tv_usec = 20000 };
  struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = flags };
  sigaction (SIGALRM, &sa, NULL);
  seen = 0;
  setitimer (ITIMER_REAL, &it, NULL);
}

static void
tell (const char *what, long r)
{
  int e = errno;
  printf ("%s: %s, seen %d, usr1 blocked %d, usr2 blocked %d\n", what,
          r >= 0 ? "done" : strerror (e), seen,
          sigismember (&in_handler, SIGUSR1),
          sigismember (&in_handler, SIGUSR2));
}

static void
all (int flags)
{
  struct timespec limit = { .tv_sec = 5 }, left = { 0 };
  struct timespec soon = { .tv_nsec = 60000000 };
  struct pollfd none = { .fd = -1 };
  struct epoll_event event;
  sigset_t mask;
  int ep = epoll_create1 (0);
  sigemptyset (&mask);
  sigaddset (&mask, SIGUSR1);

  start (flags);
  tell ("pause", pause ());
  start (flags);
  tell ("sigsuspend", sigsuspend (&mask));
  start (flags);
  tell ("ppoll", ppoll (&none, 1, &limit, &mask));
  start (flags);
  tell ("pselect", pselect (0, NULL, NULL, NULL, &limit, &mask));
  start (flags);
  tell ("epoll_pwait", epoll_pwait (ep, &event, 1, 5000, &mask));
  start (flags);
  tell ("poll", poll (&none, 1, 5000));
  start (flags);
  tell ("nanosleep", nanosleep (&limit, &left));
  printf ("left: %d\n", left.tv_sec == 4 && left.tv_nsec > 0);
  start (flags);
  tell ("clock_nanosleep",
        -clock_nanosleep (CLOCK_MONOTONIC, 0, &soon, NULL));
  sigaddset (&mask, SIGUSR2);
  start (flags);
  tell ("sigtimedwait", sigtimedwait (&mask, NULL, &limit));
  close (ep);
}

static void
blocking_read (int flags)
{
  int fds[2];
  char c;
  if (pipe (fds))
    return;
  if (fork () == 0)
    {
      usleep (60000);
      _exit (write (fds[1], "x", 1) != 1);
    }
  start (flags);
  tell ("read", read (fds[0], &c, 1));
  close (fds[0]);
  close (fds[1]);
}

int
main (void)
{
  sigset_t mask;
  setvbuf (stdout, NULL, _IONBF, 0);
  sigemptyset (&mask);
  sigaddset (&mask, SIGUSR2);
  sigprocmask (SIG_BLOCK, &mask, NULL);
  all (0);
  all (SA_RESTART);
  blocking_read (0);
  blocking_read (SA_RESTART);
  return 0;
}
