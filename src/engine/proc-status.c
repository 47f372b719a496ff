/* What /proc/PID/status says of signals, which in the kernel is the engine's:
   five lines, whose values have a fixed length.  The text in the application's
   buffer is mended after each read, digit by digit, so that the file stays the
   kernel's and is as fresh as it would be.

   The file is not read again to see what a part is part of: other lines change
   their length from one time to the next (SigQ, State), and a read elsewhere
   makes the kernel write the text anew for the next one.  What a thread has
   read last is remembered instead, as far back as the beginning of a line.  */

#include "common/string.h"
#include "engine/gate.h"
#include "engine/signal.h"
#include "engine/special-files.h"

enum { N_DIGITS = 16, PART_SIZE = 512, N_ROWS = 5 };

/* The line of KEY says SET; with ADD, what it says too, but for signals that
   are never pending with the kernel.  */
struct row
{
  const char *key;
  linux_sigset set;
  bool add;
};

enum { ROW_THREAD, ROW_PROCESS, ROW_BLOCKED, ROW_IGNORED, ROW_CAUGHT };

/* Text of the file: BEFORE bytes that went before what is in the application's
   memory from TO, and that up to LENGTH.  */
struct part
{
  char text[THREAD_STATUS_TAIL + PART_SIZE];
  size_t before, length;
  app_addr to;
};

static void
read_actions (struct row *rows, struct sighand *h)
{
  lock_acquire (&h->lock);
  for (int sig = 1; sig <= RAW_NSIG; sig++)
    {
      uint64_t handler = h->action[sig - 1].handler;
      if (handler == RAW_SIG_IGN)
        rows[ROW_IGNORED].set |= SIGSET_BIT (sig);
      else if (handler != RAW_SIG_DFL)
        rows[ROW_CAUGHT].set |= SIGSET_BIT (sig);
    }
  lock_release (&h->lock);
}

/* What is to be said of the thread TID of T's process, in N_ROWS ROWS.  False:
   it is not known here.  */

static bool
gather (struct row *rows, struct thread *t, int tid)
{
  bool found = false;
  lock_acquire (&thread_lock);
  for (const struct thread *o = thread_list; o && !found; o = o->next)
    if (o->tid == tid && o->tgid == t->tgid)
      {
        rows[ROW_THREAD].set = pending_own (o);
        rows[ROW_BLOCKED].set = o->signals.mask;
        found = true;
      }
  lock_release (&thread_lock);
  rows[ROW_PROCESS].set = pending_process (t);
  read_actions (rows, t->signals.sighand);
  return found;
}

/* Where the value of KEY begins in P; its length: it is not there.  */

static size_t
find_value (const struct part *p, const char *key)
{
  size_t n = strlen (key);
  for (size_t at = 0; at + n <= p->length; at++)
    if (memcmp (p->text + at, key, n) == 0)
      return at + n;
  return p->length;
}

/* Make the I-th digit of a value, of which the kernel has written C, that of
   ROW.  */

static char
mend_digit (const struct row *row, unsigned i, char c)
{
  unsigned shift = 4 * (N_DIGITS - 1 - i);
  uint64_t digit = row->set >> shift & 15, old = 0;
  string_number (&c, &c + 1, 16, &old);
  if (row->add)
    digit |= old & ~(SIGNAL_NEVER_BLOCKED >> shift) & 15;
  return "0123456789abcdef"[digit];
}

/* Mend what is in P of the value of ROW.  False: the memory is gone.  */

static bool
mend (struct part *p, const struct row *row)
{
  size_t value = find_value (p, row->key);
  size_t first = MAX (value, p->before);
  size_t end = MIN (value + N_DIGITS, p->length);
  for (size_t at = first; at < end; at++)
    p->text[at] = mend_digit (row, at - value, p->text[at]);
  return first >= end
         || safe_write (p->to + (first - p->before), p->text + first,
                        end - first);
}

/* Set what goes before offset AT of FD in P.  */

static void
look_back (const struct thread_status *s, int fd, uint64_t at, struct part *p)
{
  if (at == 0)
    p->before = 0;
  else if (s->fd == fd && s->end == at)
    {
      p->before = s->length;
      memcpy (p->text, s->tail, s->length);
    }
  else
    {
      size_t n = MIN (at, THREAD_STATUS_TAIL);
      long done = raw4 (__NR_pread64, fd, RAW_PTR (p->text), n, at - n);
      p->before = done == (long) n ? n : 0;
    }
}

/* Mend the N bytes, a part at most, at TO, which go on where P ends.  False:
   they cannot be read or written.  */

static bool
mend_part (struct part *p, const struct row *rows, app_addr to, size_t n)
{
  bool ok = safe_read (p->text + p->before, to, n);
  p->to = to;
  p->length = p->before + n;
  for (unsigned i = 0; ok && i < N_ROWS; i++)
    ok = mend (p, &rows[i]);
  p->before = MIN (p->length, THREAD_STATUS_TAIL);
  memmove (p->text, p->text + p->length - p->before, p->before);
  return ok;
}

/* See special-files.h.  */

void
special_mend_status (struct thread *t, int fd, app_addr to, uint64_t n,
                     uint64_t at)
{
  struct row rows[N_ROWS] = {
    [ROW_THREAD] = { "\nSigPnd:\t", 0, true },
    [ROW_PROCESS] = { "\nShdPnd:\t", 0, true },
    [ROW_BLOCKED] = { "\nSigBlk:\t", 0, false },
    [ROW_IGNORED] = { "\nSigIgn:\t", 0, false },
    [ROW_CAUGHT] = { "\nSigCgt:\t", 0, false },
  };
  struct thread_status *s = &t->status;
  struct part p;
  int tid;
  if (proc_file_kind (t, fd, &tid) != SPECIAL_STATUS
      || !gather (rows, t, tid))
    return;
  look_back (s, fd, at, &p);
  for (uint64_t size, end = at + n; at < end; at += size, to += size)
    {
      size = MIN (end - at, PART_SIZE);
      if (!mend_part (&p, rows, to, size))
        return;
    }
  *s = (struct thread_status) { .fd = fd, .end = at, .length = p.before };
  memcpy (s->tail, p.text, p.before);
}
