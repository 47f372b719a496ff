/* See block.h.

   The state of a build is one static structure, guarded by the cache lock.
   What can be copied is not copied at once: RUN marks where a run of such
   instructions began, and the run is written when something else comes.

   A block whose bytes may change unseen begins with code that compares them
   with what was translated, and ends behind its first store.

   A block ends at a branch, in front of a page that cannot be executed, at
   the end of its second page, and when it has grown to BLOCK_MAX_APP bytes or
   BLOCK_MAX_CODE bytes of code.  */

#include "cache/block.h"
#include "arch/lookup.h"
#include "cache/lookup.h"
#include "cache/pages.h"
#include "cache/region.h"
#include "common/assert.h"

#define BLOCK_MAX_APP 1024
#define BLOCK_MAX_CODE 3072
/* Code that a block may take in all, and units: one for each exit, one for
   the pushed address, one for the slot of the prefix.  */
#define BLOCK_RESERVE                                                         \
  (BLOCK_MAX_CODE + BLOCK_MAX_APP + 4 * ARCH_REWRITE_MAX + REWRITE_VERIFY_MAX)
#define BLOCK_UNITS (FRAGMENT_MAX_EXITS + 2)

struct build
{
  struct rewriter w;
  struct region *region;
  app_pc pc, run;               /* next instruction; start of the run */
  app_pc end;                   /* no instruction may reach beyond */
  bool near, done;
  size_t room;                  /* that rules want for an instruction; 0: they
                                   are not asked */
  size_t later;                 /* bytes that rules will write at the end */
  unsigned n_exits;
  struct exit exits[FRAGMENT_MAX_EXITS];
  uint8_t *units[FRAGMENT_MAX_EXITS];   /* writable view */
  cache_pc prefix;
  uint32_t prefix_slot;         /* offset in the region */
};

static struct build the_build;

static const struct cache_rule *rules[CACHE_MAX_RULES];
static unsigned n_rules;

/* See cache.h.  */
void
cache_add_rule (const struct cache_rule *rule)
{
  vm_assert (n_rules < CACHE_MAX_RULES);
  rules[n_rules++] = rule;
}

/* What rules may write for an instruction in [START, END).  */
static size_t
rules_room (app_pc start, app_pc end, enum flavour flavour)
{
  size_t room = 0;

  for (unsigned n = 0; n < n_rules; n++)
    room += rules[n]->room (start, end, flavour);
  return room;
}

/* What rules want in front of I: the strongest, and in *SET a bit for each
   that wants to write.  */
static enum rule_action
ask_rules (const struct insn *i, enum flavour flavour, unsigned *set)
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

/* The application's bytes at PC.  The engine has said that they can be
   read.  */
static const uint8_t *
app_bytes (app_pc pc)
{
  return (const uint8_t *) pc;
}

static void
end_run (struct build *b)
{
  if (b->run == b->pc)
    return;
  rewrite_note (&b->w, ARCH_NOTE_COPY, b->run - b->w.pc, 0);
  emit_bytes (&b->w.e, app_bytes (b->run), b->pc - b->run);
  b->run = b->pc;
}

/* A new exit of KIND to TARGET; returns its number.  Its branch goes to a
   unit, which is filled in when the fragment has its place in memory.  */
static unsigned
add_exit (struct build *b, enum exit_kind kind, app_pc target)
{
  unsigned n = b->n_exits++;
  struct exit *x = b->exits + n;

  vm_assert (n < FRAGMENT_MAX_EXITS);
  *x = (struct exit){ .target = target, .kind = (uint8_t) kind };
  x->unit = region_offset (b->region,
                           region_unit (b->region, b->units + n));
  return n;
}

/* Where the branch of exit N goes while it is not linked.  */
static cache_pc
exit_unit (const struct build *b, unsigned n)
{
  return b->region->start + b->exits[n].unit;
}

/* See rewrite.h.  */
cache_pc
rule_exit_point (struct rule_site *s)
{
  struct build *b = s->build;

  return exit_unit (b, add_exit (b, EXIT_POINT, b->pc));
}

static void
set_field (struct build *b, unsigned n, const uint8_t *field)
{
  b->exits[n].field = (uint16_t) (field - b->w.start);
}

/* Give back the registers of MASK that rules have, in front of the next
   instruction.  */
static void
give_back (struct build *b, unsigned mask)
{
  if (!(b->w.lent & mask))
    return;
  end_run (b);
  rewrite_note (&b->w, ARCH_NOTE_AT, b->pc - b->w.pc, 0);
  rewrite_give_back (&b->w, mask);
}

static void
jump_to_exit (struct build *b, unsigned n)
{
  rewrite_note (&b->w, ARCH_NOTE_EXIT, n, 0);
  set_field (b, n, rewrite_jump (&b->w, exit_unit (b, n)));
}

