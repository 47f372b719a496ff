/* What a handler does to each call that sleeps, with SA_RESTART and without: a
   thread of the same process sends the signal when the call is under way, and
   later what ends the call.  */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int n_handled;
static pthread_t main_thread;
static int main_tid;
static void
handler (int sig)
{
  (void)sig;
  n_handled++;
}
static int p[2], sv[2], ls, msgq, semid, ep, efd;
static uint32_t fut;
static pid_t child;
/* Of each call that has one; long, for the signal comes late on a busy
   machine.  */
static struct timespec T = { 3, 0 };

static long
c_read (void)
{
  char c;
  return read (p[0], &c, 1);
}
static long
c_readv (void)
{
  char c;
  struct iovec v = { &c, 1 };
  return readv (p[0], &v, 1);
}
static long
c_recv (void)
{
  char c;
  return recv (sv[0], &c, 1, 0);
}
static long
c_recvmsg (void)
{
  char c;
  struct iovec v = { &c, 1 };
  struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
  return recvmsg (sv[0], &m, 0);
}
static long
c_recv_to (void)
{
  char c;
  struct timeval t = { 3, 0 }, z = { 0 };
  setsockopt (sv[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
  long r = recv (sv[0], &c, 1, 0);
  int e = errno;
  setsockopt (sv[0], SOL_SOCKET, SO_RCVTIMEO, &z, sizeof z);
  errno = e;
  return r;
}
static long
c_accept (void)
{
  int r = accept (ls, 0, 0);
  if (r >= 0)
    close (r);
  return r >= 0 ? 0 : r;
}
static long
c_poll (void)
{
  struct pollfd f = { p[0], POLLIN, 0 };
  return poll (&f, 1, 3000);
}
static long
c_ppoll (void)
{
  struct pollfd f = { p[0], POLLIN, 0 };
  return ppoll (&f, 1, &T, NULL);
}
static long
c_select (void)
{
  fd_set s;
  FD_ZERO (&s);
  FD_SET (p[0], &s);
  struct timeval t = { 3, 0 };
  return select (p[0] + 1, &s, 0, 0, &t);
}
static long
c_pselect (void)
{
  fd_set s;
  FD_ZERO (&s);
  FD_SET (p[0], &s);
  return pselect (p[0] + 1, &s, 0, 0, &T, NULL);
}
static long
c_epoll (void)
{
  struct epoll_event e;
  return epoll_wait (ep, &e, 1, 3000);
}
static long
c_epoll_p (void)
{
  struct epoll_event e;
  sigset_t s;
  sigemptyset (&s);
  return epoll_pwait (ep, &e, 1, 3000, &s);
}
static long
c_nanosleep (void)
{
  struct timespec r = { 9, 9 };
  long x = nanosleep (&T, &r);
  if (x < 0
      && !(r.tv_sec < 3 && r.tv_sec * 1000000000 + r.tv_nsec > 1000000))
    printf ("  rem %ld %ld\n", (long)r.tv_sec, r.tv_nsec);
  return x;
}
static long
c_clock_nanosleep (void)
{
  int e = clock_nanosleep (CLOCK_MONOTONIC, 0, &T, NULL);
  errno = e;
  return e ? -1 : 0;
}
static long
c_clock_abs (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  t.tv_sec += T.tv_sec;
  int e = clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
  errno = e;
  return e ? -1 : 0;
}
static long
c_futex (void)
{
  return syscall (SYS_futex, &fut, FUTEX_WAIT, 0, NULL, NULL, 0);
}
static long
c_futex_to (void)
{
  return syscall (SYS_futex, &fut, FUTEX_WAIT, 0, &T, NULL, 0);
}
static long
c_futex_abs (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  t.tv_sec += T.tv_sec;
  return syscall (SYS_futex, &fut, FUTEX_WAIT_BITSET, 0, &t, NULL, ~0u);
}
static long
c_wait4 (void)
{
  int st;
  return wait4 (child, &st, 0, NULL) > 0 ? 0 : -1;
}
static long
c_waitid (void)
{
  siginfo_t i;
  return waitid (P_PID, child, &i, WEXITED);
}
static long
c_msgrcv (void)
{
  struct
  {
    long t;
    char c;
  } m;
  return msgrcv (msgq, &m, 1, 0, 0);
}
static long
c_semop (void)
{
  struct sembuf b = { 0, -1, 0 };
  return semop (semid, &b, 1);
}
static long
c_semtimedop (void)
{
  struct sembuf b = { 0, -1, 0 };
  return semtimedop (semid, &b, 1, &T);
}
static long
c_pause (void)
{
  return pause ();
}
static long
c_sigsuspend (void)
{
  sigset_t s;
  sigemptyset (&s);
  return sigsuspend (&s);
}
static long
c_sigtimedwait (void)
{
  sigset_t s;
  sigemptyset (&s);
  sigaddset (&s, SIGUSR2);
  return sigtimedwait (&s, NULL, &T);
}
static long
c_eventfd (void)
{
  uint64_t v;
  return read (efd, &v, 8) == 8 ? 0 : -1;
}
static long
c_flock (void)
{
  int f = open ("/tmp/rio-restart-lock", O_RDWR | O_CREAT, 0600);
  long r = flock (f, LOCK_EX);
  int e = errno;
  close (f);
  errno = e;
  return r;
}
static long
c_setlkw (void)
{
  int f = open ("/tmp/rio-restart-lock", O_RDWR | O_CREAT, 0600);
  struct flock l = { .l_type = F_WRLCK };
  long r = fcntl (f, F_OFD_SETLKW, &l);
  int e = errno;
  close (f);
  errno = e;
  return r;
}
static long
c_open_fifo (void)
{
  int r = open ("/tmp/rio-restart-fifo", O_RDONLY);
  if (r >= 0)
    {
      close (r);
      return 0;
    }
  return r;
}
static long
c_write (void)
{
  static char big[200000];
  return write (p[1], big, sizeof big) > 0 ? 0 : -1;
}
static long
c_getrandom (void)
{
  char c;
  return syscall (SYS_getrandom, &c, 1, 0);
}
static long
c_timerfd (void)
{
  int f = timerfd_create (CLOCK_MONOTONIC, 0);
  struct itimerspec t = { .it_value = T };
  uint64_t v;
  timerfd_settime (f, 0, &t, 0);
  long r = read (f, &v, 8);
  int e = errno;
  close (f);
  errno = e;
  return r == 8 ? 0 : -1;
}

static void
e_pipe (void)
{
  write (p[1], "x", 1);
}
static void
e_sock (void)
{
  write (sv[1], "x", 1);
}
static void
e_conn (void)
{
  struct sockaddr_un a;
  socklen_t n = sizeof a;
  getsockname (ls, (void *)&a, &n);
  int s = socket (AF_UNIX, SOCK_STREAM, 0);
  connect (s, (void *)&a, n);
  close (s);
}
static void
e_none (void)
{
}
static void
e_futex (void)
{
  while (syscall (SYS_futex, &fut, FUTEX_WAKE, 1, NULL, NULL, 0) == 0)
    usleep (1000);
}
static void
e_child (void)
{
  kill (child, SIGKILL);
}
static void
e_msg (void)
{
  struct
  {
    long t;
    char c;
  } m = { 1, 1 };
  msgsnd (msgq, &m, 1, 0);
}
static void
e_sem (void)
{
  struct sembuf b = { 0, 1, 0 };
  semop (semid, &b, 1);
}
static void
e_efd (void)
{
  uint64_t v = 1;
  write (efd, &v, 8);
}
static int lock_fd;
static void
e_lock (void)
{
  close (lock_fd);
}
static void
e_fifo (void)
{
  int f = open ("/tmp/rio-restart-fifo", O_WRONLY | O_NONBLOCK);
  if (f >= 0)
    {
      usleep (20000);
      close (f);
    }
}
static void
e_drain (void)
{
  static char b[65536];
  int fl = fcntl (p[0], F_GETFL);
  fcntl (p[0], F_SETFL, fl | O_NONBLOCK);
  for (int i = 0; i < 200; i++)
    {
      if (read (p[0], b, sizeof b) < 0)
        usleep (1000);
    }
  fcntl (p[0], F_SETFL, fl);
}

static void
b_child (void)
{
  child = fork ();
  if (!child)
    for (;;)
      pause ();
}
static void
b_lock (void)
{
  lock_fd = open ("/tmp/rio-restart-lock", O_RDWR | O_CREAT, 0600);
  flock (lock_fd, LOCK_EX);
}
static void
b_ofd (void)
{
  struct flock l = { .l_type = F_WRLCK };
  lock_fd = open ("/tmp/rio-restart-lock", O_RDWR | O_CREAT, 0600);
  fcntl (lock_fd, F_OFD_SETLK, &l);
}
static void
b_fifo (void)
{
  mkfifo ("/tmp/rio-restart-fifo", 0600);
}

static struct
{
  const char *name;
  long (*call) (void);
  void (*end) (void);
  void (*before) (void);
} rows[] = {
  { "read", c_read, e_pipe, 0 },
  { "readv", c_readv, e_pipe, 0 },
  { "recv", c_recv, e_sock, 0 },
  { "recvmsg", c_recvmsg, e_sock, 0 },
  { "recv timeo", c_recv_to, e_none, 0 },
  { "accept", c_accept, e_conn, 0 },
  { "poll", c_poll, e_none, 0 },
  { "ppoll", c_ppoll, e_none, 0 },
  { "select", c_select, e_none, 0 },
  { "pselect", c_pselect, e_none, 0 },
  { "epoll_wait", c_epoll, e_none, 0 },
  { "epoll_pwait", c_epoll_p, e_none, 0 },
  { "nanosleep", c_nanosleep, e_none, 0 },
  { "clock_nanosleep", c_clock_nanosleep, e_none, 0 },
  { "clock_abs", c_clock_abs, e_none, 0 },
  { "futex", c_futex, e_futex, 0 },
  { "futex timeout", c_futex_to, e_none, 0 },
  { "futex abs", c_futex_abs, e_none, 0 },
  { "wait4", c_wait4, e_child, b_child },
  { "waitid", c_waitid, e_child, b_child },
  { "msgrcv", c_msgrcv, e_msg, 0 },
  { "semop", c_semop, e_sem, 0 },
  { "semtimedop", c_semtimedop, e_none, 0 },
  { "pause", c_pause, e_none, 0 },
  { "sigsuspend", c_sigsuspend, e_none, 0 },
  { "sigtimedwait", c_sigtimedwait, e_none, 0 },
  { "eventfd", c_eventfd, e_efd, 0 },
  { "flock", c_flock, e_lock, b_lock },
  { "setlkw", c_setlkw, e_lock, b_ofd },
  { "open fifo", c_open_fifo, e_fifo, b_fifo },
  { "write", c_write, e_drain, 0 },
  { "timerfd", c_timerfd, e_none, 0 },
};
#define N (sizeof rows / sizeof *rows)
static volatile int round_, stage;
static volatile unsigned which;
static pthread_barrier_t bar;

static int
in_call (void)
{
  char path[64], s[64] = "";
  snprintf (path, sizeof path, "/proc/self/task/%d/stat", main_tid);
  FILE *f = fopen (path, "r");
  char st = 0;
  if (f)
    {
      fscanf (f, "%*d (%*[^)]) %c", &st);
      fclose (f);
    }
  (void)s;
  return st == 'S';
}
static void *
other (void *a)
{
  for (;;)
    {
      pthread_barrier_wait (&bar);
      if (stage < 0)
        return a;
      for (int k = 0; k < 5; k++)
        {
          while (!in_call () && stage == 1)
            sched_yield ();
          usleep (3000);
        }
      int before = n_handled;
      pthread_kill (main_thread, SIGUSR1);
      while (n_handled == before)
        sched_yield ();
      for (int k = 0; k < 5; k++)
        {
          if (stage != 1)
            break;
          usleep (3000);
        }
      if (stage == 1)
        rows[which].end ();
      else if (rows[which].end == e_child)
        e_child ();
      else if (rows[which].end == e_lock)
        e_lock ();
      pthread_barrier_wait (&bar);
    }
}
int
main (void)
{
  pthread_t t;
  struct sockaddr_un a = { .sun_family = AF_UNIX };
  sigset_t s;
  setvbuf (stdout, NULL, _IOLBF, 0);
  main_thread = pthread_self ();
  main_tid = gettid ();
  pipe (p);
  socketpair (AF_UNIX, SOCK_STREAM, 0, sv);
  ls = socket (AF_UNIX, SOCK_STREAM, 0);
  bind (ls, (void *)&a, sizeof (sa_family_t));
  listen (ls, 5);
  msgq = msgget (IPC_PRIVATE, 0600);
  semid = semget (IPC_PRIVATE, 1, 0600);
  ep = epoll_create1 (0);
  efd = eventfd (0, 0);
  pthread_barrier_init (&bar, 0, 2);
  sigemptyset (&s);
  sigaddset (&s, SIGUSR2);
  sigprocmask (SIG_BLOCK, &s, NULL);
  pthread_create (&t, 0, other, 0);
  for (int restart = 0; restart < 2; restart++)
    {
      struct sigaction sa
          = { .sa_handler = handler, .sa_flags = restart ? SA_RESTART : 0 };
      sigaction (SIGUSR1, &sa, NULL);
      for (which = 0; which < N; which++)
        {
          if (rows[which].before)
            rows[which].before ();
          stage = 1;
          n_handled = 0;
          pthread_barrier_wait (&bar);
          errno = 0;
          long r = rows[which].call ();
          int e = errno;
          stage = 2;
          pthread_barrier_wait (&bar);
          printf ("%s restart %d: %ld %s handled %d\n", rows[which].name,
                  restart, r, r < 0 ? strerrorname_np (e) : "", n_handled);
          /* leave nothing behind */
          int st;
          while (waitpid (-1, &st, WNOHANG) > 0)
            ;
          if (child > 0 && rows[which].end == e_child)
            {
              waitpid (child, &st, 0);
            }
          char b[70000];
          int fl = fcntl (p[0], F_GETFL);
          fcntl (p[0], F_SETFL, fl | O_NONBLOCK);
          while (read (p[0], b, sizeof b) > 0)
            ;
          fcntl (p[0], F_SETFL, fl);
        }
    }
  stage = -1;
  pthread_barrier_wait (&bar);
  pthread_join (t, 0);
  msgctl (msgq, IPC_RMID, 0);
  semctl (semid, 0, IPC_RMID);
  unlink ("/tmp/rio-restart-fifo");
  unlink ("/tmp/rio-restart-lock");
  return 0;
}
