/* What reaches all threads or ends some: setuid and its like in a program with
   threads, cancellation, robust mutexes of threads that die, exec, membarrier.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/fsuid.h>
#include <unistd.h>
#include <linux/membarrier.h>

static volatile int go;
static pthread_barrier_t bar;
static void *
id_thread (void *a)
{
  long how = (long)a;
  int fd[2];
  char c;
  pipe (fd);
  pthread_barrier_wait (&bar);
  if (how == 0)
    while (!go)
      ;
  else if (how == 1)
    while (!go)
      usleep (1000);
  else if (how == 2)
    while (!go)
      sched_yield ();
  else
    while (!go)
      {
        struct timespec t = { 0, 5000000 };
        nanosleep (&t, 0);
      }
  return (void *)(long)(geteuid () * 1000 + getegid ());
}
static void
ids (void)
{
  pthread_t t[8];
  void *r;
  for (int round = 0; round < 5; round++)
    {
      go = 0;
      pthread_barrier_init (&bar, NULL, 9);
      for (long i = 0; i < 8; i++)
        pthread_create (t + i, 0, id_thread, (void *)(i % 4));
      pthread_barrier_wait (&bar);
      int a = setegid (10 + round), b = seteuid (round + 1);
      go = 1;
      printf ("ids %d %d:", a, b);
      for (int i = 0; i < 8; i++)
        {
          pthread_join (t[i], &r);
          printf (" %ld", (long)r);
        }
      printf ("\n");
      seteuid (0);
      setegid (0);
    }
}
static pthread_mutex_t m;
static volatile int cleaned;
static void
clean (void *a)
{
  cleaned += (long)a;
}
static void *
deferred (void *a)
{
  pthread_cleanup_push (clean, (void *)1);
  for (;;)
    {
      pthread_testcancel ();
      if ((long)a)
        usleep (100);
    }
  pthread_cleanup_pop (0);
  return 0;
}
static void *
in_read (void *a)
{
  char c;
  pthread_cleanup_push (clean, (void *)10);
  read ((long)a, &c, 1);
  pthread_cleanup_pop (0);
  return 0;
}
static void *
async (void *a)
{
  int o;
  volatile long n = 0;
  pthread_cleanup_push (clean, (void *)100);
  pthread_setcanceltype (PTHREAD_CANCEL_ASYNCHRONOUS, &o);
  go = 1;
  for (;;)
    n++;
  pthread_cleanup_pop (0);
  return 0;
}
static void *
async_call (void *a)
{
  int o;
  pthread_cleanup_push (clean, (void *)1000);
  pthread_setcanceltype (PTHREAD_CANCEL_ASYNCHRONOUS, &o);
  go = 1;
  for (;;)
    getppid ();
  pthread_cleanup_pop (0);
  return 0;
}
static void *
disabled (void *a)
{
  int o;
  pthread_setcancelstate (PTHREAD_CANCEL_DISABLE, &o);
  go = 1;
  usleep (20000);
  pthread_setcancelstate (PTHREAD_CANCEL_ENABLE, &o);
  pthread_cleanup_push (clean, (void *)10000);
  pthread_testcancel ();
  pthread_cleanup_pop (0);
  return (void *)5;
}
/* Start F with ARG, and cancel it once GO is set, if it sets that.  Returns
   whether it ended so.  */
static int
cancelled (void *(*f) (void *), void *arg, int sets_go)
{
  pthread_t t;
  void *r;
  go = 0;
  pthread_create (&t, 0, f, arg);
  while (sets_go && !go)
    sched_yield ();
  pthread_cancel (t);
  pthread_join (t, &r);
  go = 0;
  return r == PTHREAD_CANCELED;
}
static void
cancel (void)
{
  pthread_t t;
  void *r;
  int fd[2];
  pipe (fd);
  int n = 0;
  for (int i = 0; i < 30; i++)
    {
      n += cancelled (deferred, (void *)(long)(i & 1), 0);
      pthread_create (&t, 0, in_read, (void *)(long)fd[0]);
      if (i % 3)
        usleep (500);
      pthread_cancel (t);
      pthread_join (t, &r);
      n += r == PTHREAD_CANCELED;
      n += cancelled (async, 0, 1);
      n += cancelled (async_call, 0, 1);
      if (i % 10 == 0)
        n += cancelled (disabled, 0, 1);
    }
  printf ("cancelled %d, cleaned %s\n", n,
          cleaned % 10 == 0 && cleaned / 1000 > 30 ? "all" : "not all");
}
static void *
locker (void *a)
{
  pthread_mutex_lock (&m);
  go = 1;
  if ((long)a & 1)
    usleep (1000);
  if ((long)a & 2)
    syscall (SYS_exit, 0);
  return 0;
}
static void
robust (void)
{
  pthread_mutexattr_t at;
  pthread_t t;
  int died = 0;
  pthread_mutexattr_init (&at);
  pthread_mutexattr_setrobust (&at, PTHREAD_MUTEX_ROBUST);
  pthread_mutexattr_setpshared (&at, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init (&m, &at);
  for (long i = 0; i < 20; i++)
    {
      go = 0;
      pthread_create (&t, 0, locker, (void *)i);
      while (!go)
        sched_yield ();
      int r = pthread_mutex_lock (&m);
      if (!(i & 2))
        pthread_join (t, 0);
      if (r == EOWNERDEAD)
        {
          died++;
          pthread_mutex_consistent (&m);
        }
      pthread_mutex_unlock (&m);
    }
  pthread_create (&t, 0, locker, 0);
  pthread_join (t, 0);
  int r = pthread_mutex_lock (&m);
  printf ("robust: %d %s\n", died,
          r == EOWNERDEAD ? "EOWNERDEAD" : strerrorname_np (r));
  pthread_mutex_consistent (&m);
  pthread_mutex_unlock (&m);
}
static void
deathsig (void)
{
  int fd[2];
  char c = 0;
  pipe (fd);
  pid_t p = fork ();
  if (!p)
    {
      pid_t q = fork ();
      if (!q)
        {
          sigset_t s;
          siginfo_t i;
          sigemptyset (&s);
          sigaddset (&s, SIGUSR1);
          sigprocmask (SIG_BLOCK, &s, 0);
          prctl (PR_SET_PDEATHSIG, SIGUSR1);
          int get = 0;
          prctl (PR_GET_PDEATHSIG, &get);
          write (fd[1], &get, 1);
          sigwaitinfo (&s, &i);
          c = i.si_code == 0 ? 7 : 8;
          write (fd[1], &c, 1);
          _exit (0);
        }
      read (fd[0], &c, 1);
      printf ("pdeathsig %d\n", c);
      fflush (stdout);
      _exit (0);
    }
  waitpid (p, 0, 0);
  read (fd[0], &c, 1);
  printf ("child of the dead: %d\n", c);
}
static void
barrier (void)
{
  long q = syscall (SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
  printf ("membarrier %lx %ld", q,
          syscall (SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
  printf (" %ld %ld",
          syscall (SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED,
                   0, 0),
          syscall (SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
  printf (" %ld", syscall (SYS_membarrier,
                           MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0));
  printf (" %d\n", errno);
}
int
main (void)
{
  setvbuf (stdout, NULL, _IOLBF, 0);
  ids ();
  cancel ();
  robust ();
  deathsig ();
  barrier ();
  return 0;
}
