/* Building a block: one pass over the application's instructions from a PC to
   the first branch, with no list of instructions.  */

#ifndef CACHE_BLOCK_H
#define CACHE_BLOCK_H

#include "cache/cache.h"

/* Build the block of FLAVOUR at PC and publish it.  INDIRECT: put a prefix in
   front.  As cache_fragment, but PC is known not to be in the cache.  */
enum build_status block_build (app_pc pc, enum flavour flavour, bool indirect,
                               struct fragment **result, app_pc *fault);

/* The blocks that a trace goes through, by PC, and behind them where control
   went from the last one; 0 if that is nowhere.  */
#define PATH_MAX 32

struct path
{
  unsigned n;
  app_pc pc[PATH_MAX + 1];
};

enum trace_status
{
  TRACE_BUILT,
  TRACE_FULL,           /* as BUILD_FULL */
  TRACE_UNFIT           /* code that may change unseen, or cannot be fetched,
                           or that rules have to do with */
};

/* Build the trace of PATH and publish it in place of the block OLD (0: there
   is none).  */
enum trace_status block_build_trace (const struct path *path,
                                     struct fragment *old,
                                     struct fragment **result);

/* Build a block of FLAVOUR_RECORD at PC, to be run once: it is in no table,
   and the next one may stand in its place.  */
enum trace_status block_build_record (app_pc pc, struct fragment **result);

/* A trace fits into the cache at all.  */
bool block_traces_fit (void);

/* block.c's part of cache_reset.  */
void block_reset (void);

/* Give F, which has none, a prefix that stands alone, and let lookups find
   it.  False if there is no room.  */
bool block_add_prefix (struct fragment *f);

#endif
