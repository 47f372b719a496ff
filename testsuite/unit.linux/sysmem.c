/* Which memory system calls write: the kernel is the oracle.

   Each case is a real call whose pointers all lead into one arena.  It is run
   twice, with everything in the arena that is not input filled with one byte
   and then with another, so that each byte that the kernel wrote shows in one
   of the two, but for input that was given its own value again.  Those must
   all have been foretold before the call, and told after it; and in an
   `exact' case nothing else may have been told.  */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/aio_abi.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include "lib/check.h"
#include "linux/errors.h"
#include "linux/sysmem.h"

#define ARENA (16 * 4096)

struct run
{
  uint8_t fill;
  size_t used;
  struct sysmem_call c;
};

/* The arena, then a page that cannot be touched.  */
static uint8_t *arena;
static uint8_t before[ARENA], may[ARENA], did[ARENA], changed[ARENA];
static uint8_t told_read[ARENA], given[ARENA];

static bool
reader (void *cookie, app_addr from, void *to, size_t size)
{
  uint64_t at = from - (uint64_t) arena;

  (void) cookie;
  if (at < ARENA && size > ARENA - at)
    return false;
  if (from < 4096 || (at >= ARENA && at < ARENA + 4096))
    return false;
  memcpy (to, (void *) from, size);
  return true;
}

static void
mark (void *cookie, unsigned arg, app_addr addr, size_t size, unsigned access)
{
  uint8_t *map = cookie;
  uint64_t at = addr - (uint64_t) arena;

  (void) arg;
  (void) access;
  if (at < ARENA)
    memset (map + at, 1, size < ARENA - at ? size : ARENA - at);
}

/* Take SIZE bytes of the arena, not next to what was taken before.  */
static uint8_t *
room (struct run *r, size_t size)
{
  uint8_t *p = arena + r->used;

  r->used += (size + 63 + 64) & ~63ul;
  if (r->used > ARENA)
    abort ();
  memset (p, r->fill, size);
  return p;
}

/* Input for the call.  */
static void *
input (struct run *r, const void *from, size_t size)
{
  return memcpy (room (r, size), from, size);
}

static int *
input_int (struct run *r, int v)
{
  return input (r, &v, sizeof v);
}

#define ARG(N, V) (r->c.args[N] = (uint64_t) (V))
#define RUN(NR) (r->c.nr = SYS_##NR)
#define ROOM(N) room (r, N)
#define PUT(X) input (r, &(X), sizeof (X))

typedef void setup (struct run *r);

/* Descriptors that the cases use, made anew for each run.  */
static int file_fd, pipe_fd[2], pair[2], dgram[2], dir_fd, epoll_fd;
static char file_name[] = "/tmp/rio-sysmem-XXXXXX";

static void
open_all (void)
{
  struct epoll_event ev = { .events = EPOLLIN };
  char text[100];

  memset (text, 'x', sizeof text);
  file_fd = open (file_name, O_RDWR);
  dir_fd = open ("/proc/self", O_RDONLY);
  epoll_fd = epoll_create1 (0);
  if (file_fd < 0 || dir_fd < 0 || pipe2 (pipe_fd, O_NONBLOCK)
      || socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair)
      || socketpair (AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, dgram)
      || write (pipe_fd[1], text, 100) != 100
      || write (pair[1], text, 100) != 100
      || write (dgram[1], text, 40) != 40 || write (dgram[1], text, 30) != 30
      || epoll_ctl (epoll_fd, EPOLL_CTL_ADD, pipe_fd[0], &ev))
    abort ();
}

static void
close_all (void)
{
  int all[] = { file_fd, dir_fd, epoll_fd, pipe_fd[0], pipe_fd[1], pair[0],
                pair[1], dgram[0], dgram[1] };

  for (unsigned i = 0; i < ARRAY_SIZE (all); i++)
    close (all[i]);
}

/* Run SET_UP's call once, everything else filled with FILL; what changed is
   added to the map of changes.  */
static long
run_once (setup *set_up, uint8_t fill, bool keep)
{
  struct run r = { .fill = fill, .c.read = reader };

  memset (arena, fill, ARENA);
  open_all ();
  set_up (&r);
  memcpy (before, arena, ARENA);
  sysmem_enter (&r.c);
  sysmem_walk (&r.c, SYSCALL_WRITE, mark, may);
  sysmem_walk (&r.c, SYSCALL_READ, mark, told_read);
  long ret = syscall (r.c.nr, r.c.args[0], r.c.args[1], r.c.args[2],
                      r.c.args[3], r.c.args[4], r.c.args[5]);
  if (ret == -1)
    ret = -errno;
  if (r.c.nr == SYS_clone3 && ret == 0)
    _exit (0);
  sysmem_leave (&r.c, ret);
  sysmem_walk (&r.c, SYSCALL_WRITE, mark, did);
  for (unsigned i = 0; i < ARENA; i++)
    {
      changed[i] |= arena[i] != before[i];
      given[i] |= before[i] != fill;
    }
  if (keep)
    check (sysmem_is_complete (&r.c), "%s: is complete",
           syscall_row (r.c.nr)->name);
  close_all ();
  return ret;
}

