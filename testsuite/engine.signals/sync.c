/* Signals that a fault raises, and the real-time signals, sent by kill, tgkill
   and sigqueue while they are blocked: they are pending, and wait for who
   unblocks them, sigtimedwait, signalfd, another thread, a new image; a call
   that sleeps does not notice.  */

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine.signals/order.h"

static const int signals[]
    = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, 62, 34, SIGUSR1 };
#define N (sizeof signals / sizeof *signals)

static volatile pthread_t taker;

static void
note_taker (int sig, siginfo_t *info, void *context)
{
  taker = pthread_self ();
  note (sig, info, context);
}

static sigset_t
all (void)
{
  sigset_t s;
  sigemptyset (&s);
  for (size_t i = 0; i < N; i++)
    sigaddset (&s, signals[i]);
  return s;
}

static void
print_pending (void)
{
  sigset_t s;
  sigpending (&s);
  printf ("pending");
  for (size_t i = 0; i < N; i++)
    printf (" %d", sigismember (&s, signals[i]));
  printf ("\n");
}

/* The lines of /proc/self/status about signals.  */
static void
print_status (void)
{
  char line[200];
  FILE *f = fopen ("/proc/self/status", "r");
  while (f && fgets (line, sizeof line, f))
    if (strncmp (line, "Sig", 3) == 0 && line[3] != 'Q')
      printf ("%s", line);
    else if (strncmp (line, "ShdPnd", 6) == 0)
      printf ("%s", line);
  if (f)
    fclose (f);
}

static void
send_all (void)
{
  for (int value = 1; value <= 3; value++)
    for (size_t i = 0; i < N; i++)
      sigqueue (getpid (), signals[i], (union sigval){ value });
}

static void
with_handlers (void)
{
  sigset_t set = all ();
  send_all ();
  print_pending ();
  print_status ();
  sigprocmask (SIG_UNBLOCK, &set, NULL);
  print_order ("unblocked");
  print_pending ();
  sigprocmask (SIG_BLOCK, &set, NULL);
  for (size_t i = 0; i < N; i++)
    {
      kill (getpid (), signals[i]);
      if (i % 2)
        syscall (SYS_tgkill, getpid (), gettid (), signals[i]);
    }
  print_status ();
  sigprocmask (SIG_UNBLOCK, &set, NULL);
  n_order = 0;
  sigprocmask (SIG_BLOCK, &set, NULL);
  for (size_t i = 0; i < N; i++)
    syscall (SYS_tgkill, getpid (), gettid (), signals[i]);
  print_status ();
  sigprocmask (SIG_UNBLOCK, &set, NULL);
  print_order ("to the thread");
  sigprocmask (SIG_BLOCK, &set, NULL);
}

static void
by_waiting (void)
{
  sigset_t set = all ();
  siginfo_t info;
  struct timespec none = { 0, 0 };
  int sig;
  send_all ();
  printf ("sigtimedwait:");
  while ((sig = sigtimedwait (&set, &info, &none)) > 0)
    printf (" %d/%d/%d/%d", sig, info.si_value.sival_int, info.si_code,
            info.si_pid == getpid ());
  printf (" then %s\n", strerrorname_np (errno));
}

static void
by_descriptor (void)
{
  sigset_t set = all ();
  struct signalfd_siginfo info[2];
  int fd = signalfd (-1, &set, SFD_NONBLOCK);
  send_all ();
  printf ("signalfd:");
  for (;;)
    {
      ssize_t n = read (fd, info, sizeof *info);
      if (n < 0)
        break;
      printf (" %u/%d/%d/%d/%d", info->ssi_signo, info->ssi_int,
              (int)info->ssi_ptr, info->ssi_code,
              (pid_t)info->ssi_pid == getpid ());
    }
  printf (" then %s\n", strerrorname_np (errno));
  close (fd);
}

