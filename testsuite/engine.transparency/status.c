/* What /proc/self/status says of signals, read whole, byte by byte, and from
   its middle, while a number in front of it, that of the user's signals that
   wait, changes its length all the time.  */

#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAITING = 100, TIMES = 300, SIZE = 16384 };

/* Queue signals, and take them, until the parent has gone.  */
static void
change (pid_t parent)
{
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGRTMAX);
  sigprocmask (SIG_BLOCK, &set, NULL);
  while (getppid () == parent)
    {
      for (int i = 0; i < WAITING; i++)
        kill (getpid (), SIGRTMAX);
      for (int i = 0; i < WAITING; i++)
        sigwaitinfo (&set, NULL);
    }
}

/* Read FD to its end into TEXT, pieces of N bytes.  */
static void
read_all (int fd, char *text, size_t n)
{
  ssize_t done;
  size_t length = 0;

  while ((done = read (fd, text + length, n)) > 0)
    length += done;
  text[length] = 0;
}

/* The same by readv, pieces of a byte and of N bytes.  */
static void
readv_all (int fd, char *text, size_t n)
{
  struct iovec two[2];
  ssize_t done;
  size_t length = 0;

  do
    {
      two[0] = (struct iovec) { text + length, 1 };
      two[1] = (struct iovec) { text + length + 1, n };
      done = readv (fd, two, 2);
      length += done;
    }
  while (done > 0);
  text[length] = 0;
}

/* Whether the lines in TEXT about signals are as they must be.  */
static int
is_good (const char *text)
{
  return strstr (text, "\nSigPnd:\t0000000000000000\n"
                       "ShdPnd:\t0000000000000800\n"
                       "SigBlk:\t0000000000000c00\n"
                       "SigIgn:\t0000000000001000\n"
                       "SigCgt:\t0000000000002408\nCap") != NULL;
}

static void
on_signal (int sig)
{
  (void) sig;
}

/* The part of FD at offset AT, read alone, is what the whole has there, if
   nothing has changed its length meanwhile.  */
static int
middle_is_good (int fd, long at, char *text)
{
  char part[64];

  for (int i = 0; i < TIMES; i++)
    {
      ssize_t n = pread (fd, text, SIZE - 1, 0);
      ssize_t got = pread (fd, part, sizeof part, at);

      if (n > at && got == sizeof part && memcmp (part, text + at, got) == 0)
        return 1;
    }
  return 0;
}

/* Set what is_good expects, whatever was inherited.  */
static void
set_signals (void)
{
  static const char none[64];
  sigset_t set;

  for (int sig = 1; sig <= 64; sig++)
    syscall (SYS_rt_sigaction, sig, none, NULL, 8);
  signal (SIGPIPE, SIG_IGN);
  signal (SIGALRM, on_signal);
  signal (SIGILL, on_signal);
  signal (SIGSEGV, on_signal);
  sigemptyset (&set);
  sigaddset (&set, SIGSEGV);
  sigaddset (&set, SIGUSR2);
  sigprocmask (SIG_SETMASK, &set, NULL);
  kill (getpid (), SIGUSR2);
}

/* Read PATH whole and in pieces, while a child changes it.  */
static void
read_changing (const char *path, char *text)
{
  int whole = 0, pieces = 0, vectors = 0;
  pid_t parent = getpid (), child = fork ();

  if (child == 0)
    {
      change (parent);
      _exit (0);
    }
  for (int i = 0; i < TIMES; i++)
    {
      int fd = open (path, O_RDONLY);

      read_all (fd, text, SIZE - 1);
      whole += is_good (text);
      lseek (fd, 0, SEEK_SET);
      read_all (fd, text, 1 + i % 100);
      pieces += is_good (text);
      lseek (fd, 0, SEEK_SET);
      readv_all (fd, text, 1 + i % 50);
      vectors += is_good (text);
      close (fd);
    }
  kill (child, SIGKILL);
  waitpid (child, NULL, 0);
  printf ("whole %d, in pieces %d, by readv %d\n", whole, pieces, vectors);
}

int
main (void)
{
  static const char path[] = "/proc/self/status";
  static char text[SIZE];
  int good = 0, fd;
  long first;

  set_signals ();
  read_changing (path, text);
  first = strstr (text, "\nSigPnd") - text;
  fd = open (path, O_RDONLY);
  for (long at = first - 50; at < first + 150; at++)
    good += middle_is_good (fd, at, text);
  close (fd);
  printf ("from the middle %d\n", good);
  return 0;
}