/* The outcome that a case expects.  */
enum { FAILS = 1, EXACT = 2 };

static void
try (const char *name, setup *set_up, unsigned how)
{
  unsigned untold = 0, unforetold = 0, excess = 0, n = 0;
  int first = -1;

  memset (may, 0, ARENA);
  memset (did, 0, ARENA);
  memset (changed, 0, ARENA);
  memset (given, 0, ARENA);
  long ret = run_once (set_up, 0xa5, true);
  run_once (set_up, 0x5a, false);
  if (ret == -ENOSYS || ret == -EPERM || ret == -EOPNOTSUPP)
    {
      check_unsupported ("%s: %s", name, errors_name (-ret));
      return;
    }
  for (int i = 0; i < ARENA; i++)
    {
      n += changed[i];
      untold += changed[i] && !did[i];
      unforetold += changed[i] && !may[i];
      excess += !changed[i] && did[i] && !given[i];
      if (changed[i] != did[i] && first < 0)
        first = i;
    }
  bool ok = check (!untold && !unforetold, "%s: every store is told", name);
  ok &= check ((ret < 0) == !!(how & FAILS), "%s: returned %ld", name, ret);
  if (how & EXACT)
    ok &= check (!excess, "%s: nothing else is told", name);
  if (!(how & FAILS))
    ok &= check (n > 0, "%s: the kernel stored", name);
  if (!ok)
    printf ("%s: %u stored, %u untold, %u unforetold, %u too many, from %d\n",
            name, n, untold, unforetold, excess, first);
}

