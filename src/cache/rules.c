/* See rules.h.  */

#include "cache/rules.h"
#include "common/assert.h"

static const struct cache_rule *rules[CACHE_MAX_RULES];
static unsigned n_rules;

/* See rewrite.h.  */
void
cache_add_rule (const struct cache_rule *rule)
{
  vm_assert (n_rules < CACHE_MAX_RULES);
  rules[n_rules++] = rule;
}

/* See rules.h.  */
size_t
rules_room (app_pc start, app_pc end, enum flavour flavour)
{
  size_t room = 0;

  for (unsigned n = 0; n < n_rules; n++)
    room += rules[n]->room (start, end, flavour);
  return room;
}

/* See rules.h.  */
enum rule_action
rules_ask (const struct insn *i, enum flavour flavour, unsigned *set)
{
  *set = 0;
  for (unsigned n = 0; n < n_rules; n++)
    switch (rules[n]->before (i, flavour))
      {
      case RULE_NONE:
        break;
      case RULE_STOP:
        return RULE_STOP;
      case RULE_CODE:
        *set |= 1u << n;
      }
  return *set ? RULE_CODE : RULE_NONE;
}

/* See rules.h.  */
size_t
rules_emit (struct rule_site *site, unsigned set)
{
  size_t later = 0;

  for (unsigned n = 0; n < n_rules; n++)
    if (set & 1u << n)
      later += rules[n]->emit (site);
  return later;
}

/* See rules.h.  */
void
rules_after (const struct insn *i, struct rewriter *w, unsigned set)
{
  for (unsigned n = 0; n < n_rules; n++)
    if ((set & 1u << n) && rules[n]->after)
      rules[n]->after (i, w);
}

/* See rules.h.  */
void
rules_finish (struct rewriter *w)
{
  for (unsigned n = 0; n < n_rules; n++)
    if (rules[n]->finish)
      rules[n]->finish (w);
}
