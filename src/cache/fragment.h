/* A fragment: a piece of translated code, and what is known of it.

   Life of a fragment, and who moves it on:

     block_build / path_build       LIVE      found by lookup, linked
     fragment_retire                RETIRED   not found, not linked; a thread
                                              may still be inside; its
                                              addresses still translate
     cache_reset                    (gone)    when no thread is inside

   Invariants:
   1. A fragment that is LIVE is in the lookup of its flavour and in the index
      of each page that its application code touches.
   2. exit.to is not 0 exactly while the exit's branch goes to that
      fragment, and then the exit is in the fragment's list `in'.
   3. Only the bytes of an exit's field, and of slots in units, change after a
      fragment is published, each by one store that is seen whole.

   All of this is guarded by the cache lock, which callers of every function in
   src/cache hold unless a header says otherwise.  */

#ifndef CACHE_FRAGMENT_H
#define CACHE_FRAGMENT_H

#include "arch/rewrite.h"
#include "cache/memory.h"

/* What a fragment was built for; links stay within a flavour.  */
enum flavour
{
  FLAVOUR_PLAIN,        /* runs at full speed, no point in it */
  FLAVOUR_STEP,         /* blocks of one instruction, never linked; of one
                           turn of a repeated string instruction, which is
                           what the processor's single step does */
  FLAVOUR_WHOLE,        /* the same, with all turns */
  FLAVOUR_WATCH,        /* with checks of what is watched */
  FLAVOUR_WATCH_STEP,   /* that, and steps */
  FLAVOUR_RECORD,       /* a block of a trace to be, run once (trace.h) */
  FLAVOUR_WATCH_RECORD, /* that, with checks */
  N_FLAVOURS
};

/* Traces are made of FLAVOUR.  */
static inline bool
flavour_has_traces (enum flavour flavour)
{
  return flavour == FLAVOUR_PLAIN || flavour == FLAVOUR_WATCH;
}

/* What records for that, and what a fragment of FLAVOUR stands for.  */
static inline enum flavour
flavour_to_record (enum flavour flavour)
{
  return flavour == FLAVOUR_WATCH ? FLAVOUR_WATCH_RECORD : FLAVOUR_RECORD;
}

static inline bool
flavour_records (enum flavour flavour)
{
  return flavour == FLAVOUR_RECORD || flavour == FLAVOUR_WATCH_RECORD;
}

static inline enum flavour
flavour_recorded (enum flavour flavour)
{
  return flavour == FLAVOUR_RECORD         ? FLAVOUR_PLAIN
         : flavour == FLAVOUR_WATCH_RECORD ? FLAVOUR_WATCH
                                           : flavour;
}

/* Fragments of FLAVOUR are one instruction each.  */
static inline bool
flavour_steps (enum flavour flavour)
{
  return flavour == FLAVOUR_STEP || flavour == FLAVOUR_WATCH_STEP
         || flavour == FLAVOUR_WHOLE;
}

/* Fragments of FLAVOUR hold registers (rewrite_hold).  */
static inline bool
flavour_holds (enum flavour flavour)
{
  return flavour == FLAVOUR_WATCH || flavour == FLAVOUR_WATCH_STEP
         || flavour == FLAVOUR_WATCH_RECORD;
}

enum exit_kind
{
  EXIT_DIRECT,          /* goes on at target; may be linked */
  EXIT_SYSCALL,         /* target is a syscall instruction */
  EXIT_UNSUPPORTED,     /* target has no form in the cache: the engine does
                           it, or refuses */
  EXIT_INTERRUPT,       /* target is an int instruction */
  EXIT_CHANGED,         /* the bytes of the fragment at target differ */
  EXIT_POINT,           /* target has a point in front of it */
  EXIT_STEPPED          /* one instruction is done; target is the next */
};

/* There are very many of these: what can be is a number of 32 bits for a
   pointer (memory_number; 0 is null) or an offset in the region.  */

struct exit
{
  app_pc target;                /* PC of the application's state there */
  uint32_t to;                  /* fragment; 0: not linked */
  uint32_t next_in;             /* exit: the next in to's list `in' */
  uint32_t unit;                /* where the branch goes while not linked:
                                   offset in the region */
  uint16_t field;               /* of the branch: offset from the fragment's
                                   entry; 0: it never changes */
  uint8_t kind : 4;             /* enum exit_kind */
  uint8_t taken : 1;            /* once: it may be linked through a counter */
  uint8_t counted : 1;          /* it is linked through one */
  uint8_t index;                /* in its fragment */
};

#define FRAGMENT_MAX_EXITS 6
#define FRAGMENT_MAX_PAGES 2

enum fragment_state { FRAGMENT_LIVE, FRAGMENT_RETIRED };

/* Consecutive application code that a fragment was translated from.  A block
   has one segment, in itself; a trace one for each block that it goes
   through, the first in itself, the others behind its notes.  */
struct segment
{
  app_pc pc;
  uint32_t page_next[FRAGMENT_MAX_PAGES];       /* segments */
  uint16_t app_size;            /* bytes of application code; 0: none */
  uint16_t at;                  /* its code: offset from the entry */
  uint16_t back;                /* to its fragment, in units of 8 bytes */
  uint16_t n_notes;             /* of the fragment; in the first only */
};

struct fragment
{
  union
  {
    struct segment first;
    struct
    {
      app_pc pc;
      uint32_t page_next[FRAGMENT_MAX_PAGES];
      uint16_t app_size, at, back, n_notes;
    };
  };
  cache_pc entry;               /* its code; a prefix may stand in front */
  uint32_t prefix;              /* offset in the region; 0: none, as it never
                                   yet was a target of a lookup */
  uint32_t next_prefix;         /* offset of the prefix's slot */
  uint32_t in;                  /* exit: what is linked to here */
  uint16_t size;                /* bytes of code from entry */
  uint8_t n_exits;
  uint8_t n_more;               /* segments but the first */
  uint8_t flavour : 4, state : 2;       /* enum flavour, fragment_state */
  uint8_t has_faults : 1;
  uint8_t is_trace : 1;
  uint8_t cold : 1;             /* no trace can begin here */
  struct exit exits[];          /* and behind them the notes; the segments
                                   but the first; if it has any, its faults,
                                   the last of them zero */
};

static inline struct fragment *
fragment_of (uint32_t number)
{
  return number ? memory_pointer (number) : 0;
}

static inline struct exit *
exit_of (uint32_t number)
{
  return number ? memory_pointer (number) : 0;
}

static inline struct fragment *
exit_fragment (const struct exit *e)
{
  return (struct fragment *) (e - e->index) - 1;
}

static inline const struct arch_note *
fragment_notes (const struct fragment *f)
{
  return (const struct arch_note *) (f->exits + f->n_exits);
}

/* Segments of F but the first.  */
static inline struct segment *
fragment_more (const struct fragment *f)
{
  return (struct segment *) (fragment_notes (f) + f->n_notes);
}

static inline struct segment *
fragment_segment (const struct fragment *f, unsigned n)
{
  return n ? fragment_more (f) + n - 1 : (struct segment *) &f->first;
}

static inline struct fragment *
segment_fragment (const struct segment *s)
{
  return (struct fragment *) ((uint64_t *) s - s->back);
}

/* Of one with has_faults.  */
static inline const struct arch_fault *
fragment_faults (const struct fragment *f)
{
  return (const struct arch_fault *) (fragment_more (f) + f->n_more);
}

/* Take F out of every table, so that no thread enters it again; its links in
   both directions are broken first.  Its memory stays.  */
void fragment_retire (struct fragment *f);

#endif