static void
end_with (struct build *b, enum exit_kind kind, app_pc target)
{
  give_back (b, REWRITE_ALL);
  jump_to_exit (b, add_exit (b, kind, target));
  b->done = true;
}

/* The lookup code of the region; %rcx is the target and spilled.  */
static void
end_with_lookup (struct build *b)
{
  rewrite_note (&b->w, ARCH_NOTE_TARGET_RCX, 0, 1u << ARCH_RCX);
  emit_jmp (&b->w.e, b->region->start);
  b->done = true;
}

static void
push_return (struct build *b, const struct insn *i, unsigned spilled)
{
  app_pc ret = i->pc + i->length;
  cache_pc slot = 0;

  if (rewrite_push_needs_slot (ret))
    {
      uint8_t *unit;
      slot = region_unit (b->region, &unit) + ARCH_UNIT_DATA_AT;
      arch_unit_data (unit, ret);
    }
  rewrite_push_return (&b->w, i, slot, spilled);
}

static void
build_conditional (struct build *b, const struct insn *i)
{
  unsigned taken = add_exit (b, EXIT_DIRECT, i->target);
  unsigned fall = add_exit (b, EXIT_DIRECT, i->pc + i->length);
  uint8_t *fall_field;

  set_field (b, taken,
             rewrite_conditional (&b->w, i, taken, exit_unit (b, taken),
                                  exit_unit (b, fall), &fall_field));
  if (fall_field)
    set_field (b, fall, fall_field);
  else
    jump_to_exit (b, fall);
  b->done = true;
}

/* What ends a block with no code of its own but a reason to leave.  */
static void
build_refusal (struct build *b, const struct insn *i)
{
  b->pc = b->run = i->pc;
  end_with (b, EXIT_UNSUPPORTED, i->pc);
}

/* An instruction that faults in the application faults in the cache too.  It
   may be one that this processor knows and the decoder does not: then the
   application goes on behind it.  */
static void
build_faulting (struct build *b, const struct insn *i)
{
  rewrite_note (&b->w, ARCH_NOTE_COPY, i->pc - b->w.pc, 0);
  emit_bytes (&b->w.e, i->bytes, i->length);
  end_with (b, EXIT_DIRECT, i->pc + i->length);
}

/* A transaction may always abort: %eax says that a retry is of no use.  */
static void
build_xbegin (struct build *b, const struct insn *i)
{
  rewrite_note (&b->w, ARCH_NOTE_AT, i->pc - b->w.pc, 0);
  emit_mov_imm (&b->w.e, ARCH_RAX, 0);
  end_with (b, EXIT_DIRECT, i->target);
}

static void
build_branch (struct build *b, const struct insn *i)
{
  switch ((enum insn_branch) i->branch)
    {
    case INSN_JCC:
    case INSN_LOOP:
      build_conditional (b, i);
      break;
    case INSN_JMP:
      end_with (b, EXIT_DIRECT, i->target);
      break;
    case INSN_CALL:
      push_return (b, i, 0);
      end_with (b, EXIT_DIRECT, i->target);
      break;
    case INSN_JMP_IND:
    case INSN_CALL_IND:
      if (rewrite_load_target (&b->w, i, b->near) != REWRITE_OK)
        {
          build_refusal (b, i);
          break;
        }
      if (i->branch == INSN_CALL_IND)
        push_return (b, i, 1u << ARCH_RCX);
      end_with_lookup (b);
      break;
    case INSN_RET:
      rewrite_pop_target (&b->w, i);
      end_with_lookup (b);
      break;
    case INSN_SYSCALL:
      end_with (b, EXIT_SYSCALL, i->pc);
      break;
    case INSN_INT:
      end_with (b, EXIT_INTERRUPT, i->pc);
      break;
    case INSN_XBEGIN:
      build_xbegin (b, i);
      break;
    case INSN_INT3:
    case INSN_INT1:
    case INSN_UD:
    case INSN_HLT:
      build_faulting (b, i);
      break;
    case INSN_FAR:
    case INSN_SYSENTER:
    case INSN_NO_BRANCH:
      build_refusal (b, i);
      break;
    }
}

/* One instruction that is not simply copied.  */
static void
build_special (struct build *b, const struct insn *i)
{
  if (i->branch != INSN_NO_BRANCH)
    give_back (b, REWRITE_ALL);
  b->pc = b->run = i->pc + i->length;
  if (i->branch != INSN_NO_BRANCH)
    build_branch (b, i);
  else if (rewrite_operand (&b->w, i, b->near) != REWRITE_OK)
    build_refusal (b, i);
}

