/* The facade of the code cache: what the engine's dispatcher needs.

   The cache lock (cache_lock) is held by callers of every function here that
   does not say otherwise; no application code runs, and no signal handler
   takes it.  */

#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include "cache/fragment.h"
#include "cache/memory.h"

struct cache_options
{
  size_t size;                  /* bound on code memory, bytes; 0: none */
  bool near;                    /* regions near what they copy */
};

/* Rewriting rules: what rooms above the cache put into fragments.  Asked for
   each instruction that is built, in the order in which they were added.  */
enum rule_action
{
  RULE_NONE,
  RULE_STOP     /* end the block in front of it with an EXIT_POINT */
};

struct cache_rule
{
  /* The rule has nothing to say about code in [START, END): it is asked for
     blocks, which saves asking for instructions.  */
  bool (*idle) (app_pc start, app_pc end);
  enum rule_action (*before) (const struct insn *i, enum flavour flavour);
};

#define CACHE_MAX_RULES 8

/* Add RULE, which stays in force; once at the start of the process.  */
void cache_add_rule (const struct cache_rule *rule);

struct cache_stats
{
  uint64_t blocks, links, lookups_missed, retired, resets;
  uint64_t app_bytes;           /* copied from */
};

void cache_init (const struct memory_calls *calls,
                 const struct cache_options *options);
const struct cache_options *cache_options (void);
struct cache_stats *cache_stats (void);

/* The table of FLAVOUR for arch_context.table; 0 when out of memory.  */
void *cache_table (enum flavour flavour);

enum build_status
{
  BUILD_OK,
  BUILD_FAULT,  /* fetching from *FAULT is not possible */
  BUILD_FULL    /* cache_reset, with no thread inside, then try again */
};

/* The fragment for PC, built if there is none.  INDIRECT: it is wanted as the
   target of an indirect branch, so that lookups shall find it.  */
MUST_USE enum build_status cache_fragment (app_pc pc, enum flavour flavour,
                                           bool indirect,
                                           struct fragment **result,
                                           app_pc *fault);

/* The exit with NUMBER, as emitted code gave it.  */
struct exit *cache_exit (uint32_t number);

/* Let the exit E, whose target is TO's PC, go there directly from now on.  */
void cache_link (struct exit *e, struct fragment *to);

/* Retire what was translated from [START, END).  Returns the number of
   fragments.  Threads may still be inside them.  */
unsigned cache_flush (app_addr start, app_addr end);

/* True if code from the page at PAGE is in the cache.  */
bool cache_has_page (app_addr page);

/* Forget everything.  No thread may be inside the cache.  */
void cache_reset (void);

/* After fork, in the child, whose only thread is the caller.  */
void cache_after_fork (void);

/* From the registers MACHINE at which the thread of C was interrupted in
   emitted code, the application's: *APP.  False if MACHINE's PC is in no
   emitted code.  Needs no lock; may run in signal context.  */
bool cache_translate (const struct arch_context *c,
                      const struct arch_regs *machine, struct arch_regs *app);

#endif
