/* Locks and futex waits.  See lock.h.  */

#include "engine/lock.h"
#include "common/assert.h"
#include "engine/thread.h"
#include "linux/raw.h"

/* See lock.h.  */

void
futex_wait (uint32_t *word, uint32_t value, bool shared, uint64_t ns)
{
  struct linux_timespec ts = { .sec = ns / 1000000000,
                               .nsec = ns % 1000000000 };
  raw4 (__NR_futex, RAW_PTR (word),
        RAW_FUTEX_WAIT | (shared ? 0 : RAW_FUTEX_PRIVATE), value,
        ns ? RAW_PTR (&ts) : 0);
}

/* See lock.h.  */

void
futex_wake (uint32_t *word, unsigned n, bool shared)
{
  raw3 (__NR_futex, RAW_PTR (word),
        RAW_FUTEX_WAKE | (shared ? 0 : RAW_FUTEX_PRIVATE), n);
}

static void
taken (struct lock *l)
{
  struct thread *t = thread_self ();
  vm_assert (t->lock_ranks >> l->rank == 0);
  t->lock_ranks |= 1ull << l->rank;
  l->holder = t;
}

/* See lock.h.  */

bool
lock_try (struct lock *l)
{
  uint32_t free = 0;
  if (!__atomic_compare_exchange_n (&l->word, &free, 1, false,
                                    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
    return false;
  taken (l);
  return true;
}

/* See lock.h.  */

void
lock_acquire (struct lock *l)
{
  vm_assert (!lock_held (l));
  for (unsigned spin = 0; spin < 100; spin++)
    {
      if (!__atomic_load_n (&l->word, __ATOMIC_RELAXED) && lock_try (l))
        return;
      __builtin_ia32_pause ();
    }
  while (__atomic_exchange_n (&l->word, 2, __ATOMIC_ACQUIRE))
    futex_wait (&l->word, 2, false, 0);
  taken (l);
}

/* See lock.h.  */

void
lock_release (struct lock *l)
{
  vm_assert (lock_held (l));
  l->holder = NULL;
  thread_self ()->lock_ranks &= ~(1ull << l->rank);
  if (__atomic_exchange_n (&l->word, 0, __ATOMIC_RELEASE) == 2)
    futex_wake (&l->word, 1, false);
}

/* See lock.h.  */

bool
lock_held (const struct lock *l)
{
  return __atomic_load_n (&l->holder, __ATOMIC_RELAXED) == thread_self ();
}
