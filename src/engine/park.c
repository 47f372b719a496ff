/* Stopping all threads.  See park.h.

   stopper is the thread that stopped the world; `round' counts its releases,
   and is what parked threads wait on.  A thread's state and `stopper' are
   written and then read the other way round by the two sides, each with full
   ordering, so that one of them sees the other:

     thread                       stopper
     state = RUNNING              stopper = self
     stopper?  -> park            state == RUNNING?  -> kick, wait  */

#include "engine/park.h"
#include "common/assert.h"
#include "common/log.h"
#include "engine/call.h"
#include "engine/main.h"
#include "engine/signal.h"
#include "engine/stats.h"

static struct thread *stopper;
static int32_t dying;           /* the process whose threads leave */
static uint32_t round;          /* futex: counts up with each release */
static uint32_t changes;        /* futex: counts up when a state changes
                                   while there is a stopper */

static void
set_state (struct thread *t, enum thread_state state)
{
  __atomic_store_n (&t->state, state, __ATOMIC_SEQ_CST);
  if (__atomic_load_n (&stopper, __ATOMIC_SEQ_CST))
    {
      __atomic_add_fetch (&changes, 1, __ATOMIC_SEQ_CST);
      futex_wake (&changes, 1, false);
    }
}

/* Wait while another thread stops the world.  */

static void
wait_for_release (struct thread *t)
{
  for (;;)
    {
      uint32_t now = __atomic_load_n (&round, __ATOMIC_SEQ_CST);
      struct thread *s = __atomic_load_n (&stopper, __ATOMIC_SEQ_CST);
      if (!s || s == t)
        return;
      futex_wait (&round, now, false, 0);
    }
}

static void
park (struct thread *t)
{
  do
    {
      set_state (t, THREAD_PARKED);
      wait_for_release (t);
      set_state (t, THREAD_RUNNING);
    }
  while (park_wanted (t));
}

/* See park.h.  */

bool
park_wanted (const struct thread *t)
{
  struct thread *s = __atomic_load_n (&stopper, __ATOMIC_SEQ_CST);
  return s && s != t;
}

/* See park.h.  */

bool
park_expelled (const struct thread *t)
{
  return __atomic_load_n (&dying, __ATOMIC_SEQ_CST) == t->tgid;
}

/* See park.h.  */

void
park_check (struct thread *t)
{
  if (park_wanted (t))
    park (t);
  if (park_expelled (t))
    park_leave_for_core (t, -1);
}

/* See park.h.  */

void
park_enter_syscall (struct thread *t)
{
  set_state (t, THREAD_SYSCALL);
}

/* See park.h.  */

void
park_leave_syscall (struct thread *t)
{
  set_state (t, THREAD_RUNNING);
  if (park_wanted (t))
    park (t);
}

/* See park.h.  */

void
park_thread_gone (struct thread *t)
{
  set_state (t, THREAD_DEAD);
}

static bool
in_the_way (const struct thread *t)
{
  return __atomic_load_n (&t->state, __ATOMIC_SEQ_CST) == THREAD_RUNNING;
}

/* Kick what still runs; returns whether anything does.  */

static bool
kick_running (struct thread *self, bool again)
{
  bool found = false;
  lock_acquire (&thread_lock);
  for (struct thread *t = thread_list; t; t = t->next)
    if (t != self && in_the_way (t))
      {
        if (again && !signal_kick (t))
          t->state = THREAD_DEAD;       /* of another process that shares
                                           this memory, and died */
        else
          found = true;
      }
  lock_release (&thread_lock);
  return found;
}

/* See park.h.  */

bool
park_all (struct thread *t)
{
  struct thread *none = NULL;
  if (!__atomic_compare_exchange_n (&stopper, &none, t, false,
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
    {
      park (t);
      return false;
    }
  bool again = true;
  STATS_COUNT (STOPS);
  for (;;)
    {
      uint32_t seen = __atomic_load_n (&changes, __ATOMIC_SEQ_CST);
      if (!kick_running (t, again))
        return true;
      futex_wait (&changes, seen, false, 0);
      again = false;
    }
}

/* See park.h.  */

void
park_release (struct thread *t)
{
  vm_assert (stopper == t);
  __atomic_store_n (&stopper, NULL, __ATOMIC_SEQ_CST);
  __atomic_add_fetch (&round, 1, __ATOMIC_SEQ_CST);
  futex_wake (&round, INT32_MAX, false);
}

/* Another thread of T's process is left.  */

static bool
has_others (struct thread *self, bool kick)
{
  bool found = false;
  lock_acquire (&thread_lock);
  for (struct thread *t = thread_list; t; t = t->next)
    if (t != self && t->tgid == self->tgid && t->state != THREAD_DEAD)
      {
        found = true;
        if (kick)
          signal_kick (t);
      }
  lock_release (&thread_lock);
  return found;
}

/* See park.h.  */

void
park_expel (struct thread *t)
{
  unsigned call;
  if (!has_others (t, false))
    return;
  while (!park_all (t))
    if (park_expelled (t))
      park_leave_for_core (t, -1);
  if (!call_core (t->tgid, t->tid, channel->birth.generation, &call))
    return;                     /* and they stay parked */
  signal_prepare_leaving ();
  __atomic_store_n (&dying, t->tgid, __ATOMIC_SEQ_CST);
  has_others (t, true);
  park_release (t);
  call_core_wait (call);
}

/* See park.h.  */

void
park_leave_for_core (struct thread *t, int64_t nr)
{
  set_state (t, THREAD_DEAD);
  signal_leave (t, nr);
}

/* See park.h.  */

void
park_after_fork (struct thread *t)
{
  stopper = NULL;
  dying = 0;
  t->state = THREAD_RUNNING;
}
