/* Signals and calls that sleep: what returns EINTR, what goes on, which mask
   holds in the handler, and what is left of the time.  */

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* What the reader of a pipe waits for, written by the handler.  */
static int fds[2], writes_at;

static volatile int seen;
static sigset_t in_handler;

static void
on_alarm (int sig)
{
  (void) sig;
  seen++;
  sigprocmask (SIG_BLOCK, NULL, &in_handler);
  if (seen == writes_at)
    (void) !write (fds[1], "x", 1);
}

/* Alarms with the actions FLAGS until tell: a signal may come before the call
   begins that it is meant for, however far off it is.  A call that has a mask
   of its own is made with the signal BLOCKED until then.  */
static void
start (int flags, bool blocked)
{
  struct itimerval it = { .it_value.tv_usec = 20000,
                          .it_interval.tv_usec = 20000 };
  struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = flags };
  sigset_t mask;

  sigaction (SIGALRM, &sa, NULL);
  seen = 0;
  sigemptyset (&mask);
  sigaddset (&mask, SIGALRM);
  if (blocked)
    sigprocmask (SIG_BLOCK, &mask, NULL);
  setitimer (ITIMER_REAL, &it, NULL);
}

static void
tell (const char *what, long r)
{
  int e = errno;
  struct itimerval none = { 0 };
  sigset_t mask;
  sigset_t then = in_handler;

  setitimer (ITIMER_REAL, &none, NULL);
  printf ("%s: %s, seen %d, usr1 blocked %d, usr2 blocked %d\n", what,
          r >= 0 ? "done" : strerror (e), seen > 0,
          sigismember (&then, SIGUSR1), sigismember (&then, SIGUSR2));
  sigemptyset (&mask);
  sigaddset (&mask, SIGALRM);
  sigprocmask (SIG_UNBLOCK, &mask, NULL);
}

static void
with_masks (int flags)
{
  struct timespec limit = { .tv_sec = 50 };
  struct pollfd none = { .fd = -1 };
  struct epoll_event event;
  sigset_t mask;
  int ep = epoll_create1 (0);
  sigemptyset (&mask);
  sigaddset (&mask, SIGUSR1);

  start (flags, true);
  tell ("sigsuspend", sigsuspend (&mask));
  start (flags, true);
  tell ("ppoll", ppoll (&none, 1, &limit, &mask));
  start (flags, true);
  tell ("pselect", pselect (0, NULL, NULL, NULL, &limit, &mask));
  start (flags, true);
  tell ("epoll_pwait", epoll_pwait (ep, &event, 1, 50000, &mask));
  close (ep);
}

static void
without_masks (int flags)
{
  struct timespec limit = { .tv_sec = 50 }, left = { 0 };
  struct pollfd none = { .fd = -1 };
  sigset_t mask;

  start (flags, false);
  tell ("pause", pause ());
  start (flags, false);
  tell ("poll", poll (&none, 1, 50000));
  start (flags, false);
  tell ("nanosleep", nanosleep (&limit, &left));
  printf ("left: %d\n", left.tv_sec > 0 && left.tv_sec < 50);
  start (flags, false);
  tell ("clock_nanosleep",
        -clock_nanosleep (CLOCK_MONOTONIC, 0, &limit, NULL));
  sigemptyset (&mask);
  sigaddset (&mask, SIGUSR1);
  sigaddset (&mask, SIGUSR2);
  start (flags, false);
  tell ("sigtimedwait", sigtimedwait (&mask, NULL, &limit));
}

/* With SA_RESTART the third signal brings what is read; without, none.  */
static void
blocking_read (int flags)
{
  char c;
  if (pipe (fds))
    return;
  writes_at = flags & SA_RESTART ? 3 : 0;
  start (flags, false);
  tell ("read", read (fds[0], &c, 1));
  writes_at = 0;
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
  with_masks (0);
  with_masks (SA_RESTART);
  without_masks (0);
  without_masks (SA_RESTART);
  blocking_read (0);
  blocking_read (SA_RESTART);
  return 0;
}
