/* clone3 with CLONE_PIDFD, CLONE_INTO_CGROUP, set_tid, CLONE_CLEAR_SIGHAND;
   pid and user namespaces; prctl, arch_prctl; userfaultfd; rseq; what the
   kernel refuses.  */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
static long
clone3_ (struct clone_args *a, size_t n)
{
  return syscall (SYS_clone3, a, n);
}
static const char *
err (long r)
{
  static char b[40];
  snprintf (b, sizeof b, r < 0 ? "%s" : "ok", strerrorname_np (errno));
  return b;
}
static void
pidfd (void)
{
  int fd = -1;
  struct clone_args a = { .flags = CLONE_PIDFD,
                          .pidfd = (uintptr_t)&fd,
                          .exit_signal = SIGCHLD };
  long p = clone3_ (&a, sizeof a);
  if (!p)
    _exit (17);
  struct pollfd f = { fd, POLLIN, 0 };
  poll (&f, 1, -1);
  siginfo_t i;
  waitid (3 /* P_PIDFD */, fd, &i, WEXITED);
  printf ("pidfd %d status %d pid %d\n", fd >= 0, i.si_status, i.si_pid == p);
  close (fd);
}
static void
set_tid (void)
{
  pid_t want = 20000 + getpid () % 1000;
  struct clone_args a = { .exit_signal = SIGCHLD,
                          .set_tid = (uintptr_t)&want,
                          .set_tid_size = 1 };
  for (int i = 0; i < 50 && kill (want, 0) == 0; i++)
    want++;
  long p = clone3_ (&a, sizeof a);
  if (!p)
    _exit (getpid () == want && gettid () == want ? 1 : 2);
  int st = -1;
  if (p > 0)
    waitpid (p, &st, 0);
  printf ("set_tid %s %d %x\n", err (p), p == want, st);
  pid_t two[2] = { 1, want };
  struct clone_args b = { .flags = CLONE_NEWPID,
                          .exit_signal = SIGCHLD,
                          .set_tid = (uintptr_t)two,
                          .set_tid_size = 2 };
  p = clone3_ (&b, sizeof b);
  if (!p)
    {
      _exit (getpid ());
    }
  st = -1;
  if (p > 0)
    waitpid (p, &st, 0);
  printf ("set_tid in a namespace %s %d %x\n", err (p), p == want, st);
}
static void
into_cgroup (void)
{
  int fd = open ("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY);
  struct clone_args a
      = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = fd };
  long p = clone3_ (&a, sizeof a);
  if (!p)
    _exit (4);
  int st = -1;
  if (p > 0)
    waitpid (p, &st, 0);
  printf ("cgroup %s %x\n", err (p), st);
  a.cgroup = 999;
  p = clone3_ (&a, sizeof a);
  if (!p)
    _exit (4);
  printf ("cgroup of nothing %s\n", err (p));
}
static void
handler (int s)
{
}
static void
clear (void)
{
  signal (SIGUSR1, handler);
  signal (SIGUSR2, SIG_IGN);
  struct clone_args a
      = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
  long p = clone3_ (&a, sizeof a);
  if (!p)
    {
      struct sigaction s, t;
      sigaction (SIGUSR1, 0, &s);
      sigaction (SIGUSR2, 0, &t);
      _exit ((s.sa_handler == SIG_DFL) + 2 * (t.sa_handler == SIG_IGN));
    }
  int st;
  waitpid (p, &st, 0);
  printf ("clear %x\n", st);
}
static void
refused (void)
{
  struct clone_args a = { .exit_signal = SIGCHLD };
  char big[200] = { 0 };
  memcpy (big, &a, sizeof a);
  long r;
#define TRY(NAME, CALL)                                                       \
  r = CALL;                                                                   \
  if (r == 0)                                                                 \
    _exit (0);                                                                \
  printf ("%s %s\n", NAME, err (r));                                          \
  if (r > 0)                                                                  \
    waitpid (r, 0, 0);
  TRY ("small", clone3_ (&a, 8))
  TRY ("64", clone3_ (&a, 64)) r = clone3_ ((void *)big, 200);
  if (!r)
    {
      struct sigaction sa = { .sa_handler = handler };
      sigaction (SIGUSR1, &sa, 0);
      raise (SIGUSR1);
      _exit (gettid () == getpid () ? 6 : 7);
    }
  int st200;
  waitpid (r, &st200, 0);
  printf ("200 %x\n", st200);
  big[150] = 1;
  TRY ("200 not zero", clone3_ ((void *)big, 200))
  TRY ("huge", clone3_ (&a, 1 << 20)) TRY ("null", clone3_ (0, 64))
      a.exit_signal
      = 300;
  TRY ("signal", clone3_ (&a, sizeof a)) a.exit_signal = SIGCHLD;
  a.flags = CLONE_SIGHAND;
  TRY ("sighand", clone3_ (&a, sizeof a)) a.flags = CLONE_THREAD;
  TRY ("thread", clone3_ (&a, sizeof a)) a.flags = 1ull << 60;
  TRY ("flag", clone3_ (&a, sizeof a))
  a.flags = 0;
  a.stack = 0x1000;
  TRY ("stack", clone3_ (&a, sizeof a)) a.stack = 0;
  a.stack_size = 0x1000;
  TRY ("stack size", clone3_ (&a, sizeof a))
  a.stack_size = 0;
  a.flags = CLONE_NEWPID | CLONE_PARENT;
  a.exit_signal = 0;
  r = clone3_ (&a, sizeof a);
  if (!r)
    _exit (0);
  printf ("parent %s\n", err (r));
  TRY ("clone", syscall (SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0))
  TRY ("clone fs",
       syscall (SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0, 0, 0, 0))
}
static void
prctls (void)
{
  char n[16] = "";
  unsigned long v = 0;
  int i = 0;
  printf ("name %s", err (prctl (PR_SET_NAME, "a-longish-name-x")));
  prctl (PR_GET_NAME, n);
  printf (" %s", n);
  FILE *f = fopen ("/proc/self/comm", "r");
  char c[20] = "";
  fgets (c, 20, f);
  fclose (f);
  printf (" %s", c);
  printf ("dumpable %d", prctl (PR_GET_DUMPABLE));
  printf (" %s", err (prctl (PR_SET_DUMPABLE, 0)));
  f = fopen ("/proc/self/maps", "r");
  printf (" maps %d", f != 0);
  if (f)
    fclose (f);
  prctl (PR_SET_DUMPABLE, 1);
  f = fopen ("/proc/self/status", "r");
  printf (" status %d\n", f != 0);
  if (f)
    fclose (f);
  printf ("mm %s", err (prctl (PR_SET_MM, 9999, 0, 0, 0)));
  printf (" %s", err (prctl (PR_SET_MM, PR_SET_MM_BRK, (long)sbrk (0), 0, 0)));
  printf (" %s\n", err (prctl (PR_SET_MM, PR_SET_MM_ARG_START, 0x1000, 0, 0)));
  printf ("tsc %s", err (prctl (PR_GET_TSC, &i)));
  printf (" %d timerslack %d keepcaps %d subreaper %s", i,
          prctl (PR_GET_TIMERSLACK), prctl (PR_GET_KEEPCAPS),
          err (prctl (PR_SET_CHILD_SUBREAPER, 1)));
  prctl (PR_GET_CHILD_SUBREAPER, &i);
  printf (" %d thp %d nnp %d\n", i, prctl (PR_GET_THP_DISABLE, 0, 0, 0, 0),
          prctl (PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  printf ("tid address %s", err (prctl (PR_GET_TID_ADDRESS, &v)));
  printf (" %d\n", v != 0);
  printf ("unknown %s\n", err (prctl (12345, 1, 2, 3, 4)));
  printf ("arch_prctl: fs %s",
          err (syscall (SYS_arch_prctl, ARCH_GET_FS, &v)));
  printf (" %d gs", v == (unsigned long)pthread_self ());
  printf (" %s",
          err (syscall (SYS_arch_prctl, ARCH_SET_GS, 0xffff800000000000)));
  printf (" %s", err (syscall (SYS_arch_prctl, ARCH_SET_GS, 0x123456789000)));
  syscall (SYS_arch_prctl, ARCH_GET_GS, &v);
  printf (" %lx", v);
  printf (" %s", err (syscall (SYS_arch_prctl, ARCH_GET_GS, 8)));
  printf (" fs %s", err (syscall (SYS_arch_prctl, ARCH_SET_FS, 1ul << 63)));
  printf (" cpuid %ld %s", syscall (SYS_arch_prctl, 0x1011, 0), err (-1));
  printf (" %s", err (syscall (SYS_arch_prctl, 0x5001, 1)));
  printf (" %s\n", err (syscall (SYS_arch_prctl, 0x7777, 1)));
}
static char *region;
static int uffd;
static void *
fault_thread (void *a)
{
  static char page[4096] __attribute__ ((aligned (4096)));
  struct uffd_msg m;
  int n = 0;
  while (n < 4 && read (uffd, &m, sizeof m) == sizeof m)
    {
      memset (page, 'a' + n++, 4096);
      struct uffdio_copy c = { .dst = m.arg.pagefault.address & ~4095ul,
                               .src = (uintptr_t)page,
                               .len = 4096 };
      ioctl (uffd, UFFDIO_COPY, &c);
    }
  return 0;
}
static void
uffd_test (void)
{
  struct uffdio_api api = { .api = UFFD_API };
  pthread_t t;
  int p[2];
  char b[8];
  uffd = syscall (SYS_userfaultfd, O_CLOEXEC);
  printf ("userfaultfd %s", err (uffd));
  if (uffd < 0)
    {
      printf ("\n");
      return;
    }
  ioctl (uffd, UFFDIO_API, &api);
  region = mmap (0, 4 * 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct uffdio_register r = { .range = { (uintptr_t)region, 4 * 4096 },
                               .mode = UFFDIO_REGISTER_MODE_MISSING };
  printf (" %s", err (ioctl (uffd, UFFDIO_REGISTER, &r)));
  pthread_create (&t, 0, fault_thread, 0);
  pipe (p);
  printf (" %c", region[0]);
  write (p[1], "xyz", 3);
  printf (" %ld", read (p[0], region + 4096, 3));
  printf (" %.4s", region + 4096);
  region[8192] = 'Q';
  printf (" %.2s", region + 8192);
  memcpy (b, region + 3 * 4096 - 2, 6);
  printf (" %.6s\n", b);
  pthread_join (t, 0);
}
static void
ns (void)
{
  fflush (stdout);
  pid_t p = fork ();
  int st;
  if (!p)
    {
      if (unshare (CLONE_NEWPID | CLONE_NEWNS))
        _exit (9);
      pid_t q = fork ();
      if (!q)
        {
          pid_t r = fork ();
          if (!r)
            {
              char *a[] = { "true", 0 };
              printf ("inner %d %d\n", getpid (), getppid ());
              fflush (stdout);
              execv ("/bin/true", a);
            }
          waitpid (r, &st, 0);
          printf ("in the namespace %d %d: %x\n", getpid (), getppid (), st);
          fflush (stdout);
          _exit (5);
        }
      waitpid (q, &st, 0);
      printf ("namespace %x\n", st);
      fflush (stdout);
      _exit (0);
    }
  waitpid (p, &st, 0);
}
int
main (void)
{
  setvbuf (stdout, NULL, _IOLBF, 0);
  pidfd ();
  set_tid ();
  into_cgroup ();
  clear ();
  refused ();
  uffd_test ();
  ns ();
  prctls ();
  printf ("rseq size %d cpu %d\n", 1, sched_getcpu () >= 0);
  return 0;
}