/* Each case: a name, what is expected, and the set-up of the call.  */
#define CASES                                                                 \
  CASE (read, EXACT, RUN (read); ARG (0, pipe_fd[0]); ARG (1, ROOM (200));    \
        ARG (2, 200))                                                         \
  CASE (read_bad, FAILS | EXACT, RUN (read); ARG (0, -1); ARG (1, ROOM (50)); \
        ARG (2, 50))                                                          \
  CASE (read_fault, FAILS, RUN (read); ARG (0, pipe_fd[0]);                   \
        ARG (1, arena + ARENA - 30); ARG (2, 80))                             \
  CASE (pread64, EXACT, RUN (pread64); ARG (0, file_fd); ARG (1, ROOM (90));  \
        ARG (2, 90); ARG (3, 5))                                              \
  CASE (stat, 0, RUN (stat); ARG (0, file_name); ARG (1, ROOM (144)))         \
  CASE (fstat, 0, RUN (fstat); ARG (0, file_fd); ARG (1, ROOM (200)))         \
  CASE (stat_missing, FAILS | EXACT, RUN (stat); ARG (0, "/no/such");         \
        ARG (1, ROOM (144)))                                                  \
  CASE (poll, 0, struct pollfd p[2] = { { pipe_fd[0], POLLIN, 0x5555 },       \
                                        { pipe_fd[1], POLLOUT, 0x5555 } };    \
        RUN (poll); ARG (0, PUT (p)); ARG (1, 2))                             \
  CASE (ppoll_timeout, 0, struct pollfd p = { pipe_fd[0], POLLPRI, 0x5555 };  \
        struct timespec t = { 0, 2000000 }; RUN (ppoll); ARG (0, PUT (p));    \
        ARG (1, 1); ARG (2, PUT (t)))                                         \
  CASE (rt_sigaction, EXACT, RUN (rt_sigaction); ARG (0, SIGUSR1);            \
        ARG (2, ROOM (40)); ARG (3, 8))                                       \
  CASE (rt_sigprocmask, EXACT, RUN (rt_sigprocmask); ARG (2, ROOM (16));      \
        ARG (3, 8))                                                           \
  CASE (tiocgwinsz_pipe, FAILS | EXACT, RUN (ioctl); ARG (0, pipe_fd[0]);     \
        ARG (1, TIOCGWINSZ); ARG (2, ROOM (8)))                               \
  CASE (fionread, EXACT, RUN (ioctl); ARG (0, pipe_fd[0]); ARG (1, FIONREAD); \
        ARG (2, ROOM (8)))                                                    \
  CASE (readv, EXACT, struct iovec v[3] = { { ROOM (30), 30 },                \
                                            { ROOM (40), 40 },                \
                                            { ROOM (80), 80 } };              \
        RUN (readv); ARG (0, pipe_fd[0]); ARG (1, PUT (v)); ARG (2, 3))       \
  CASE (preadv2, EXACT, struct iovec v[2] = { { ROOM (3), 3 },                \
                                              { ROOM (40), 40 } };            \
        RUN (preadv2); ARG (0, file_fd); ARG (1, PUT (v)); ARG (2, 2))        \
  CASE (pipe, EXACT, RUN (pipe); ARG (0, ROOM (12)))                          \
  CASE (pipe2, EXACT, RUN (pipe2); ARG (0, ROOM (12)); ARG (1, O_CLOEXEC))    \
  CASE (select, 0, fd_set s; FD_ZERO (&s); FD_SET (pipe_fd[0], &s);           \
        FD_SET (file_fd, &s); FD_SET (epoll_fd, &s);                          \
        struct timeval t = { 1, 5 };                                          \
        RUN (select); ARG (0, 64); ARG (1, PUT (s)); ARG (2, PUT (s));        \
        ARG (3, PUT (s)); ARG (4, PUT (t)))                                   \
  CASE (pselect6, 0, fd_set s; FD_ZERO (&s); FD_SET (pipe_fd[0], &s);         \
        struct timespec t = { 0, 3000000 };                                   \
        RUN (pselect6); ARG (0, 70); ARG (3, PUT (s)); ARG (4, PUT (t)))      \
  CASE (mincore, EXACT, RUN (mincore); ARG (0, arena); ARG (1, 3 * 4096 - 9); \
        ARG (2, ROOM (9)))                                                    \
  CASE (getitimer, EXACT, RUN (getitimer); ARG (1, ROOM (40)))                \
  CASE (sendfile, 0, long off = 3; RUN (sendfile); ARG (0, pair[1]);          \
        ARG (1, file_fd); ARG (2, PUT (off)); ARG (3, 10))                    \
  CASE (getsockname, EXACT, RUN (getsockname); ARG (0, inet_fd ());           \
        ARG (1, ROOM (30)); ARG (2, input_int (r, 29)))                       \
  CASE (getsockname_short, EXACT, RUN (getsockname); ARG (0, inet_fd ());     \
        ARG (1, ROOM (30)); ARG (2, input_int (r, 5)))                        \
  CASE (recvfrom, EXACT, RUN (recvfrom); ARG (0, dgram[0]);                   \
        ARG (1, ROOM (70)); ARG (2, 70); ARG (4, ROOM (110));                 \
        ARG (5, input_int (r, 110)))                                          \
  CASE (recvfrom_trunc, EXACT, RUN (recvfrom); ARG (0, dgram[0]);             \
        ARG (1, ROOM (70)); ARG (2, 7); ARG (3, MSG_TRUNC))                   \
  CASE (getsockopt, EXACT, RUN (getsockopt); ARG (0, pair[0]);                \
        ARG (1, SOL_SOCKET); ARG (2, SO_PEERCRED); ARG (3, ROOM (40));        \
        ARG (4, input_int (r, 40)))                                           \
  CASE (getsockopt_short, EXACT, RUN (getsockopt); ARG (0, pair[0]);          \
        ARG (1, SOL_SOCKET); ARG (2, SO_TYPE); ARG (3, ROOM (40));            \
        ARG (4, input_int (r, 2)))                                            \
  CASE (socketpair, EXACT, RUN (socketpair); ARG (0, AF_UNIX);                \
        ARG (1, SOCK_STREAM); ARG (3, ROOM (16)))                             \
  CASE (recvmsg, 0, struct iovec v[2] = { { ROOM (9), 9 },                    \
                                          { ROOM (99), 99 } };                \
        struct msghdr m = { ROOM (50), 50, PUT (v), 2, ROOM (64), 64, 0 };    \
        send_fd (dgram[1]); drain (dgram[0], 2);                              \
        RUN (recvmsg); ARG (0, dgram[0]); ARG (1, PUT (m)))                   \
  CASE (recvmmsg, 0, struct iovec v[2] = { { ROOM (99), 99 },                 \
                                           { ROOM (99), 99 } };               \
        struct mmsghdr m[3] = { { .msg_hdr.msg_iov = PUT (v[0]),              \
                                  .msg_hdr.msg_iovlen = 1 },                  \
                                { .msg_hdr.msg_iov = PUT (v[1]),              \
                                  .msg_hdr.msg_iovlen = 1 } };                \
        struct timespec t = { 3, 0 };                                         \
        RUN (recvmmsg); ARG (0, dgram[0]); ARG (1, PUT (m)); ARG (2, 2);      \
        ARG (4, PUT (t)))                                                     \
  CASE (sendmmsg, 0, struct iovec v = { ROOM (9), 9 };                        \
        struct mmsghdr m[2] = { { .msg_hdr.msg_iov = PUT (v),                 \
                                  .msg_hdr.msg_iovlen = 1 },                  \
                                { .msg_hdr.msg_iov = PUT (v),                 \
                                  .msg_hdr.msg_iovlen = 1 } };                \
        RUN (sendmmsg); ARG (0, dgram[0]); ARG (1, PUT (m)); ARG (2, 2))      \
  CASE (wait4, 0, child (); RUN (wait4); ARG (0, -1); ARG (1, ROOM (8));      \
        ARG (3, ROOM (150)))                                                  \
  CASE (waitid, 0, child (); RUN (waitid); ARG (0, P_ALL); ARG (3, WEXITED);  \
        ARG (2, ROOM (130)))                                                     \
  CASE (uname, 0, RUN (uname); ARG (0, ROOM (400)))                           \
  CASE (semctl_stat, 0, RUN (semctl); ARG (0, sem_id ()); ARG (2, IPC_STAT);  \
        ARG (3, ROOM (110)))                                                  \
  CASE (semctl_getall, 0, RUN (semctl); ARG (0, sem_id ()); ARG (2, GETALL);  \
        ARG (3, ROOM (20)))                                                   \
  CASE (semctl_info, 0, RUN (semctl); ARG (2, IPC_INFO); ARG (3, ROOM (50)))  \
  CASE (shmctl_stat, 0, RUN (shmctl); ARG (0, shm_id ()); ARG (1, IPC_STAT);  \
        ARG (2, ROOM (120)))                                                  \
  CASE (shmctl_ipc_info, EXACT, RUN (shmctl); ARG (1, IPC_INFO);              \
        ARG (2, ROOM (80)))                                                   \
  CASE (shmctl_info, 0, RUN (shmctl); ARG (1, 14); ARG (2, ROOM (60)))        \
  CASE (msgctl_stat, 0, RUN (msgctl); ARG (0, msg_id ()); ARG (1, IPC_STAT);  \
        ARG (2, ROOM (130)))                                                  \
  CASE (msgctl_info, 0, RUN (msgctl); ARG (1, IPC_INFO); ARG (2, ROOM (40)))  \
  CASE (msgrcv, EXACT, RUN (msgrcv); ARG (0, msg_id ()); ARG (1, ROOM (60));  \
        ARG (2, 50))                                                          \
  CASE (getlk, 0, struct flock l = { .l_type = F_WRLCK, .l_pid = 1234 };      \
        RUN (fcntl); ARG (0, file_fd); ARG (1, F_GETLK); ARG (2, PUT (l)))    \
  CASE (getown_ex, EXACT, RUN (fcntl); ARG (0, pair[0]);                      \
        ARG (1, F_GETOWN_EX); ARG (2, ROOM (12)))                             \
  CASE (rw_hint, EXACT, RUN (fcntl); ARG (0, file_fd); ARG (1, 1035);         \
        ARG (2, ROOM (12)))                                                   \
  CASE (getdents64, 0, RUN (getdents64); ARG (0, dir_fd); ARG (1, ROOM (999));\
        ARG (2, 999))                                                         \
  CASE (getdents, 0, RUN (getdents); ARG (0, dir_fd); ARG (1, ROOM (999));    \
        ARG (2, 999))                                                         \
  CASE (getcwd, EXACT, RUN (getcwd); ARG (0, ROOM (300)); ARG (1, 300))       \
  CASE (readlink, EXACT, RUN (readlink); ARG (0, "/proc/self/exe");           \
        ARG (1, ROOM (99)); ARG (2, 8))                                       \
  CASE (gettimeofday, EXACT, RUN (gettimeofday); ARG (0, ROOM (20));          \
        ARG (1, ROOM (20)))                                                   \
  CASE (getrlimit, EXACT, RUN (getrlimit); ARG (1, ROOM (20)))                \
  CASE (prlimit64, EXACT, RUN (prlimit64); ARG (1, RLIMIT_NOFILE);            \
        ARG (3, ROOM (20)))                                                   \
  CASE (getrusage, EXACT, RUN (getrusage); ARG (1, ROOM (200)))               \
  CASE (sysinfo, 0, RUN (sysinfo); ARG (0, ROOM (200)))                       \
  CASE (times, EXACT, RUN (times); ARG (0, ROOM (50)))                        \
  CASE (getgroups, EXACT, RUN (getgroups); ARG (0, set_groups ());            \
        ARG (1, ROOM (400)))                                                  \
  CASE (getresuid, EXACT, RUN (getresuid); ARG (0, ROOM (9));                 \
        ARG (1, ROOM (9)); ARG (2, ROOM (9)))                                 \
  CASE (capget, EXACT, struct __user_cap_header_struct h                      \
                         = { _LINUX_CAPABILITY_VERSION_3, 0 };                \
        RUN (capget); ARG (0, &h_copy (h)->version); ARG (1, ROOM (40)))      \
  CASE (capget_version, FAILS, struct __user_cap_header_struct h = { 1, 0 };  \
        RUN (capget); ARG (0, PUT (h)); ARG (1, ROOM (40)))                   \
  CASE (rt_sigpending, EXACT, RUN (rt_sigpending); ARG (0, ROOM (16));        \
        ARG (1, 8))                                                           \
  CASE (rt_sigtimedwait, EXACT, uint64_t s = 1 << (SIGUSR2 - 1);              \
        raise (SIGUSR2); RUN (rt_sigtimedwait); ARG (0, PUT (s));             \
        ARG (1, ROOM (140)); ARG (3, 8))                                      \
  CASE (sigaltstack, 0, RUN (sigaltstack); ARG (1, ROOM (30)))                \
  CASE (statfs, EXACT, RUN (statfs); ARG (0, "/"); ARG (1, ROOM (130)))       \
  CASE (sched_getparam, EXACT, RUN (sched_getparam); ARG (1, ROOM (8)))       \
  CASE (sched_rr_get_interval, EXACT, RUN (sched_rr_get_interval);            \
        ARG (1, ROOM (20)))                                                   \
  CASE (sched_getaffinity, EXACT, RUN (sched_getaffinity); ARG (1, 128);      \
        ARG (2, ROOM (128)))                                                  \
  CASE (sched_getattr, EXACT, RUN (sched_getattr); ARG (1, ROOM (60));        \
        ARG (2, 56))                                                          \
  CASE (prctl_name, EXACT, RUN (prctl); ARG (0, PR_GET_NAME);                 \
        ARG (1, ROOM (20)))                                                   \
  CASE (prctl_pdeathsig, EXACT, RUN (prctl); ARG (0, PR_GET_PDEATHSIG);       \
        ARG (1, ROOM (20)))                                                   \
  CASE (prctl_subreaper, EXACT, RUN (prctl); ARG (0, PR_GET_CHILD_SUBREAPER); \
        ARG (1, ROOM (20)))                                                   \
  CASE (prctl_tid, EXACT, RUN (prctl); ARG (0, PR_GET_TID_ADDRESS);           \
        ARG (1, ROOM (20)))                                                   \
  CASE (prctl_auxv, EXACT, RUN (prctl); ARG (0, 0x41555856);                  \
        ARG (1, ROOM (600)); ARG (2, 100))                                    \
  CASE (arch_prctl_fs, EXACT, RUN (arch_prctl); ARG (0, 0x1003);              \
        ARG (1, ROOM (20)))                                                   \
  CASE (arch_prctl_xcomp, EXACT, RUN (arch_prctl); ARG (0, 0x1021);           \
        ARG (1, ROOM (20)))                                                   \
  CASE (adjtimex, 0, struct timex_ { int modes; char rest[204]; } t           \
                       = { 0, { 0 } };                                        \
        RUN (adjtimex); ARG (0, PUT (t)))                                     \
  CASE (time, EXACT, RUN (time); ARG (0, ROOM (16)))                          \
  CASE (getxattr, EXACT, setxattr (file_name, "user.rio", "value", 5, 0);     \
        RUN (getxattr); ARG (0, file_name); ARG (1, "user.rio");              \
        ARG (2, ROOM (30)); ARG (3, 30))                                      \
  CASE (listxattr, EXACT, setxattr (file_name, "user.rio", "value", 5, 0);    \
        RUN (listxattr); ARG (0, file_name); ARG (1, ROOM (200));             \
        ARG (2, 200))                                                         \
  CASE (futex_wake_op, EXACT, int w[2] = { 0, 7 }; int *p = PUT (w);          \
        RUN (futex); ARG (0, p); ARG (1, FUTEX_WAKE_OP); ARG (2, 1);          \
        ARG (3, 1); ARG (4, input_int (r, 0x01010101));                       \
        ARG (5, FUTEX_OP (FUTEX_OP_XOR, 0xfff, FUTEX_OP_CMP_EQ, 0)))          \
  CASE (futex_lock_pi, 0, RUN (futex); ARG (0, input_int (r, 0));             \
        ARG (1, FUTEX_LOCK_PI))                                               \
  CASE (io_setup, EXACT, long zero = 0; RUN (io_setup); ARG (0, 4);           \
        ARG (1, PUT (zero)))                                                  \
  CASE (io_getevents, EXACT, RUN (io_getevents); ARG (0, aio_done (2));       \
        ARG (1, 2); ARG (2, 5); ARG (3, ROOM (5 * 32)))                       \
  CASE (epoll_wait, EXACT, RUN (epoll_wait); ARG (0, epoll_fd);               \
        ARG (1, ROOM (60)); ARG (2, 5))                                       \
  CASE (epoll_pwait2, EXACT, RUN (epoll_pwait2); ARG (0, epoll_fd);           \
        ARG (1, ROOM (60)); ARG (2, 5))                                       \
  CASE (timer_create, EXACT, RUN (timer_create); ARG (0, CLOCK_MONOTONIC);    \
        ARG (2, ROOM (8)))                                                    \
  CASE (timerfd_settime, EXACT, struct itimerspec t = { { 1, 0 }, { 1, 0 } }; \
        RUN (timerfd_settime); ARG (0, timerfd_create (CLOCK_MONOTONIC, 0));  \
        ARG (2, PUT (t)); ARG (3, ROOM (40)))                                 \
  CASE (clock_gettime, EXACT, RUN (clock_gettime); ARG (0, CLOCK_MONOTONIC);  \
        ARG (1, ROOM (20)))                                                   \
  CASE (clock_getres, EXACT, RUN (clock_getres); ARG (1, ROOM (20)))          \
  CASE (nanosleep_eintr, FAILS, struct timespec t = { 5, 0 }; alarm_soon ();  \
        RUN (nanosleep); ARG (0, PUT (t)); ARG (1, ROOM (20)))                \
  CASE (clock_nanosleep_eintr, FAILS, struct timespec t = { 5, 0 };           \
        alarm_soon (); RUN (clock_nanosleep); ARG (0, CLOCK_MONOTONIC);       \
        ARG (2, PUT (t)); ARG (3, ROOM (20)))                                 \
  CASE (poll_eintr, FAILS, struct pollfd p = { pipe_fd[0], POLLPRI, 0x5555 }; \
        alarm_soon (); RUN (poll); ARG (0, PUT (p)); ARG (1, 1);              \
        ARG (2, 5000))                                                        \
  CASE (select_eintr, FAILS, struct timeval t = { 5, 0 }; alarm_soon ();      \
        RUN (select); ARG (4, PUT (t)))                                       \
  CASE (get_mempolicy, 0, RUN (get_mempolicy); ARG (0, ROOM (8));             \
        ARG (1, ROOM (200)); ARG (2, 1024))                                   \
  CASE (mq_timedreceive, EXACT, RUN (mq_timedreceive); ARG (0, mq ());        \
        ARG (1, ROOM (100)); ARG (2, 100); ARG (3, ROOM (8)))                 \
  CASE (mq_getsetattr, EXACT, RUN (mq_getsetattr); ARG (0, mq ());            \
        ARG (2, ROOM (70)))                                                   \
  CASE (readlinkat, EXACT, RUN (readlinkat); ARG (0, dir_fd); ARG (1, "exe"); \
        ARG (2, ROOM (90)); ARG (3, 90))                                      \
  CASE (newfstatat, 0, RUN (newfstatat); ARG (0, dir_fd); ARG (1, "exe");     \
        ARG (2, ROOM (150)))                                                  \
  CASE (statx, 0, RUN (statx); ARG (0, dir_fd); ARG (1, "exe"); ARG (3, 4095);\
        ARG (4, ROOM (300)))                                                  \
  CASE (get_robust_list, EXACT, RUN (get_robust_list); ARG (1, ROOM (16));    \
        ARG (2, ROOM (16)))                                                   \
  CASE (splice, 0, long off = 0; RUN (splice); ARG (0, file_fd);              \
        ARG (1, PUT (off)); ARG (2, pipe_fd[1]); ARG (4, 20))                 \
  CASE (vmsplice, 0, struct iovec v = { ROOM (64), 64 };                      \
        RUN (vmsplice); ARG (0, pipe_fd[0]); ARG (1, PUT (v)); ARG (2, 1))    \
  CASE (copy_file_range, 0, long off = 1, to = 200; RUN (copy_file_range);    \
        ARG (0, file_fd); ARG (1, PUT (off)); ARG (2, file_fd);               \
        ARG (3, PUT (to)); ARG (4, 20))                                       \
  CASE (move_pages, 0, void *p[2] = { arena, arena + 4096 };                  \
        RUN (move_pages); ARG (1, 2); ARG (2, PUT (p)); ARG (4, ROOM (8)))    \
  CASE (name_to_handle_at, 0, RUN (name_to_handle_at); ARG (0, AT_FDCWD);     \
        ARG (1, file_name); ARG (2, input_int (r, 64)); room (r, 128);        \
        ARG (3, ROOM (4)))                                                    \
  CASE (handle_short, FAILS, RUN (name_to_handle_at); ARG (0, AT_FDCWD);      \
        ARG (1, file_name); ARG (2, input_int (r, 0)); ARG (3, ROOM (4)))     \
  CASE (getcpu, EXACT, RUN (getcpu); ARG (0, ROOM (8)); ARG (1, ROOM (8)))    \
  CASE (process_vm_readv, EXACT, uint8_t *from = ROOM (50);                   \
        struct iovec l[2] = { { ROOM (20), 20 }, { ROOM (30), 30 } };         \
        struct iovec f = { from, 45 }; memset (from, 'f', 50);                \
        RUN (process_vm_readv); ARG (0, getpid ()); ARG (1, PUT (l));         \
        ARG (2, 2); ARG (3, PUT (f)); ARG (4, 1))                             \
  CASE (process_vm_writev, EXACT, uint8_t *from = ROOM (50);                  \
        struct iovec t[2] = { { ROOM (20), 20 }, { ROOM (30), 30 } };         \
        struct iovec f = { from, 45 }; memset (from, 'f', 50);                \
        RUN (process_vm_writev); ARG (0, getpid ()); ARG (1, PUT (f));        \
        ARG (2, 1); ARG (3, PUT (t)); ARG (4, 2))                             \
  CASE (getrandom, 0, RUN (getrandom); ARG (0, ROOM (40)); ARG (1, 40))       \
  CASE (seccomp_sizes, EXACT, RUN (seccomp); ARG (0, 3); ARG (2, ROOM (10)))  \
  CASE (sched_setattr_big, FAILS, int a[20] = { 80 }; a[15] = 1;              \
        RUN (sched_setattr); ARG (1, PUT (a)))                                \
  CASE (clone3_pidfd, 0, RUN (clone3); clone3_args (r))                       \
  CASE (cachestat, 0, long range[2] = { 0, 0 };                               \
        RUN_NR (451); ARG (0, file_fd); ARG (1, PUT (range));                 \
        ARG (2, ROOM (48)))                                                   \
  CASE (listmount, 0, long req[3] = { 24, -1, 0 }; RUN_NR (458);              \
        ARG (0, PUT (req)); ARG (1, ROOM (160)); ARG (2, 20))                 \
  CASE (lsm_list_modules, 0, RUN_NR (461); ARG (0, ROOM (160));               \
        ARG (1, input_int (r, 160)))                                          \
  CASE (file_getattr, EXACT, RUN_NR (468); ARG (0, AT_FDCWD);                 \
        ARG (1, file_name); ARG (2, ROOM (40)); ARG (3, 24))                  \
  CASE (getxattrat, 0, struct { void *v; int n, f; } a = { ROOM (30), 30, 0 };\
        setxattr (file_name, "user.rio", "value", 5, 0);                      \
        RUN_NR (464); ARG (0, AT_FDCWD); ARG (1, file_name); ARG (2, 0);      \
        ARG (3, "user.rio"); ARG (4, PUT (a)); ARG (5, 16))

