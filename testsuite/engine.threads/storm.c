/* Threads that compute, fork, exec, fault, jump and end, with timers of
   several kinds and signals among them, all at once; each checks its own sums.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <ucontext.h>
static volatile int stop;
static volatile long alarms, rt, chld, usr, faults;
static __thread sigjmp_buf jb;
static __thread volatile int in_jump;
static long expect_sum;
extern char **environ;
static const char *self;
static volatile int bad;
static void
on_alarm (int s)
{
  int e = errno;
  __atomic_add_fetch (&alarms, 1, 0);
  getppid ();
  errno = e;
}
static void
on_rt (int s, siginfo_t *i, void *c)
{
  __atomic_add_fetch (&rt, 1, 0);
  if (in_jump)
    {
      in_jump = 0;
      siglongjmp (jb, 1);
    }
}
static void
on_chld (int s)
{
  __atomic_add_fetch (&chld, 1, 0);
}
static void
on_usr (int s)
{
  volatile double d = 1;
  for (int i = 0; i < 10; i++)
    d = d * 1.5 + i;
  __atomic_add_fetch (&usr, 1, 0);
}
static __thread volatile int expecting;
static void
on_segv (int s, siginfo_t *i, void *c)
{
  if (!expecting)
    {
      ucontext_t *u = c;
      char b[200];
      int n = snprintf (
          b, 200,
          "SEGV code %d addr %p rip %llx rsp %llx err %llx tid %d pid %d\n",
          i->si_code, i->si_addr, u->uc_mcontext.gregs[16],
          u->uc_mcontext.gregs[15], u->uc_mcontext.gregs[19], gettid (),
          getpid ());
      write (2, b, n);
      signal (SIGSEGV, SIG_DFL);
      return;
    }
  __atomic_add_fetch (&faults, 1, 0);
  siglongjmp (jb, 2);
}
__attribute__ ((noinline)) static long
mix (long n)
{
  long h = 7;
  double d = 0.5;
  for (long i = 0; i < n; i++)
    {
      h = (h << 5 | (unsigned long)h >> 59) ^ i * 0x9e3779b97f4a7c15;
      d = d * 0.999 + (h & 255);
      if (h % 7 == 0)
        h += strlen (i & 1 ? "odd" : "evens");
    }
  return h ^ (long)(d * 1000);
}
static void
altstack (void)
{
  stack_t s
      = { .ss_sp = mmap (0, 65536, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
          .ss_size = 65536 };
  sigaltstack (&s, 0);
}
static void
wrong (const char *what)
{
  bad++;
  fprintf (stderr, "wrong: %s\n", what);
}
static void *
computer (void *a)
{
  altstack ();
  while (!stop)
    if (mix (3000) != expect_sum)
      wrong ("sum");
  return 0;
}
static void *
jumper (void *a)
{
  altstack ();
  volatile long n = 0;
  while (!stop)
    {
      int r = sigsetjmp (jb, 1);
      if (r == 0)
        {
          in_jump = n & 1;
          if (mix (3000) != expect_sum)
            wrong ("jump sum");
          in_jump = 0;
          n++;
        }
    }
  return 0;
}
static void *
faulter (void *a)
{
  altstack ();
  volatile long n = 0;
  char *m = mmap (0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  while (!stop)
    {
      if (sigsetjmp (jb, 1) == 0)
        {
          expecting = 1;
          *(volatile char *)m = 1;
          wrong ("no fault");
        }
      expecting = 0;
      n++;
      if (mix (3000) != expect_sum)
        wrong ("fault sum");
    }
  return 0;
}
static void *
child_end (void *a)
{
  for (int i = 0; i < 3; i++)
    if (mix (3000) != expect_sum)
      _exit (1);
  return 0;
}
static void *
forker (void *a)
{
  altstack ();
  long n = 0;
  while (!stop)
    {
      pid_t p = fork ();
      int st;
      if (!p)
        {
          pthread_t t;
          struct itimerval v = { { 0, 1000 }, { 0, 1000 } };
          setitimer (ITIMER_REAL, &v, 0);
          pthread_create (&t, 0, child_end, 0);
          child_end (0);
          pthread_join (t, 0);
          _exit (n & 63);
        }
      while (waitpid (p, &st, 0) < 0 && errno == EINTR)
        ;
      if (st != (n & 63) << 8)
        {
          fprintf (stderr, "fork %ld: %x\n", n, st);
          wrong ("fork");
        }
      n++;
    }
  return 0;
}
static void *
spawner (void *a)
{
  altstack ();
  long n = 0;
  while (!stop)
    {
      char *v[] = { (char *)self, "child", 0 };
      pid_t p;
      int st;
      if (n & 1)
        {
          if (posix_spawn (&p, self, 0, 0, v, environ))
            {
              wrong ("spawn");
              return 0;
            }
        }
      else if (!(p = vfork ()))
        {
          execv (self, v);
          _exit (99);
        }
      while (waitpid (p, &st, 0) < 0 && errno == EINTR)
        ;
      if (st != 3 << 8)
        {
          fprintf (stderr, "%x\n", st);
          wrong ("exec");
        }
      n++;
    }
  return 0;
}
static void *
shorty (void *a)
{
  return (void *)mix (300);
}
static void *
maker (void *a)
{
  altstack ();
  while (!stop)
    {
      pthread_t t[4];
      void *r[4];
      for (int i = 0; i < 4; i++)
        pthread_create (t + i, 0, shorty, 0);
      for (int i = 0; i < 4; i++)
        pthread_join (t[i], r + i);
      if (r[0] != r[3] || r[1] != r[2])
        wrong ("short thread");
    }
  return 0;
}
static pthread_t th[12];
static int nth;
static void *
killer (void *a)
{
  altstack ();
  unsigned long x = 1;
  while (!stop)
    {
      x = x * 6364136223846793005 + 1;
      pthread_kill (th[(x >> 33) % 4], (x >> 40) & 1 ? SIGUSR1 : SIGRTMIN + 3);
      struct timespec t = { 0, 300000 };
      nanosleep (&t, 0);
    }
  return 0;
}
static void *
sleeper (void *a)
{
  altstack ();
  while (!stop)
    {
      struct timespec t = { 0, 2000000 }, r;
      while (nanosleep (&t, &r) < 0)
        {
          if (errno != EINTR)
            wrong ("sleep");
          t = r;
        }
    }
  return 0;
}
static void *
coder (void *a)
{
  altstack ();
  unsigned char *m = mmap (0, 8192, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int n = 1; !stop; n++)
    {
      unsigned char c[] = { 0xb8, 0, 0, 0, 0, 0xc3 };
      memcpy (c + 1, &n, 4);
      memcpy (m + n % 50 * 16, c, 6);
      if (((int (*) (void)) (m + n % 50 * 16)) () != n)
        wrong ("code");
      if (n % 5 == 0)
        mix (100);
    }
  return 0;
}
int
main (int argc, char **argv)
{
  self = argv[0];
  expect_sum = mix (3000);
  if (argc > 1 && !strcmp (argv[1], "child"))
    {
      sigset_t s;
      sigprocmask (0, 0, &s);
      if (sigismember (&s, SIGUSR1))
        return 4;
      return mix (3000) == expect_sum ? 3 : 5;
    }
  struct sigaction a = { .sa_flags = SA_RESTART };
  a.sa_handler = on_alarm;
  sigaction (SIGALRM, &a, 0);
  sigaction (SIGPROF, &a, 0);
  sigaction (SIGVTALRM, &a, 0);
  a.sa_handler = on_chld;
  sigaction (SIGCHLD, &a, 0);
  a.sa_handler = on_usr;
  a.sa_flags = SA_ONSTACK;
  sigaction (SIGUSR1, &a, 0);
  a.sa_flags = SA_SIGINFO | SA_ONSTACK;
  a.sa_sigaction = on_rt;
  sigaction (SIGRTMIN + 3, &a, 0);
  a.sa_sigaction = on_segv;
  sigaction (SIGSEGV, &a, 0);
  void *(*f[]) (void *)
      = { computer, jumper, computer, jumper,  faulter, forker,
          spawner,  maker,  killer,   sleeper, coder };
  struct itimerval v = { { 0, 1000 }, { 0, 1000 } };
  setitimer (ITIMER_REAL, &v, 0);
  setitimer (ITIMER_PROF, &v, 0);
  v.it_interval.tv_usec = 1700;
  setitimer (ITIMER_VIRTUAL, &v, 0);
  timer_t tm;
  struct sigevent ev
      = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 4 };
  struct itimerspec its = { { 0, 1000000 }, { 0, 1000000 } };
  signal (SIGRTMIN + 4, on_alarm);
  timer_create (CLOCK_MONOTONIC, &ev, &tm);
  timer_settime (tm, 0, &its, 0);
  for (nth = 0; nth < (int)(sizeof f / sizeof *f); nth++)
    pthread_create (th + nth, 0, f[nth], 0);
  struct timespec end, now;
  clock_gettime (CLOCK_MONOTONIC, &end);
  end.tv_sec += argc > 1 ? atoi (argv[1]) : 3;
  do
    {
      struct timespec t = { 0, 10000000 };
      nanosleep (&t, 0);
      clock_gettime (CLOCK_MONOTONIC, &now);
    }
  while (now.tv_sec < end.tv_sec
         || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
  stop = 1;
  for (int i = 0; i < nth; i++)
    pthread_join (th[i], 0);
  printf ("bad %d alarms %d rt %d chld %d usr %d faults %d\n", bad,
          alarms > 10, rt > 2, chld > 0, usr > 0, faults > 0);

  return bad != 0;
}
