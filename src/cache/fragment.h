/* A fragment: a piece of translated code, and what is known of it.

   Life of a fragment, and who moves it on:

     block_build / trace_build      LIVE      found by lookup, linked
     fragment_retire                RETIRED   not found, not linked; a thread
                                              may still be inside; its
                                              addresses still translate
     cache_reset                    (gone)    when no thread is inside

   Invariants:
   1. A fragment that is LIVE is in the lookup of its flavour and in the index
      of each page that its application code touches.
   2. exit.to is not null exactly while the exit's branch goes to that
      fragment, and then the exit is in the fragment's list `in'.
   3. Only the bytes of an exit's field, and of slots in units, change after a
      fragment is published, each by one aligned store.

   All of this is guarded by the cache lock, which callers of every function in
   src/cache hold unless a header says otherwise.  */

#ifndef CACHE_FRAGMENT_H
#define CACHE_FRAGMENT_H

#include "arch/rewrite.h"

/* What a fragment was built for; links stay within a flavour.  */
enum flavour
{
  FLAVOUR_PLAIN,        /* runs at full speed, no point in it */
  FLAVOUR_STEP,         /* blocks of one instruction, never linked */
  N_FLAVOURS
};

enum exit_kind
{
  EXIT_DIRECT,          /* goes on at target; may be linked */
  EXIT_SYSCALL,         /* target is a syscall instruction */
  EXIT_UNSUPPORTED,     /* target cannot run in the cache: refuse by name */
  EXIT_INTERRUPT,       /* target is an int instruction */
  EXIT_CHANGED,         /* the bytes of the fragment at target differ */
  EXIT_POINT,           /* target has a point in front of it */
  EXIT_STEPPED          /* one instruction is done; target is the next */
};

struct exit
{
  app_pc target;                /* PC of the application's state there */
  struct fragment *from, *to;
  struct exit *next_in;         /* of to->in */
  uint8_t *field;               /* of the branch, in the writable view */
  cache_pc unit;                /* where the branch goes while not linked */
  uint8_t kind;                 /* enum exit_kind */
};

#define FRAGMENT_MAX_EXITS 3
#define FRAGMENT_MAX_PAGES 2

enum fragment_state { FRAGMENT_LIVE, FRAGMENT_RETIRED };

struct fragment
{
  app_pc pc;
  cache_pc entry;               /* its code; a prefix may stand in front */
  cache_pc prefix;              /* 0: never yet a target of a lookup */
  uint64_t *next_prefix;        /* slot of the prefix, writable view */
  struct fragment *hash_next;   /* in the lookup */
  struct fragment *chain_next;  /* in the chain of prefixes */
  struct exit *in;              /* what is linked to here */
  struct fragment *page_next[FRAGMENT_MAX_PAGES];
  uint32_t app_size;            /* bytes of application code */
  uint32_t size;                /* bytes of code from entry */
  uint16_t n_notes;
  uint8_t n_exits;
  uint8_t flavour;
  uint8_t state;                /* enum fragment_state */
  const struct arch_note *notes;
  struct exit exits[];
};

/* Take F out of every table, so that no thread enters it again; its links in
   both directions are broken first.  Its memory stays.  */
void fragment_retire (struct fragment *f);

#endif