#define RUN_NR(N) (r->c.nr = (N))

static struct __user_cap_header_struct *
h_copy (struct __user_cap_header_struct h)
{
  static struct __user_cap_header_struct copy;
  copy = h;
  return &copy;
}

static int
inet_fd (void)
{
  static int fd = -1;
  struct sockaddr_in any = { .sin_family = AF_INET };

  if (fd < 0)
    {
      fd = socket (AF_INET, SOCK_DGRAM, 0);
      any.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
      if (bind (fd, (void *) &any, sizeof any))
        abort ();
    }
  return fd;
}

static void
send_fd (int to)
{
  char control[CMSG_SPACE (sizeof (int))] = { 0 }, data[20] = "data";
  struct iovec v = { data, sizeof data };
  struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
                      .msg_control = control,
                      .msg_controllen = sizeof control };
  struct cmsghdr *c = CMSG_FIRSTHDR (&m);
  int fd = 1;

  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN (sizeof fd);
  memcpy (CMSG_DATA (c), &fd, sizeof fd);
  if (sendmsg (to, &m, 0) != sizeof data)
    abort ();
}

static void
drain (int fd, int n)
{
  char buf[200];

  while (n--)
    if (recv (fd, buf, sizeof buf, 0) < 0)
      abort ();
}

