/* A build: one pass over the application's instructions, with no list of
   them, that writes code and then makes a fragment of it.  Blocks (block.h)
   and traces (path.h) are built by it; what follows is for these two.

   The state of a build is one structure, guarded by the cache lock.  What can
   be copied is not copied at once: RUN marks where a run of such instructions
   began, and the run is written when something else comes.

   A block ends at a branch, in front of a page that cannot be executed, at
   the end of its second page, and when it has grown to BUILD_MAX_APP bytes or
   BUILD_MAX_CODE bytes of code.

   A trace follows a path: where a block would end with a way to the next
   block of the path, that block's segment begins instead.  */

#ifndef CACHE_BUILD_H
#define CACHE_BUILD_H

#include "cache/path.h"
#include "cache/region.h"

#define BUILD_MAX_APP 1024
/* Of what rules write behind the code of a trace (rule_segment).  */
#define BUILD_MORE_SEGMENTS 64
#define BUILD_MAX_CODE 3072
/* Code that a block may take in all, and units: one for each exit, one for
   the pushed address, one for the slot of the prefix.  */
#define BUILD_RESERVE                                                         \
  (BUILD_MAX_CODE + BUILD_MAX_APP + 4 * ARCH_REWRITE_MAX + REWRITE_VERIFY_MAX)
#define BUILD_UNITS (FRAGMENT_MAX_EXITS + 2)
/* The same for a trace.  */
#define TRACE_MAX_CODE 6144
#define TRACE_MAX_EXITS 64
#define TRACE_RESERVE (TRACE_MAX_CODE + BUILD_MAX_APP + 4 * ARCH_REWRITE_MAX)
#define TRACE_UNITS (TRACE_MAX_EXITS + PATH_MAX + 2)

struct build
{
  /* To be set before build_start.  */
  struct region *region;        /* has the room */
  const struct path *path;      /* of a trace; else 0 */
  app_pc end;                   /* no instruction may reach beyond */
  size_t room;                  /* that rules want for an instruction; 0: they
                                   are not asked */
  app_pc ends[PATH_MAX + 1];    /* END for each block of the path */

  struct rewriter w;
  app_pc pc, run;               /* next instruction; start of the run */
  bool near, done;
  unsigned set;                 /* rules that wrote in front of what is next */
  size_t later;                 /* bytes that rules will write at the end */
  unsigned n_exits, max_exits;
  struct exit exits[TRACE_MAX_EXITS];
  uint8_t *units[TRACE_MAX_EXITS];      /* writable view */
  cache_pc prefix;
  uint32_t prefix_slot;         /* offset in the region */
  unsigned step;                /* of the path */
  struct segment segments[PATH_MAX + 1 + BUILD_MORE_SEGMENTS];
};

/* The one that there is.  */
struct build *build_get (void);

/* The application's bytes at PC.  The engine has said that they can be
   read.  */
static inline const uint8_t *
build_bytes (app_pc pc)
{
  return (const uint8_t *) pc;
}

/* How far what begins at PC, where X is, may go.  */
app_pc build_segment_end (app_pc pc, const struct memory_extent *x);

/* Begin at PC.  INDIRECT: put a prefix in front.  */
void build_start (struct build *b, app_pc pc, enum flavour flavour,
                  bool indirect);

/* Decode and write instructions until the block ends.  False if not even the
   first one can be fetched.  */
bool build_body (struct build *b, enum flavour flavour);

/* What B has built needs so much memory.  */
size_t build_size (const struct build *b);

/* Make F, which may be null, the fragment for what B has built.  */
struct fragment *build_fill (struct build *b, enum flavour flavour,
                             struct fragment *f);

/* F, to be published, enters the lists of its pages.  False: there is no
   memory, and it is retired.  */
bool build_enter_pages (struct fragment *f);

/* Give F its exits, now that it has its place in memory.  */
void build_finish_exits (struct build *b, struct fragment *f);

/* F can be found and entered from now on.  */
void build_publish (struct build *b, struct fragment *f);

/* A prefix for PC at the place of E, with a slot in a unit of R, whose offset
   is the result.  */
uint32_t build_prefix (struct region *r, struct emit *e, app_pc pc);

/* A new exit of KIND to TARGET; returns its number.  Its branch goes to a
   unit, which is filled in when the fragment has its place in memory.  */
unsigned build_add_exit (struct build *b, enum exit_kind kind, app_pc target);

/* Where the branch of exit N goes while it is not linked.  */
cache_pc build_exit_unit (const struct build *b, unsigned n);

/* FIELD, in the writable view, is that of exit N's branch.  */
void build_set_field (struct build *b, unsigned n, const uint8_t *field);

/* What is being built ends with an exit of KIND to TARGET.  */
void build_end_with (struct build *b, enum exit_kind kind, app_pc target);

#endif
