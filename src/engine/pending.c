/* See pending.h.  */

#include "engine/pending.h"
#include "engine/lock.h"
#include "engine/signal.h"
#include "engine/thread.h"

#define KERNEL_SIGRTMIN 32

static struct lock process_lock = LOCK_INIT (LOCK_RANK_SIGNALS);
static struct pending of_processes;

static uint64_t
next_order (void)
{
  static uint64_t last;
  return __atomic_add_fetch (&last, 1, __ATOMIC_RELAXED);
}

static linux_sigset
bit_of (const struct pending_slot *s)
{
  return SIGSET_BIT (s->record.info.signo);
}

static void
set_bits (struct pending *p, linux_sigset bits)
{
  __atomic_or_fetch (&p->set, bits, __ATOMIC_SEQ_CST);
}

/* Put *REC into P, for process TGID.  */

static void
put (struct pending *p, const struct signal_record *rec, int tgid,
     bool to_process)
{
  struct pending_slot *free = NULL;
  for (struct pending_slot *s = p->slot; s < p->slot + PENDING_N; s++)
    if (!s->full)
      free = s;
    else if (rec->info.signo < KERNEL_SIGRTMIN && s->tgid == tgid
             && s->record.info.signo == rec->info.signo
             && s->to_process == to_process)
      return;
  if (!free)
    return;
  free->record = *rec;
  free->tgid = tgid;
  free->to_process = to_process;
  free->order = next_order ();
  __atomic_store_n (&free->full, true, __ATOMIC_RELEASE);
  set_bits (p, bit_of (free));
}

/* Empty S of P.  A signal that comes meanwhile sets its bit after it was
   cleared.  */

static void
empty (struct pending *p, struct pending_slot *s)
{
  linux_sigset bit = bit_of (s);
  __atomic_store_n (&s->full, false, __ATOMIC_RELEASE);
  __atomic_and_fetch (&p->set, ~bit, __ATOMIC_SEQ_CST);
  for (const struct pending_slot *o = p->slot; o < p->slot + PENDING_N; o++)
    if (__atomic_load_n (&o->full, __ATOMIC_ACQUIRE) && bit_of (o) == bit)
      set_bits (p, bit);
}

/* The slot of P that comes first, of those in SET and of process TGID; null:
   there is none.  */

static struct pending_slot *
first (struct pending *p, linux_sigset set, int tgid)
{
  struct pending_slot *best = NULL;
  for (struct pending_slot *s = p->slot; s < p->slot + PENDING_N; s++)
    {
      if (!__atomic_load_n (&s->full, __ATOMIC_ACQUIRE) || s->tgid != tgid
          || !(bit_of (s) & set))
        continue;
      if (!best || s->record.info.signo < best->record.info.signo
          || (s->record.info.signo == best->record.info.signo
              && s->order < best->order))
        best = s;
    }
  return best;
}

/* See pending.h.  A thread is meant by tgkill, which says so in its code.  */

void
pending_hold (struct pending *p, const struct signal_record *rec)
{
  bool to_process = rec->info.code != RAW_SI_TKILL;
  put (p, rec, thread_self ()->tgid, to_process);
  if (to_process)
    p->unshared = true;
}

/* See pending.h.  */

linux_sigset
pending_own (const struct thread *t)
{
  return __atomic_load_n (&t->signals.pending.set, __ATOMIC_SEQ_CST);
}

/* See pending.h.  */

linux_sigset
pending_process (const struct thread *t)
{
  linux_sigset set = 0;
  if (!__atomic_load_n (&of_processes.set, __ATOMIC_SEQ_CST))
    return 0;
  lock_acquire (&process_lock);
  for (const struct pending_slot *s = of_processes.slot;
       s < of_processes.slot + PENDING_N; s++)
    if (s->full && s->tgid == t->tgid)
      set |= bit_of (s);
  lock_release (&process_lock);
  return set;
}

/* See pending.h.  */

linux_sigset
pending_set (const struct thread *t)
{
  return pending_own (t) | pending_process (t);
}

static bool
take_from (struct pending *p, linux_sigset set, int tgid,
           struct signal_record *rec)
{
  struct pending_slot *s = first (p, set, tgid);
  if (!s)
    return false;
  *rec = s->record;
  empty (p, s);
  return true;
}

/* See pending.h.  */

bool
pending_take (struct thread *t, linux_sigset set, struct signal_record *rec)
{
  if ((pending_own (t) & set)
      && take_from (&t->signals.pending, set, t->tgid, rec))
    return true;
  if (!(__atomic_load_n (&of_processes.set, __ATOMIC_SEQ_CST) & set))
    return false;
  lock_acquire (&process_lock);
  bool found = take_from (&of_processes, set, t->tgid, rec);
  lock_release (&process_lock);
  return found;
}

/* Wake a thread of T's process that can do something with SET.  */

static void
wake_one (const struct thread *t, linux_sigset set)
{
  lock_acquire (&thread_lock);
  for (struct thread *o = thread_list; o; o = o->next)
    if (o != t && o->tgid == t->tgid && o->state != THREAD_DEAD
        && (signal_wanted (o) & set) && signal_kick (o))
      break;
  lock_release (&thread_lock);
}

/* See pending.h.  */

void
pending_share (struct thread *t, linux_sigset mask)
{
  struct pending *p = &t->signals.pending;
  linux_sigset moved = 0;
  if (!p->unshared)
    return;
  p->unshared = false;
  lock_acquire (&process_lock);
  for (struct pending_slot *s = p->slot; s < p->slot + PENDING_N; s++)
    if (__atomic_load_n (&s->full, __ATOMIC_ACQUIRE) && s->to_process
        && (bit_of (s) & mask))
      {
        moved |= bit_of (s);
        put (&of_processes, &s->record, t->tgid, true);
        empty (p, s);
      }
  lock_release (&process_lock);
  if (moved)
    wake_one (t, moved);
}

/* See pending.h.  */

void
pending_give_back (struct thread *t)
{
  struct signal_record rec;
  while (take_from (&t->signals.pending, ~0ull, t->tgid, &rec))
    raw4 (__NR_rt_tgsigqueueinfo, t->tgid, t->tid, rec.info.signo,
          RAW_PTR (&rec.info));
  while (pending_take (t, ~0ull, &rec))
    raw3 (__NR_rt_sigqueueinfo, t->tgid, rec.info.signo, RAW_PTR (&rec.info));
}

/* See pending.h.  */

void
pending_after_fork (struct thread *t)
{
  t->signals.pending = (struct pending) { 0 };
  of_processes = (struct pending) { 0 };
  process_lock = (struct lock) LOCK_INIT (LOCK_RANK_SIGNALS);
}