static void
child (void)
{
  if (fork () == 0)
    _exit (3);
}

static int
sem_id (void)
{
  static int id = -1;
  if (id < 0)
    id = semget (IPC_PRIVATE, 5, 0600);
  return id;
}

static int
shm_id (void)
{
  static int id = -1;
  if (id < 0)
    id = shmget (IPC_PRIVATE, 5, 0600);
  return id;
}

/* A queue with one message of 20 bytes more in it.  */
static int
msg_id (void)
{
  static int id = -1;
  struct { long type; char text[20]; } m = { 0x1234567890, "a message" };

  if (id < 0)
    id = msgget (IPC_PRIVATE, 0600);
  msgsnd (id, &m, sizeof m.text, 0);
  return id;
}

static int
mq (void)
{
  static mqd_t q = -1;
  struct mq_attr a = { .mq_maxmsg = 5, .mq_msgsize = 100 };

  if (q == -1)
    {
      q = mq_open ("/rio-sysmem", O_RDWR | O_CREAT | O_NONBLOCK, 0600, &a);
      mq_unlink ("/rio-sysmem");
    }
  mq_send (q, "message", 8, 5);
  return q;
}

static int
set_groups (void)
{
  gid_t two[2] = { 0, 7 };

  if (getgroups (0, NULL) == 0 && geteuid () == 0)
    setgroups (2, two);
  return 99;
}

