/* Locks of the engine: a futex word, a rank and its holder.

   Invariants:
   1. A thread takes locks in the order of enum lock_rank, lowest first; a
      breach is an assertion.
   2. No lock is held while the cache runs, nor in a system call that the
      gate issues for the application (but fork, which holds all of them).
   3. A signal handler takes none.

   After fork the child owns the locks that its parent's thread held; it
   gives them up by lock_release as the parent does.  */

#ifndef ENGINE_LOCK_H
#define ENGINE_LOCK_H

#include "common/types.h"

enum lock_rank
{
  LOCK_RANK_THREADS,    /* the list of threads, stops */
  LOCK_RANK_STOPS,      /* catching up with the debugger */
  LOCK_RANK_MAPS,       /* changes of the memory map, kernel and areas */
  LOCK_RANK_BUILD,      /* the cache: one builder at a time */
  LOCK_RANK_AREAS,      /* the memory map */
  LOCK_RANK_SIGNALS,    /* a table of signal actions */
  LOCK_RANK_HEAP,
  LOCK_RANK_LOG
};

struct lock
{
  uint32_t word;        /* 0 free, 1 held, 2 held and waited for */
  uint32_t rank;        /* enum lock_rank */
  void *holder;         /* struct thread, by its %gs; null when free */
};

#define LOCK_INIT(RANK) { .rank = (RANK) }

/* Take L, waiting for it.  */
void lock_acquire (struct lock *l);

/* Take L if it is free; false when it is not.  */
MUST_USE bool lock_try (struct lock *l);

void lock_release (struct lock *l);

/* The calling thread holds L.  */
bool lock_held (const struct lock *l);

/* Wait until *WORD is no longer VALUE, or a wake, or NS nanoseconds (0: no
   limit).  Plain futex, private to the process unless SHARED.  */
void futex_wait (uint32_t *word, uint32_t value, bool shared, uint64_t ns);

/* Wake up to N waiters of WORD.  */
void futex_wake (uint32_t *word, unsigned n, bool shared);

#endif
