/* The rules that rooms above have added (rewrite.h), asked all together.
   They are added at the start of the process and stay.  */

#ifndef CACHE_RULES_H
#define CACHE_RULES_H

#include "cache/rewrite.h"

/* What all of them may write for one instruction in [START, END); 0: none
   needs to be asked there.  */
size_t rules_room (app_pc start, app_pc end, enum flavour flavour);

/* What rules want in front of I: the strongest, and in *SET a bit for each
   that wants to write.  */
enum rule_action rules_ask (const struct insn *i, enum flavour flavour,
                            unsigned *set);

/* Let those of SET write to SITE.  Returns the bytes that they will write at
   the end of the block.  */
size_t rules_emit (struct rule_site *site, unsigned set);

/* I, for which those of SET wrote, has been written.  */
void rules_after (const struct insn *i, struct rewriter *w, unsigned set);

/* The block has ended.  */
void rules_finish (struct rewriter *w);

#endif