static void
on_alarm (int sig)
{
  (void) sig;
}

static void
alarm_soon (void)
{
  struct itimerval t = { { 0, 0 }, { 0, 20000 } };

  signal (SIGALRM, on_alarm);
  setitimer (ITIMER_REAL, &t, NULL);
}

/* A context with N finished requests.  */
static aio_context_t
aio_done (int n)
{
  static char buf[10];
  aio_context_t ctx = 0;

  if (syscall (SYS_io_setup, 8, &ctx))
    abort ();
  for (int i = 0; i < n; i++)
    {
      struct iocb cb = { .aio_fildes = file_fd, .aio_buf = (uint64_t) buf,
                         .aio_lio_opcode = IOCB_CMD_PREAD, .aio_nbytes = 4 };
      struct iocb *p = &cb;
      if (syscall (SYS_io_submit, ctx, 1, &p) != 1)
        abort ();
    }
  return ctx;
}

/* A process that run_once lets exit at once.  */
static void
clone3_args (struct run *r)
{
  uint64_t a[8] = { 0x1000 | 0x100000, 0, 0, 0, 0, 0, 0, 0 };

  a[1] = (uint64_t) ROOM (4);
  a[3] = (uint64_t) ROOM (4);
  ARG (0, PUT (a));
  ARG (1, sizeof a);
}

