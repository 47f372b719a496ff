/* See death.h.  */

#define _GNU_SOURCE
#include "host/death.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "channel/channel.h"
#include "host/tracee.h"

enum thread_state { THREAD_SEIZED, THREAD_HELD, THREAD_GONE };

struct held_thread
{
  int tid;
  enum thread_state state;
};

struct death
{
  int pid, tid;
  unsigned n, room;
  struct held_thread *threads;
};

static bool
is_known (const struct death *d, int tid)
{
  for (unsigned i = 0; i < d->n; i++)
    if (d->threads[i].tid == tid)
      return true;
  return tid == d->tid;
}

static bool
add (struct death *d, int tid)
{
  if (d->n == d->room)
    {
      unsigned room = d->room ? 2 * d->room : 16;
      struct held_thread *p = realloc (d->threads, room * sizeof *p);

      if (p == NULL)
        return false;
      d->threads = p;
      d->room = room;
    }
  d->threads[d->n++] = (struct held_thread){ .tid = tid };
  return true;
}

/* Seize the thread TID; one that has ended meanwhile is no matter.  */
static bool
seize (struct death *d, int tid)
{
  if (ptrace (PTRACE_SEIZE, tid, NULL, NULL) < 0)
    return errno == ESRCH;
  if (add (d, tid))
    return true;
  return false;
}

/* Seize what is in the folder of threads and not known; how many that were
   goes to *FOUND.  */
static bool
seize_new (struct death *d, unsigned *found)
{
  char folder[64];
  struct dirent *entry;
  bool done = true;
  DIR *dir;

  *found = 0;
  snprintf (folder, sizeof folder, "/proc/%d/task", d->pid);
  dir = opendir (folder);
  if (dir == NULL)
    return false;
  while (done && (entry = readdir (dir)) != NULL)
    {
      int tid = atoi (entry->d_name);

      if (tid <= 0 || is_known (d, tid))
        continue;
      done = seize (d, tid);
      ++*found;
    }
  closedir (dir);
  return done;
}

/* See death.h.  */
struct death *
death_begin (int pid, int tid)
{
  struct death *d = calloc (1, sizeof *d);
  unsigned found;

  if (d == NULL)
    return NULL;
  d->pid = pid;
  d->tid = tid;
  do
    if (!seize_new (d, &found))
      {
        death_end (d);
        return NULL;
      }
  while (found != 0);
  return d;
}

/* T has taken a signal: the one that it leaves the engine with?  Then the core
   shall show the system call that it is in.  */
static bool
has_left (const struct held_thread *t, int sig)
{
  siginfo_t info;

  if (sig != CHANNEL_LEFT_SIGNAL
      || ptrace (PTRACE_GETSIGINFO, t->tid, NULL, &info) < 0
      || info.si_code != CHANNEL_LEFT_CODE)
    return false;
  ptrace (PTRACE_POKEUSER, t->tid,
          offsetof (struct user_regs_struct, orig_rax),
          (long) info.si_value.sival_ptr);
  return true;
}

static void
handle_stop (struct held_thread *t, int status)
{
  int sig = WSTOPSIG (status);

  if (status >> 16 == PTRACE_EVENT_STOP)
    ptrace (sig == SIGTRAP ? PTRACE_CONT : PTRACE_LISTEN, t->tid, NULL, NULL);
  else if (has_left (t, sig))
    t->state = THREAD_HELD;
  else
    ptrace (PTRACE_CONT, t->tid, NULL, (void *) (long) sig);
}

static void
poll_thread (struct death *d, struct held_thread *t, int *end)
{
  int status, r;

  while ((r = waitpid (t->tid, &status, __WALL | WNOHANG)) == t->tid
         && WIFSTOPPED (status))
    handle_stop (t, status);
  if (r == 0 || (r < 0 && errno == EINTR))
    return;
  if (r > 0 && t->tid == d->pid)
    *end = status;
  t->state = THREAD_GONE;
}

/* See death.h.  */
enum death_state
death_poll (struct death *d, int *status)
{
  enum death_state state = DEATH_OVER;

  for (unsigned i = 0; i < d->n; i++)
    {
      struct held_thread *t = &d->threads[i];

      if (t->state != THREAD_GONE)
        poll_thread (d, t, status);
      if (t->state == THREAD_SEIZED)
        state = DEATH_RUNNING;
      else if (t->state == THREAD_HELD && state == DEATH_OVER)
        state = DEATH_HELD;
    }
  return state;
}

/* See death.h.  */
int
death_pid (const struct death *d)
{
  return d->pid;
}

/* See death.h.  */
void
death_end (struct death *d)
{
  int status;

  for (unsigned i = 0; i < d->n; i++)
    {
      const struct held_thread *t = &d->threads[i];

      if (t->state == THREAD_GONE)
        continue;
      if (t->state == THREAD_SEIZED)
        {
          ptrace (PTRACE_INTERRUPT, t->tid, NULL, NULL);
          if (tracee_wait (t->tid, &status, 100) != TRACEE_OK)
            continue;
        }
      ptrace (PTRACE_DETACH, t->tid, NULL, NULL);
    }
  free (d->threads);
  free (d);
}
