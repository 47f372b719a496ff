/* Paths: a trace as it is built, following the way that control took.

   Where a block would end and the path goes on, a new segment begins, and
   control falls into it: a jump or call to there leaves nothing, the other
   way of a conditional branch becomes a side exit, the target of an indirect
   one is compared with the address expected.  Rules are asked as for blocks:
   a trace ends in front of an instruction where one wants a stop.  */

#ifndef CACHE_PATH_H
#define CACHE_PATH_H

#include "cache/cache.h"

struct build;

/* The blocks that a trace goes through, by PC, and behind them where control
   went from the last one; 0 if that is nowhere.  */
#define PATH_MAX 32

struct path
{
  unsigned n;
  app_pc pc[PATH_MAX + 1];
};

enum path_status
{
  PATH_BUILT,
  PATH_FULL,            /* as BUILD_FULL */
  PATH_UNFIT            /* code that may change unseen, or cannot be fetched,
                           or where rules may write too much */
};

/* Build the trace of PATH in FLAVOUR and publish it in place of the block OLD
   (0: there is none).  */
enum path_status path_build (const struct path *path, enum flavour flavour,
                             struct fragment *old, struct fragment **result);

/* Build a block at PC that records for FLAVOUR, to be run once: it is in no
   table, and the next one may stand in its place.  */
enum path_status path_build_record (app_pc pc, enum flavour flavour,
                                    struct fragment **result);

/* A trace fits into the cache at all.  */
bool path_traces_fit (void);

/* path.c's part of cache_reset.  */
void path_reset (void);

/* For build.c, which may be without a path.  B's path, if there is one, goes
   on from here to TARGET.  */
bool path_goes_to (const struct build *b, app_pc target);

/* The next segment begins.  */
void path_begin_segment (struct build *b);

/* The indirect branch whose target is in %rcx, which is spilled, is expected
   to go where the path does.  */
void path_expect (struct build *b);

/* If the path goes on behind the conditional branch I, write it so that what
   does not stay on the path leaves.  */
bool path_side_exit (struct build *b, const struct insn *i);

#endif