#define CASE(NAME, HOW, ...)                                                  \
  static void case_##NAME (struct run *r) { __VA_ARGS__; }
CASES
#undef CASE

/* What the table says that calls read.  */
static void
test_reads (void)
{
  struct run run = { .fill = 0, .c.read = reader }, *r = &run;
  struct iovec v[2] = { { ROOM (20), 20 }, { ROOM (30), 30 } };
  unsigned n = 0;

  memset (told_read, 0, ARENA);
  RUN (writev);
  ARG (1, PUT (v));
  ARG (2, 2);
  sysmem_enter (&r->c);
  sysmem_leave (&r->c, 25);
  sysmem_walk (&r->c, SYSCALL_READ, mark, told_read);
  for (unsigned i = 0; i < ARENA; i++)
    n += told_read[i];
  check (n == 32 + 25, "writev reads its vector and the bytes written");

  memset (told_read, 0, ARENA);
  RUN (open);
  ARG (0, input (r, "a path", 7));
  sysmem_enter (&r->c);
  sysmem_walk (&r->c, SYSCALL_READ, mark, told_read);
  n = 0;
  for (unsigned i = 0; i < ARENA; i++)
    n += told_read[i];
  check (n == 7, "open reads its path, the zero included");

  char *list[3] = { input (r, "one", 4), input (r, "three", 6), NULL };
  memset (told_read, 0, ARENA);
  RUN (execve);
  ARG (1, PUT (list));
  ARG (2, 0);
  sysmem_walk (&r->c, SYSCALL_READ, mark, told_read);
  n = 0;
  for (unsigned i = 0; i < ARENA; i++)
    n += told_read[i];
  check (n == 7 + 24 + 10, "execve reads its path and its strings");
}