/* A child sends SIG to its parent while that sleeps in what CALL does.  */
static void
sleeping (const char *name, int sig, long (*call) (int))
{
  sigset_t set = all ();
  struct timespec a, b;
  pid_t parent = getpid (), child;
  long r;
  int fd = signalfd (-1, &set, 0), saved;
  fflush (stdout);
  child = fork ();
  if (child == 0)
    {
      for (int i = 0; i < 5; i++)
        {
          usleep (20000);
          kill (parent, sig);
        }
      _exit (0);
    }
  clock_gettime (CLOCK_MONOTONIC, &a);
  r = call (fd);
  saved = errno;
  clock_gettime (CLOCK_MONOTONIC, &b);
  waitpid (child, NULL, 0);
  printf ("%s %d: %ld %s, %s\n", name, sig, r,
          r < 0 ? strerrorname_np (saved) : "",
          (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000
                  < 190
              ? "early"
              : "late");
  close (fd);
  sigprocmask (SIG_UNBLOCK, &set, NULL);
  sigprocmask (SIG_BLOCK, &set, NULL);
  print_order ("  then");
}

static long
do_sleep (int fd)
{
  struct timespec t = { 0, 200000000 };
  (void)fd;
  return nanosleep (&t, NULL);
}

static long
do_poll (int fd)
{
  (void)fd;
  return poll (NULL, 0, 200);
}

static long
do_wait (int fd)
{
  sigset_t set = all ();
  (void)fd;
  return sigwaitinfo (&set, NULL);
}

static long
do_wait_for_other (int fd)
{
  sigset_t set;
  struct timespec t = { 0, 200000000 };
  (void)fd;
  sigemptyset (&set);
  sigaddset (&set, SIGURG);
  return sigtimedwait (&set, NULL, &t);
}

static long
do_read (int fd)
{
  struct signalfd_siginfo info;
  ssize_t n = read (fd, &info, sizeof info);
  return n < 0 ? n : (long)info.ssi_signo;
}

static long
do_suspend (int fd)
{
  sigset_t none;
  (void)fd;
  sigemptyset (&none);
  return sigsuspend (&none);
}

/* The first thread blocks what another takes.  */
static void *
open_thread (void *arg)
{
  sigset_t set = all ();
  pthread_sigmask (SIG_UNBLOCK, &set, NULL);
  write (*(int *)arg, "x", 1);
  for (;;)
    pause ();
  return NULL;
}

static void *
waiting_thread (void *arg)
{
  sigset_t set = all ();
  (void)arg;
  return (void *)(long)sigwaitinfo (&set, NULL);
}

static void
other_threads (void)
{
  int ends[2];
  char c;
  pthread_t t;
  void *got;
  for (size_t i = 0; i < N; i++)
    {
      pthread_create (&t, NULL, waiting_thread, NULL);
      kill (getpid (), signals[i]);
      pthread_join (t, &got);
      printf ("a thread that waits: %ld\n", (long)got);
    }
  if (pipe (ends))
    return;
  pthread_create (&t, NULL, open_thread, ends + 1);
  read (ends[0], &c, 1);
  for (size_t i = 0; i < N; i++)
    {
      int before = n_order;
      kill (getpid (), signals[i]);
      while (n_order == before)
        sched_yield ();
      printf ("the open thread: %d %d\n", signals[i],
              pthread_equal (taker, t));
    }
  print_order ("all");
}

static void
in_new_image (const char *program)
{
  int status;
  pid_t child = fork ();
  if (child == 0)
    {
      print_pending ();
      signal (SIGSEGV, SIG_IGN);
      kill (getpid (), SIGSEGV);
      print_pending ();
      signal (SIGSEGV, SIG_DFL);
      kill (getpid (), SIGBUS);
      kill (getpid (), SIGSEGV);
      print_pending ();
      signal (SIGSEGV, SIG_IGN);
      print_pending ();
      signal (SIGSEGV, SIG_DFL);
      sigqueue (getpid (), SIGSEGV, (union sigval){ 4 });
      sigqueue (getpid (), 62, (union sigval){ 5 });
      signal (SIGFPE, SIG_DFL);
      execl (program, program, "again", NULL);
      _exit (1);
    }
  waitpid (child, &status, 0);
  printf ("child: %x\n", status);
}

int
main (int argc, char **argv)
{
  struct sigaction a = { .sa_sigaction = note_taker, .sa_flags = SA_SIGINFO };
  sigset_t set = all ();

  setvbuf (stdout, NULL, _IOLBF, 0);
  if (argc == 2)
    {
      print_pending ();
      by_waiting ();
      return 0;
    }
  sigfillset (&a.sa_mask);
  for (size_t i = 0; i < N; i++)
    sigaction (signals[i], &a, NULL);
  sigprocmask (SIG_BLOCK, &set, NULL);
  print_status ();
  with_handlers ();
  by_waiting ();
  by_descriptor ();
  for (int i = 0; i < 6; i += 5)
    {
      sleeping ("nanosleep", signals[i], do_sleep);
      sleeping ("poll", signals[i], do_poll);
      sleeping ("sigwaitinfo", signals[i], do_wait);
      sleeping ("sigtimedwait", signals[i], do_wait_for_other);
      sleeping ("read", signals[i], do_read);
      sleeping ("sigsuspend", signals[i], do_suspend);
    }
  in_new_image (argv[0]);
  other_threads ();
  return 0;
}
