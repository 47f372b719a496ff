/* The facade of the code cache: what the engine's dispatcher needs.

   The cache lock (cache_lock) is held by callers of every function here that
   does not say otherwise; no application code runs, and no signal handler
   takes it.  */

#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include "cache/fragment.h"
#include "cache/memory.h"
#include "cache/rewrite.h"

struct cache_options
{
  size_t size;                  /* bound on code memory, bytes; 0: none */
  bool near;                    /* regions near what they copy */
  unsigned trace_threshold;     /* times that a link to a head is taken
                                   before a trace is made; 0: no traces */
  bool inline_compare;          /* traces go through indirect branches */
  bool measure;                 /* take the time that building takes */
};

/* Why a trace that was begun was not made.  */
enum trace_abort
{
  TRACE_ABORT_LEFT,     /* a signal, a stop, a point */
  TRACE_ABORT_SHORT,    /* one block that does not lead to itself */
  TRACE_ABORT_UNFIT,    /* code that changes, or rules write too much */
  TRACE_ABORT_FULL,     /* no room */
  TRACE_ABORT_FLUSHED,
  TRACE_N_ABORTS
};

struct cache_stats
{
  uint64_t blocks, links, retired, resets;
  uint64_t measured, build_ticks;       /* blocks, and the time that they
                                           took to build */
  uint64_t app_bytes;           /* copied from */
  uint64_t counters;            /* links to heads of traces */
  uint64_t traces, trace_blocks, trace_bytes;
  uint64_t trace_aborts[TRACE_N_ABORTS];
  uint64_t trace_busy;          /* heads hot while another thread recorded */
};

void cache_init (const struct memory_calls *calls,
                 const struct cache_options *options);

/* Take the time of building no more: the processor's time stamp may not be
   read.  Needs no lock.  */
void cache_measure_no_more (void);
const struct cache_options *cache_options (void);
struct cache_stats *cache_stats (void);

/* The constant that code of FLAVOUR, which holds registers, expects in one of
   them (rewrite_hold), for arch_context.constant; code for another one has to
   be flushed.  0 of flavours that hold none.  */
void cache_set_constant (enum flavour flavour, uint64_t constant);
uint64_t cache_constant (enum flavour flavour);

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

/* The exit with NUMBER, as emitted code gave it; *HOT: it left where a trace
   ought to begin (cache/trace.h).  */
struct exit *cache_exit (uint32_t number, bool *hot);

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

/* The thread of C is about to end, or has.  */
void cache_thread_gone (const struct arch_context *c);

/* Where to go on after a fault at PC, a cache address, of a read that a rule
   has put there; 0 if it is none.  Needs no lock; may run in signal
   context.  */
uint64_t cache_fault_exit (uint64_t pc);

/* From the registers MACHINE at which the thread of C was interrupted in
   emitted code, the application's: *APP.  False if MACHINE's PC is in no
   emitted code, or where a rule counts as the engine.  Needs no lock; may run
   in signal context.  */
bool cache_translate (const struct arch_context *c,
                      const struct arch_regs *machine, struct arch_regs *app);

/* A thread was interrupted at PC, which translates to APP: rules have done
   what they do in front of that instruction, and it has not been done yet.
   As cache_translate.  */
bool cache_is_ruled (cache_pc pc, app_pc app);

/* PC is in emitted code.  As cache_translate.  */
bool cache_contains (cache_pc pc);

/* What memory the emitted code at PC accesses is accessed for a rule, or to
   verify code, and not as the application does it.  As cache_translate.  */
bool cache_is_own (cache_pc pc);

#endif