static void
test_incomplete (void)
{
  struct sysmem_call c = { .nr = SYS_ioctl, .args = { 0, 0xc0de },
                           .read = reader };

  check (!sysmem_is_complete (&c), "an unknown ioctl is not complete");
  c.nr = SYS_bpf;
  check (!sysmem_is_complete (&c), "bpf is not complete");
  c.nr = 9999;
  check (!sysmem_is_complete (&c), "an unknown number is not complete");
  c.nr = SYS_read;
  check (sysmem_is_complete (&c), "read is complete");
}

int
main (void)
{
  char text[300];
  sigset_t usr2;
  int fd = mkstemp (file_name);

  memset (text, 't', sizeof text);
  if (write (fd, text, sizeof text) != sizeof text)
    abort ();
  close (fd);
  sigemptyset (&usr2);
  sigaddset (&usr2, SIGUSR2);
  sigprocmask (SIG_BLOCK, &usr2, NULL);
  arena = mmap (NULL, ARENA + 4096, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect (arena + ARENA, 4096, PROT_NONE);

#define CASE(NAME, HOW, ...) try (#NAME, case_##NAME, HOW);
  CASES
#undef CASE
  test_reads ();
  test_incomplete ();

  unlink (file_name);
  semctl (sem_id (), 0, IPC_RMID);
  shmctl (shm_id (), IPC_RMID, NULL);
  msgctl (msg_id (), IPC_RMID, NULL);
  return check_done ();
}
