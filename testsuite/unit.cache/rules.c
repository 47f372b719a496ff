/* Code and stops of rules inside of traces: each passing of the instruction is
   counted, a stop that is added to what a trace goes through is seen at once,
   and once nothing is wanted there the loop is a trace as before.  */

#include "little-engine.h"
#include "cache/lookup.h"
#include "lib/check.h"

static uint64_t count;
static app_pc counted, stopped;
static unsigned long stops, other_flavours;

static long __attribute__ ((noinline))
leaf (long i, long m)
{
  return i % 3 == 0 ? i ^ m : i + m;
}

static long __attribute__ ((noinline))
loop (long n, long m)
{
  long sum = 0;

  for (long i = 0; i < n; i++)
    sum = sum * 5 + leaf (i, m);
  return sum;
}

static size_t
room (app_pc start, app_pc end, enum flavour flavour)
{
  (void) flavour;
  return (counted >= start && counted < end)
                 || (stopped >= start && stopped < end)
             ? 4 * REWRITE_SAVE_MAX
             : 0;
}

static enum rule_action
before (const struct insn *i, enum flavour flavour)
{
  other_flavours += flavour != FLAVOUR_PLAIN;
  return i->pc == stopped   ? RULE_STOP
         : i->pc == counted ? RULE_CODE
                            : RULE_NONE;
}

static size_t
emit (struct rule_site *s)
{
  unsigned mask = 1u << ARCH_RAX | 1u << ARCH_RCX;
  struct emit *e = &s->w->e;

  rewrite_save (s->w, s->insn, mask, false);
  emit_mov_imm (e, ARCH_RCX, (uint64_t) &count);
  emit_load (e, ARCH_RAX, ARCH_RCX, 0);
  emit_lea (e, ARCH_RAX, ARCH_RAX, 1);
  emit_store (e, ARCH_RAX, ARCH_RCX, 0);
  rewrite_restore (s->w, s->insn, mask);
  return 0;
}

/* A stop passes, and is gone.  */
static void
at_point (struct arch_context *c)
{
  stops += c->rip == stopped;
  stopped = 0;
  cache_flush (c->rip, c->rip + 1);
}

static void
set (app_pc *point, app_pc pc)
{
  app_pc old = *point;

  *point = pc;
  cache_flush (old, old + 1);
  cache_flush (pc, pc + 1);
}

/* A trace goes through leaf, whole.  */
static bool
is_traced (void)
{
  const struct region *r;
  const struct region_entry *e;

  for (unsigned i = 0; (r = region_number (i)); i++)
    for (uint32_t k = 0; (e = region_entry (r, k)); k++)
      {
        struct fragment *f = fragment_of (e->fragment & ~15u);
        for (unsigned n = 0; f->state == FRAGMENT_LIVE && f->is_trace
                             && n <= f->n_more; n++)
          if (fragment_segment (f, n)->pc == (app_pc) leaf)
            return true;
      }
  return false;
}

static void
check_counts (const char *how)
{
  long want = loop (5000, 7);

  count = 0;
  check (little_call (loop, 5000, 7) == want, "result, %s", how);
  check (count == (counted ? 5000 : 0), "%lu counted, %s", count, how);
  check (is_traced (), "a trace goes through it, %s", how);
}

static void
check_stops (app_pc pc, const char *where)
{
  long want = loop (5000, 7);

  set (&stopped, pc);
  stops = 0;
  check (little_call (loop, 5000, 7) == want && stops == 1,
         "a stop %s of what is traced", where);
  check_counts (where);
}

static app_pc
second_instruction (app_pc pc)
{
  struct insn i;

  return insn_decode (&i, (const uint8_t *) pc, 16, pc) == INSN_OK
             ? pc + i.length
             : pc;
}

static void
check_threshold (unsigned threshold)
{
  little_threshold = threshold;
  little_init (0, true);
  check_counts ("nothing wanted");
  set (&counted, (app_pc) leaf);
  check_counts ("one rule");
  check_stops ((app_pc) leaf, "at the beginning");
  check_stops (second_instruction ((app_pc) leaf), "in the middle");
  set (&counted, 0);
  check_counts ("nothing wanted any more");
}

int
main (void)
{
  static const struct cache_rule rule
      = { .room = room, .before = before, .emit = emit };

  little_point = at_point;
  cache_add_rule (&rule);
  check_threshold (2);
  check_threshold (50);
  check (other_flavours == 0, "rules see plain fragments only");
  return check_done ();
}