static size_t
code_size (const struct build *b)
{
  return (size_t) (b->w.e.at - b->w.start) + (b->pc - b->run) + b->later;
}

/* Let the rules of SET write in front of I; each may want an exit.  False if
   there is no room for that: the block ends there.  */
static bool
write_rules (struct build *b, const struct insn *i, enum flavour flavour,
             unsigned set)
{
  struct rule_site site = { &b->w, i, flavour, b };

  end_run (b);
  if (b->pc != b->w.pc
      && (b->n_exits + 3 > FRAGMENT_MAX_EXITS || b->w.n_faults))
    {
      end_with (b, EXIT_DIRECT, b->pc);
      return false;
    }
  for (unsigned n = 0; n < n_rules; n++)
    if (set & 1u << n)
      b->later += rules[n]->emit (&site);
  return true;
}

/* Ask the rules about I, and do what they want; true if the block ends in
   front of it.  */
static bool
apply_rules (struct build *b, const struct insn *i, enum flavour flavour)
{
  unsigned set;

  switch (ask_rules (i, flavour, &set))
    {
    case RULE_STOP:
      end_run (b);
      end_with (b, EXIT_POINT, b->pc);
      return true;
    case RULE_CODE:
      if (!write_rules (b, i, flavour, set))
        return true;
      break;
    case RULE_NONE:
      break;
    }
  if (b->w.lent)
    give_back (b, rewrite_needed (&b->w, i));
  if (b->w.kept)
    rewrite_passes (&b->w, i);
  return false;
}

static void
finish_rules (struct build *b)
{
  for (unsigned n = 0; b->room && n < n_rules; n++)
    if (rules[n]->finish)
      rules[n]->finish (&b->w);
}

/* Decode and write instructions until the block ends.  False if not even the
   first one can be fetched.  */
static bool
build_body (struct build *b, enum flavour flavour)
{
  struct insn i;

  while (!b->done)
    {
      enum insn_status s
          = insn_decode (&i, app_bytes (b->pc), b->end - b->pc, b->pc);
      if (s == INSN_TRUNCATED)
        {
          if (b->pc == b->w.pc)
            return false;
          end_run (b);
          end_with (b, EXIT_DIRECT, b->pc);
        }
      else if (b->room && s == INSN_OK && apply_rules (b, &i, flavour))
        break;
      else if (s == INSN_OK && rewrite_is_copy (&i))
        b->pc += i.length;
      else
        {
          end_run (b);
          if (s == INSN_OK)
            build_special (b, &i);
          else
            {
              b->pc = b->run = i.pc + i.length;
              build_faulting (b, &i);
            }
        }
      if (!b->done
          && (flavour_steps (flavour) || b->pc - b->w.pc > BLOCK_MAX_APP
              || code_size (b) > BLOCK_MAX_CODE
              || b->w.n_notes > ARCH_MAX_NOTES / 2))
        {
          end_run (b);
          end_with (b, EXIT_DIRECT, b->pc);
        }
    }
  finish_rules (b);
  return true;
}

static bool
writes_memory (const struct insn *i)
{
  struct insn_mem m[INSN_MAX_MEM];
  unsigned n = insn_memory (i, m);

  while (n--)
    if (m[n].access & INSN_WRITE)
      return true;
  return i->properties & INSN_UNKNOWN;
}

/* How far a block goes that verifies its bytes.  */
static app_pc
verified_end (const struct build *b)
{
  app_pc pc = b->pc, limit = MIN (b->end, pc + REWRITE_VERIFY_APP_MAX);
  struct insn i;

  while (insn_decode (&i, app_bytes (pc), limit - pc, pc) == INSN_OK)
    {
      pc += i.length;
      if (i.branch != INSN_NO_BRANCH || writes_memory (&i))
        break;
    }
  return pc > b->pc ? pc : limit;
}

static void
build_verification (struct build *b)
{
  unsigned changed = add_exit (b, EXIT_CHANGED, b->pc);

  b->end = verified_end (b);
  rewrite_verify (&b->w, b->pc, b->end - b->pc, exit_unit (b, changed));
}

