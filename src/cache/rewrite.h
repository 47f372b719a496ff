/* The rewriting pipeline: what rooms above the cache put into fragments.

   A rule is asked for each instruction of the blocks that it is not idle
   for, in the order in which the rules were added.  It may end the block in
   front of the instruction, or write code there: code that leaves no trace in
   the application's registers, flags and stack, and that has notes
   (arch/rewrite.h) for all of its instructions.

   The cache lock is held; the site and all that it points to belong to the
   block that is being built.  */

#ifndef CACHE_REWRITE_H
#define CACHE_REWRITE_H

#include "cache/fragment.h"

enum rule_action
{
  RULE_NONE,
  RULE_STOP,    /* end the block in front of it with an EXIT_POINT */
  RULE_CODE     /* call emit */
};

/* Where a rule writes: in front of INSN.  */
struct rule_site
{
  struct rewriter *w;
  const struct insn *insn;
  enum flavour flavour;
  struct build *build;          /* the cache's own */
};

struct cache_rule
{
  /* The most code that the rule may write for one instruction in
     [START, END), bytes, finish included; 0: it has nothing to say there, and
     is not asked.  */
  size_t (*room) (app_pc start, app_pc end, enum flavour flavour);

  enum rule_action (*before) (const struct insn *i, enum flavour flavour);

  /* Write to the site.  Returns the bytes that finish will write on its
     account.  Null for a rule that never says RULE_CODE.  */
  size_t (*emit) (struct rule_site *s);

  /* I, which emit was called for, has been written, is no branch, and the
     next one follows.  Null: nothing to do.  */
  void (*after) (const struct insn *i, struct rewriter *w);

  /* The block has ended: write behind it what emit put off.  Null: none.  */
  void (*finish) (struct rewriter *w);
};

#define CACHE_MAX_RULES 8

/* Add RULE, which stays in force; once at the start of the process.  */
void cache_add_rule (const struct cache_rule *rule);

/* The address, which stays, of an EXIT_POINT in front of S's instruction.  At
   most one for an instruction.  */
cache_pc rule_exit_point (struct rule_site *s);

/* From finish: what is written from here on belongs to application code with
   the base BASE, which W's pc was when emit was called, and becomes again.  */
void rule_segment (struct rewriter *w, app_pc base);

#endif
