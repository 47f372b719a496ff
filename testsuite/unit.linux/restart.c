/* What a signal does to a sleeping call: the column RESTART of syscalls.def
   against the kernel.

   Each case is a child that sleeps in a call.  It is disturbed in three ways:
   by a handler, by a handler with SA_RESTART, and by a stop that no handler
   sees; then it either has come back with EINTR or sleeps in the call again.
   Nothing is timed: the parent waits for the one or the other, as it shows in
   /proc/PID/stat and /proc/PID/syscall.  */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include "lib/check.h"
#include "linux/syscall.h"

struct call
{
  long nr;
  uint64_t a[6];
};

typedef void setup (struct call *c);

static int handled[2];          /* a byte when the handler has run */

static void
on_signal (int sig)
{
  (void) sig;
  if (write (handled[1], "h", 1) != 1)
    _exit (99);
}

#define RUN(NR, ...)                                                          \
  (c->nr = SYS_##NR, memcpy (c->a, (uint64_t[6]) { __VA_ARGS__ }, 48))
#define P(X) ((uint64_t) (uintptr_t) (X))

static struct timespec minute = { 60, 0 };
static struct timeval minute_tv = { 60, 0 };
static char buf[200000];
static int word;

static int
empty_pipe (void)
{
  int fds[2];

  if (pipe (fds))
    _exit (98);
  return fds[0];
}

static int
full_pipe (void)
{
  int fds[2];

  if (pipe2 (fds, O_NONBLOCK))
    _exit (98);
  while (write (fds[1], buf, 4096) > 0)
    continue;
  fcntl (fds[1], F_SETFL, 0);
  return fds[1];
}

static int
a_socket (bool timed)
{
  int fds[2];

  if (socketpair (AF_UNIX, SOCK_DGRAM, 0, fds))
    _exit (98);
  if (timed)
    setsockopt (fds[0], SOL_SOCKET, SO_RCVTIMEO, &minute_tv,
                sizeof minute_tv);
  return fds[0];
}

static int
a_listener (void)
{
  int fd = socket (AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un un = { AF_UNIX, "" };

  if (bind (fd, (void *) &un, 2) || listen (fd, 1))
    _exit (98);
  return fd;
}

static int
an_epoll (void)
{
  return epoll_create1 (0);
}

/* Made and removed by main: they outlive processes.  */
static int a_semaphore, a_queue;

static int
an_mqueue (void)
{
  struct mq_attr a = { .mq_maxmsg = 1, .mq_msgsize = 8 };
  int q = mq_open ("/rio-restart", O_RDWR | O_CREAT, 0600, &a);

  mq_unlink ("/rio-restart");
  return q;
}

/* A child of the child, which is there until it is killed.  */
static int
a_child (void)
{
  int pid = fork ();

  if (pid == 0)
    for (;;)
      pause ();
  return pid;
}

/* A file that another description has locked.  */
static int
a_locked_file (bool by_flock)
{
  static char name[] = "/tmp/rio-restart-XXXXXX";
  static struct flock lock = { .l_type = F_WRLCK };
  int mine = mkstemp (name), theirs = open (name, O_RDWR);

  unlink (name);
  if (by_flock)
    flock (theirs, LOCK_EX);
  else
    fcntl (theirs, F_OFD_SETLK, &lock);
  return mine;
}

static aio_context_t
an_aio (void)
{
  aio_context_t ctx = 0;

  if (syscall (SYS_io_setup, 8, &ctx))
    _exit (98);
  return ctx;
}

static struct iovec vec = { buf, 10 };
static struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1 };
static struct mmsghdr mmsg = { .msg_hdr = { .msg_iov = &vec,
                                            .msg_iovlen = 1 } };
static struct pollfd pfd = { .events = POLLIN };
static struct epoll_event ev;
static struct sembuf down = { 0, -1, 0 };
static uint64_t no_signals, one_signal = 1ul << (SIGUSR2 - 1);
static struct flock whole = { .l_type = F_WRLCK };
static struct { uint64_t val, addr; uint32_t flags, pad; } waitv;

/* The deadline of those that want an absolute one.  */
static uint64_t
in_a_minute (int clock)
{
  static struct timespec t;

  clock_gettime (clock, &t);
  t.tv_sec += 60;
  return P (&t);
}

/* NAME, the row's column, and the call.  */
#define CASES                                                                 \
  CASE (read, SOCKET, RUN (read, empty_pipe (), P (buf), 10))                 \
  CASE (readv, SOCKET, RUN (readv, empty_pipe (), P (&vec), 1))               \
  CASE (write, SOCKET, RUN (write, full_pipe (), P (buf), 10))                \
  CASE (writev, SOCKET, RUN (writev, full_pipe (), P (&vec), 1))              \
  CASE (open_fifo, SYS, mkfifo (fifo, 0600);                                  \
        RUN (openat, AT_FDCWD, P (fifo), O_RDONLY))                           \
  CASE (poll, BLOCK, pfd.fd = empty_pipe ();                                  \
        RUN (poll, P (&pfd), 1, 60000))                                       \
  CASE (poll_for_ever, BLOCK, RUN (poll, 0, 0, -1ul))                         \
  CASE (ppoll, NOHAND, RUN (ppoll, 0, 0, P (&minute), 0, 8))                  \
  CASE (select, NOHAND, RUN (select, 0, 0, 0, 0, P (&minute_tv)))             \
  CASE (pselect6, NOHAND, RUN (pselect6, 0, 0, 0, 0, P (&minute), 0))         \
  CASE (nanosleep, BLOCK, RUN (nanosleep, P (&minute), 0))                    \
  CASE (clock_nanosleep, BLOCK,                                               \
        RUN (clock_nanosleep, CLOCK_MONOTONIC, 0, P (&minute), 0))            \
  CASE (pause, NOHAND, RUN (pause, 0))                                        \
  CASE (rt_sigsuspend, NOHAND, RUN (rt_sigsuspend, P (&no_signals), 8))       \
  CASE (rt_sigtimedwait, EINTR, RUN (rt_sigtimedwait, P (&one_signal), 0,     \
                                     P (&minute), 8))                         \
  CASE (epoll_wait, EINTR, RUN (epoll_wait, an_epoll (), P (&ev), 1, 60000))  \
  CASE (epoll_pwait, EINTR,                                                   \
        RUN (epoll_pwait, an_epoll (), P (&ev), 1, -1ul, 0, 8))               \
  CASE (epoll_pwait2, EINTR,                                                  \
        RUN (epoll_pwait2, an_epoll (), P (&ev), 1, P (&minute), 0, 8))       \
  CASE (futex, SYS, RUN (futex, P (&word), FUTEX_WAIT, 0, 0))                 \
  CASE (futex_timed, BLOCK,                                                   \
        RUN (futex, P (&word), FUTEX_WAIT, 0, P (&minute)))                   \
  CASE (futex_waitv, SYS, waitv.addr = P (&word);                             \
        waitv.flags = 2; RUN (futex_waitv, P (&waitv), 1, 0,                  \
        in_a_minute (CLOCK_MONOTONIC), CLOCK_MONOTONIC))                      \
  CASE (wait4, SYS, RUN (wait4, a_child (), 0, 0, 0))                         \
  CASE (waitid, SYS, RUN (waitid, P_PID, a_child (), 0, WEXITED, 0))          \
  CASE (semop, EINTR, RUN (semop, a_semaphore, P (&down), 1))              \
  CASE (semtimedop, EINTR,                                                    \
        RUN (semtimedop, a_semaphore, P (&down), 1, P (&minute)))          \
  CASE (msgrcv, NOHAND, RUN (msgrcv, a_queue, P (buf), 10, 0, 0))          \
  CASE (accept, SOCKET, RUN (accept, a_listener (), 0, 0))                    \
  CASE (recvfrom, SOCKET, RUN (recvfrom, a_socket (false), P (buf), 10))      \
  CASE (recvfrom_timed, EINTR, RUN (recvfrom, a_socket (true), P (buf), 10))  \
  CASE (recvmsg, SOCKET, RUN (recvmsg, a_socket (false), P (&msg), 0))        \
  CASE (recvmmsg, SOCKET, RUN (recvmmsg, a_socket (false), P (&mmsg), 1))     \
  CASE (flock, SYS, RUN (flock, a_locked_file (true), LOCK_EX))               \
  CASE (fcntl, SYS,                                                           \
        RUN (fcntl, a_locked_file (false), F_OFD_SETLKW, P (&whole)))         \
  CASE (mq_timedreceive, SYS,                                                 \
        RUN (mq_timedreceive, an_mqueue (), P (buf), 100, 0,                  \
             in_a_minute (CLOCK_REALTIME)))                                   \
  CASE (io_getevents, EINTR,                                                  \
        RUN (io_getevents, an_aio (), 1, 1, P (buf), P (&minute)))            \
  CASE (splice, SOCKET,                                                       \
        RUN (splice, empty_pipe (), 0, full_pipe (), 0, 10, 0))               \
  CASE (tee, SYS, RUN (tee, empty_pipe (), full_pipe (), 10, 0))

static char fifo[100];

#define CASE(NAME, HOW, ...)                                                  \
  static void case_##NAME (struct call *c) { __VA_ARGS__; }
CASES
#undef CASE

enum way { HANDLER, HANDLER_RESTART, STOP };

static void NORETURN
child (setup *set_up, enum way way)
{
  struct sigaction sa = { .sa_handler = on_signal,
                          .sa_flags = way == HANDLER ? 0 : SA_RESTART };
  struct call c;

  setpgid (0, 0);
  set_up (&c);
  sigaction (SIGUSR1, &sa, NULL);
  long r = syscall (c.nr, c.a[0], c.a[1], c.a[2], c.a[3], c.a[4], c.a[5]);
  _exit (r == -1 ? errno : 97);
}

/* The state of PID as /proc has it, and the call that it sleeps in, or -1.  */
static char
look (pid_t pid, long *nr)
{
  char path[50], text[300] = "", state = '?';
  FILE *f;

  snprintf (path, sizeof path, "/proc/%d/stat", pid);
  if ((f = fopen (path, "r")) && fgets (text, sizeof text, f))
    state = strrchr (text, ')')[2];
  if (f)
    fclose (f);
  *nr = -1;
  snprintf (path, sizeof path, "/proc/%d/syscall", pid);
  if ((f = fopen (path, "r")) && fscanf (f, "%ld", nr) != 1)
    *nr = -1;
  if (f)
    fclose (f);
  return state;
}

/* Wait until PID sleeps in call NR (true) or is dead.  */
static bool
settles (pid_t pid, long nr)
{
  for (;;)
    {
      long in;
      char state = look (pid, &in);

      if (state == 'S' && (in == nr || in == SYS_restart_syscall))
        return true;
      if (state == 'Z')
        return false;
      sched_yield ();
    }
}

static void
disturb (pid_t pid, enum way way)
{
  char c;
  long nr;

  if (way != STOP)
    {
      kill (pid, SIGUSR1);
      if (read (handled[0], &c, 1) != 1)
        abort ();
      return;
    }
  kill (pid, SIGSTOP);
  while (look (pid, &nr) != 'T')
    sched_yield ();
  kill (pid, SIGCONT);
}

/* Whether the call is interrupted in this way: 1, 0; or -1, it cannot be
   tested here.  */
static int
interrupted (setup *set_up, long nr, enum way way)
{
  int status, result = -1;
  pid_t pid = fork ();

  if (pid == 0)
    child (set_up, way);
  if (settles (pid, nr))
    {
      disturb (pid, way);
      result = !settles (pid, nr);
    }
  kill (-pid, SIGKILL);
  kill (pid, SIGKILL);
  waitpid (pid, &status, 0);
  if (result == 1 && !(WIFEXITED (status) && WEXITSTATUS (status) == EINTR))
    {
      printf ("%s: status %#x\n", syscall_row (nr)->name, status);
      return -1;
    }
  return result;
}

static void
try (const char *name, setup *set_up, long nr, enum syscall_restart how)
{
  const struct syscall_row *row = syscall_row (nr);
  bool futex = nr == SYS_futex;
  int got[3];

  for (enum way way = HANDLER; way <= STOP; way++)
    got[way] = interrupted (set_up, nr, way);
  if (got[0] < 0)
    {
      check_unsupported ("%s", name);
      return;
    }
  bool restarts = how == SYSCALL_RESTART_SYS || how == SYSCALL_RESTART_SOCKET;
  check (got[HANDLER] == 1 && got[HANDLER_RESTART] == !restarts
           && got[STOP] == (how == SYSCALL_RESTART_EINTR),
         "%s: %d %d %d", name, got[0], got[1], got[2]);
  check (row->restart == how
           || (futex && row->restart == SYSCALL_RESTART_FUTEX)
           || (row->restart == SYSCALL_RESTART_SOCKET
               && how == SYSCALL_RESTART_EINTR),
         "%s: the table says so", name);
}

/* The number of the call that SET_UP makes.  Done in a child, which is left
   with what was opened.  */
static long
number_of (setup *set_up)
{
  struct call c;
  int fds[2], status;

  if (pipe (fds))
    abort ();
  pid_t pid = fork ();
  if (pid == 0)
    {
      setpgid (0, 0);
      set_up (&c);
      if (write (fds[1], &c.nr, sizeof c.nr) != sizeof c.nr)
        _exit (1);
      kill (0, SIGKILL);
    }
  close (fds[1]);
  if (read (fds[0], &c.nr, sizeof c.nr) != sizeof c.nr)
    c.nr = -1;
  close (fds[0]);
  waitpid (pid, &status, 0);
  return c.nr;
}

int
main (void)
{
  char dir[] = "/tmp/rio-restart-XXXXXX";

  alarm (120);                  /* a child that settles nowhere */
  if (pipe (handled) || !mkdtemp (dir))
    return 1;
  snprintf (fifo, sizeof fifo, "%s/fifo", dir);
  a_semaphore = semget (IPC_PRIVATE, 1, 0600);
  a_queue = msgget (IPC_PRIVATE, 0600);
#define CASE(NAME, HOW, ...)                                                  \
  try (#NAME, case_##NAME, number_of (case_##NAME), SYSCALL_RESTART_##HOW);
  CASES
#undef CASE
  semctl (a_semaphore, 0, IPC_RMID);
  msgctl (a_queue, IPC_RMID, NULL);
  unlink (fifo);
  rmdir (dir);
  return check_done ();
}