/* A fragment for what B has built.  */
static struct fragment *
make_fragment (struct build *b, enum flavour flavour)
{
  size_t notes = b->w.n_notes * sizeof (struct arch_note);
  unsigned n_faults = b->w.n_faults;
  size_t faults = n_faults ? (n_faults + 1) * sizeof (struct arch_fault) : 0;
  struct fragment *f = memory_alloc (
      sizeof *f + b->n_exits * sizeof (struct exit) + notes + faults);

  if (!f)
    return 0;
  f->pc = b->w.pc;
  f->entry = b->w.start + b->w.e.delta;
  /* A block that is nothing but a stop belongs to its first byte.  */
  f->app_size = (uint16_t) MAX (b->pc - b->w.pc, 1);
  f->size = (uint16_t) (b->w.e.at - b->w.start);
  f->flavour = flavour & 15;
  f->n_exits = (uint8_t) b->n_exits;
  f->n_notes = (uint16_t) b->w.n_notes;
  __builtin_memcpy (f->exits + b->n_exits, b->w.notes, notes);
  f->has_faults = n_faults != 0;
  b->w.faults[n_faults] = (struct arch_fault){ 0, 0 };
  __builtin_memcpy ((void *) fragment_faults (f), b->w.faults, faults);
  if (b->prefix)
    {
      f->prefix = region_offset (b->region, b->prefix);
      f->next_prefix = b->prefix_slot;
    }
  return f;
}

static void
finish_exits (struct build *b, struct fragment *f)
{
  for (unsigned n = 0; n < b->n_exits; n++)
    {
      struct exit *x = f->exits + n;
      *x = b->exits[n];
      x->index = (uint8_t) n;
      if (flavour_steps (f->flavour) && x->kind == EXIT_DIRECT)
        x->kind = EXIT_STEPPED;
      arch_unit_exit (b->units[n], memory_number (x));
    }
}

/* A prefix at the place of E, with a slot in a unit of R, whose offset is the
   result.  */
static uint32_t
emit_prefix (struct region *r, struct emit *e, app_pc pc)
{
  uint8_t *unit;
  cache_pc at = region_unit (r, &unit);

  arch_unit_data (unit, 0);
  arch_emit_prefix (e, pc, at + ARCH_UNIT_DATA_AT);
  return region_offset (r, at + ARCH_UNIT_DATA_AT);
}

static void
start_build (struct build *b, app_pc pc, bool indirect)
{
  int64_t distance = (int64_t) (pc - (uint64_t) b->region->start);

  region_begin (b->region, &b->w.e);
  b->prefix = 0;
  if (indirect)
    {
      b->prefix = emit_pc (&b->w.e);
      b->prefix_slot = emit_prefix (b->region, &b->w.e, pc);
    }
  b->w.start = b->w.e.at;
  b->w.pc = b->pc = b->run = pc;
  b->w.n_notes = b->w.n_faults = 0;
  b->w.lent = b->w.kept = 0;
  b->w.constant = 0;
  b->n_exits = 0;
  b->done = false;
  b->later = 0;
  b->near = distance == (int32_t) distance && cache_options ()->near;
}

static void
publish (struct build *b, struct fragment *f)
{
  region_index (b->region, b->prefix ? b->prefix : f->entry, f, false);
  region_commit (b->region, &b->w.e);
  lookup_insert (f);
  if (f->prefix)
    lookup_publish (f);
  cache_stats ()->blocks++;
  cache_stats ()->app_bytes += f->app_size;
}

/* See block.h.  */
enum build_status
block_build (app_pc pc, enum flavour flavour, bool indirect,
             struct fragment **result, app_pc *fault)
{
  struct build *b = &the_build;
  struct memory_extent x;
  struct fragment *f;
  size_t units;

  *fault = pc;
  if (!memory_calls ()->extent (pc, &x))
    return BUILD_FAULT;
  b->end = MIN (x.end, PAGE_DOWN (pc) + 2 * PAGE_SIZE);
  b->room = rules_room (pc, b->end, flavour);
  b->region = region_reserve (pc, BLOCK_RESERVE + b->room, BLOCK_UNITS);
  if (!b->region)
    return BUILD_FULL;
  units = b->region->units;
  start_build (b, pc, indirect);
  if (x.verify)
    build_verification (b);
  if (!build_body (b, flavour))
    {
      b->region->units = units;
      *fault = b->end;
      return BUILD_FAULT;
    }
  f = make_fragment (b, flavour);
  if (!f || !pages_insert (f))
    {
      b->region->units = units;
      return BUILD_FULL;
    }
  finish_exits (b, f);
  publish (b, f);
  *result = f;
  return BUILD_OK;
}

/* See block.h.  */
bool
block_add_prefix (struct fragment *f)
{
  struct region *r = region_find ((uint64_t) f->entry);
  struct emit e;
  cache_pc at;

  if (r->code + 2 * ARCH_PREFIX_MAX + ARCH_UNIT_SIZE > r->units)
    return false;
  region_begin (r, &e);
  at = emit_pc (&e);
  f->next_prefix = emit_prefix (r, &e, f->pc);
  emit_jmp (&e, f->entry);
  region_index (r, at, f, true);
  region_commit (r, &e);
  f->prefix = region_offset (r, at);
  lookup_publish (f);
  return true;
}
