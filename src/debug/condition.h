/* The agent expressions of a breakpoint, and the code for them that stands in
   front of its instruction: conditions of which none is true go on inline;
   when one is, commands are run, and the thread leaves.

   A thread that is interrupted between the first command and the exit comes
   to the point again.

   No state but a scratch map for the verifier; the cache lock is held by
   condition_emit, the lock of points by the others.  */

#ifndef DEBUG_CONDITION_H
#define DEBUG_CONDITION_H

#include "agent/agent.h"
#include "cache/rewrite.h"

/* Limits of what is put into fragments; what is beyond stops always, and is
   left to the debugger to decide.  */
#define CONDITION_MAX_LENGTH 2048       /* bytes of an expression */
#define CONDITION_MAX_CODE 24576        /* bytes of code at a point */
#define CONDITION_MAX_REFS (ARCH_MAX_FAULTS / 2)        /* of one kind */

/* Expressions, each a uint32_t with its length and then its bytes, padded to
   4, as in the channel.  */
struct condition_list
{
  const uint8_t *code;
  uint32_t size;
  uint32_t n;
};

/* What a list needs.  */
struct condition_needs
{
  size_t room;                  /* bytes of code at most */
  unsigned mask;                /* registers to be saved */
  unsigned n_refs;
  bool all_flags;
};

/* Look at the expressions of CONDITIONS and COMMANDS at PC.  Returns the
   refusal of the first that cannot be compiled, or BYTECODE_OK with *NEEDS
   filled in.  */
MUST_USE enum bytecode_refusal
condition_verify (const struct condition_list *conditions,
                  const struct condition_list *commands, app_pc pc,
                  struct condition_needs *needs);

/* Write to S code that evaluates CONDITIONS; when one is true, or there are
   none, it runs COMMANDS and leaves by an EXIT_POINT with CONTEXT_SPILL (0)
   being 0; or, when one fails, an enum agent_error.  NEEDS are what both
   need.  */
void condition_emit (struct rule_site *s,
                     const struct condition_list *conditions,
                     const struct condition_list *commands,
                     const struct condition_needs *needs);

/* The bytes of the N expressions of L, of which size is the most that it can
   be; 0: it is not well formed.  */
MUST_USE uint32_t condition_list_size (const struct condition_list *l);

/* What expressions may call.  */
const struct agent_hooks *condition_hooks (void);

/* The expression of L after AT, which starts as 0; false: there is none, or
   the list is not well formed.  */
MUST_USE bool condition_next (const struct condition_list *l, uint32_t *at,
                              const uint8_t **bytes, uint32_t *length);

/* Look at one expression, of any owner, with the limits that there are here;
   write the code of such a one to S.  */
MUST_USE enum bytecode_refusal
condition_look (const struct agent_request *r, struct bytecode_info *info);
void condition_write (struct rule_site *s, const struct agent_request *r);

#endif
