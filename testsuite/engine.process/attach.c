/* A process attaches to another one of its tree: by ATTACH, by SEIZE, to all
   its threads.  What it sees is the program's own, and the tracee goes on when
   it has let go.  */

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N_THREADS = 3 };

extern char __executable_start[], etext[];

static int gate[2], told[2];
static volatile int done, n_signals, n_spinning;

static void
on_usr1 (int sig)
{
  (void) sig;
  n_signals++;
}

/* Go round in code of this file, with a known register.  */
__attribute__ ((noinline)) static void
turn (void)
{
  __asm__ volatile ("mov $0x1234, %%r12d\n\tlock incl %1\n"
                    "1:\tcmpl $0, %0\n\tje 1b"
                    : : "m"(done), "m"(n_spinning)
                    : "r12", "cc", "memory");
}

static void *
spin (void *arg)
{
  turn ();
  return arg;
}

static void *
sleep_in_read (void *arg)
{
  char c;

  (void) !read (gate[0], &c, 1);
  done = 1;
  return arg;
}

/* The tracee: threads that run and one that waits; then what its signals and
   system calls do is as it was.  */
static void
tracee (int n_threads)
{
  pthread_t t[N_THREADS];
  sigset_t set;
  int status;

  prctl (PR_SET_PTRACER, PR_SET_PTRACER_ANY);
  signal (SIGUSR1, on_usr1);
  sigemptyset (&set);
  sigaddset (&set, SIGUSR2);
  pthread_sigmask (SIG_BLOCK, &set, NULL);
  raise (SIGUSR2);
  for (int n = 0; n < n_threads; n++)
    pthread_create (t + n, NULL, spin, NULL);
  while (n_spinning < n_threads)
    sched_yield ();
  (void) !write (told[1], "r", 1);
  sleep_in_read (NULL);
  for (int n = 0; n < n_threads; n++)
    pthread_join (t[n], NULL);
  raise (SIGUSR1);
  sigpending (&set);
  if (fork () == 0)
    _exit (7);
  wait (&status);
  _exit (n_signals == 1 && sigismember (&set, SIGUSR2)
         && WEXITSTATUS (status) == 7 ? 42 : 1);
}

static int
in_program (uint64_t pc)
{
  return pc >= (uintptr_t) __executable_start && pc < (uintptr_t) etext;
}

/* Stop the thread TID and say what can be seen of it.  */
static void
examine (pid_t tid, int seize, int *spinning, int *reading)
{
  struct user_regs_struct r;
  int status;

  if (ptrace (seize ? PTRACE_SEIZE : PTRACE_ATTACH, tid, 0, 0) != 0
      || (seize && ptrace (PTRACE_INTERRUPT, tid, 0, 0) != 0))
    {
      printf ("attach: %s\n", strerror (errno));
      return;
    }
  waitpid (tid, &status, __WALL);
  if (!WIFSTOPPED (status)
      || status >> 8 != (seize ? SIGTRAP | PTRACE_EVENT_STOP << 8 : SIGSTOP))
    printf ("status %x\n", status);
  ptrace (PTRACE_GETREGS, tid, 0, &r);
  *spinning += in_program (r.rip) && r.r12 == 0x1234;
  *reading += r.orig_rax == SYS_read && (int) r.rdi == gate[0];
}

/* Examine all threads of PID, and let them go.  */
static void
attach (pid_t pid, int seize)
{
  char path[64];
  int tids[16], n = 0, spinning = 0, reading = 0;
  struct dirent *e;
  DIR *d;

  snprintf (path, sizeof path, "/proc/%d/task", (int) pid);
  d = opendir (path);
  while ((e = readdir (d)))
    if (e->d_name[0] != '.')
      {
        examine (tids[n] = atoi (e->d_name), seize, &spinning, &reading);
        n++;
      }
  closedir (d);
  for (int i = 0; i < n; i++)
    ptrace (PTRACE_DETACH, tids[i], 0, 0);
  printf ("%s: %d threads, %d spin, %d read\n", seize ? "seize" : "attach", n,
          spinning, reading);
}

/* The first system call of PID after this is told by PTRACE_SYSCALL.  */
static void
follow_calls (pid_t pid)
{
  struct user_regs_struct r;
  int status, n = 0, writes = 0;

  ptrace (PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD);
  ptrace (PTRACE_INTERRUPT, pid, 0, 0);
  waitpid (pid, &status, 0);
  (void) !write (gate[1], "g", 1);
  while (ptrace (PTRACE_SYSCALL, pid, 0, WIFSTOPPED (status)
                 && WSTOPSIG (status) == SIGUSR1 ? SIGUSR1 : 0) == 0
         && waitpid (pid, &status, 0) == pid && WIFSTOPPED (status))
    if (WSTOPSIG (status) == (SIGTRAP | 0x80))
      {
        ptrace (PTRACE_GETREGS, pid, 0, &r);
        n++;
        writes += r.orig_rax == SYS_rt_sigpending;
      }
  printf ("calls %s, %d of sigpending, status %d\n", n > 6 ? "seen" : "missed",
          writes, WEXITSTATUS (status));
}

static void
round_with (int n_threads, int seize)
{
  int status;
  char c;
  pid_t pid;

  if (pipe (gate) || pipe (told))
    exit (2);
  pid = fork ();
  if (pid == 0)
    tracee (n_threads);
  (void) !read (told[0], &c, 1);
  /* It waits in its read.  */
  do
    {
      char path[64], text[64] = "";
      snprintf (path, sizeof path, "/proc/%d/syscall", (int) pid);
      FILE *f = fopen (path, "r");
      (void) !fgets (text, sizeof text, f);
      fclose (f);
      status = atoi (text) == SYS_read && text[0] == '0';
    }
  while (!status);
  attach (pid, seize);
  attach (pid, !seize);
  if (n_threads)
    {
      (void) !write (gate[1], "g", 1);
      waitpid (pid, &status, 0);
      printf ("status %d\n", WEXITSTATUS (status));
    }
  else
    follow_calls (pid);
  close (gate[0]), close (gate[1]), close (told[0]), close (told[1]);
}

int
main (void)
{
  setvbuf (stdout, NULL, _IOLBF, 0);
  round_with (0, 0);
  round_with (0, 1);
  for (int n = 0; n < 4; n++)
    round_with (N_THREADS, n & 1);
  return 0;
}
