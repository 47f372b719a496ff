/* What /proc/PID/status says of signals, which in the kernel is the engine's:
   five lines, whose length is fixed.  The text in the application's buffer is
   mended after each read, so that the file stays the kernel's and is as fresh
   as it would be.  */

#include "common/format.h"
#include "common/string.h"
#include "engine/gate.h"
#include "engine/heap.h"
#include "engine/signal.h"
#include "engine/special-files.h"

#define TEXT_SIZE 8192
#define N_DIGITS 16

struct lines
{
  linux_sigset thread, process; /* pending, but with the kernel */
  linux_sigset blocked, ignored, caught;
};

static void
read_actions (struct lines *l, struct sighand *h)
{
  lock_acquire (&h->lock);
  for (int sig = 1; sig <= RAW_NSIG; sig++)
    {
      uint64_t handler = h->action[sig - 1].handler;
      if (handler == RAW_SIG_IGN)
        l->ignored |= SIGSET_BIT (sig);
      else if (handler != RAW_SIG_DFL)
        l->caught |= SIGSET_BIT (sig);
    }
  lock_release (&h->lock);
}

/* What is to be said of the thread TID of T's process.  False: it is not
   known here.  */

static bool
gather (struct lines *l, struct thread *t, int tid)
{
  bool found = false;
  *l = (struct lines) { 0 };
  lock_acquire (&thread_lock);
  for (const struct thread *o = thread_list; o && !found; o = o->next)
    if (o->tid == tid && o->tgid == t->tgid)
      {
        l->thread = pending_own (o);
        l->blocked = o->signals.mask;
        found = true;
      }
  lock_release (&thread_lock);
  l->process = pending_process (t);
  read_actions (l, t->signals.sighand);
  return found;
}

/* Where KEY's value is in the N bytes of TEXT; -1: nowhere.  */

static long
find_value (const char *text, long n, const char *key)
{
  long length = strlen (key);
  for (long at = 0; at + length + N_DIGITS <= n; at++)
    if (memcmp (text + at, key, length) == 0)
      return at + length;
  return -1;
}

/* A part of the file that was read: N bytes from offset AT, to TO.  */
struct part
{
  app_addr to;
  uint64_t n, at;
};

/* Make the line of KEY say SET; with ADD, what it says too, but for signals
   that are never pending with the kernel.  */

static void
mend (const struct part *p, const char *text, long n, const char *key,
      linux_sigset set, bool add)
{
  char digits[N_DIGITS + 1];
  uint64_t old = 0;
  long at = find_value (text, n, key);
  if (at < 0)
    return;
  string_number (text + at, text + n, 16, &old);
  if (add)
    set |= old & ~SIGNAL_NEVER_BLOCKED;
  format_text (digits, sizeof digits, "%016lx", set);
  for (unsigned i = 0; i < N_DIGITS; i++)
    {
      uint64_t in_part = at + i - p->at;
      if (in_part < p->n && !safe_write (p->to + in_part, digits + i, 1))
        return;
    }
}

/* See special-files.h.  */

void
special_mend_status (struct thread *t, int fd, app_addr to, uint64_t n,
                     uint64_t at)
{
  struct part p = { to, n, at };
  struct lines l;
  int tid;
  if (proc_file_kind (t, fd, &tid) != SPECIAL_STATUS || !gather (&l, t, tid))
    return;
  char *text = heap_pages (TEXT_SIZE, false, HEAP_OTHER);
  if (!text)
    return;
  long size = raw4 (__NR_pread64, fd, RAW_PTR (text), TEXT_SIZE, 0);
  mend (&p, text, size, "\nSigPnd:\t", l.thread, true);
  mend (&p, text, size, "\nShdPnd:\t", l.process, true);
  mend (&p, text, size, "\nSigBlk:\t", l.blocked, false);
  mend (&p, text, size, "\nSigIgn:\t", l.ignored, false);
  mend (&p, text, size, "\nSigCgt:\t", l.caught, false);
  heap_pages_free (text, TEXT_SIZE, false, HEAP_OTHER);
}
