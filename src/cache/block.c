/* See block.h.

   The state of a build is one static structure, guarded by the cache lock.
   What can be copied is not copied at once: RUN marks where a run of such
   instructions began, and the run is written when something else comes.

   A block whose bytes may change unseen begins with code that compares them
   with what was translated, and ends behind its first store.

   A block ends at a branch, in front of a page that cannot be executed, at
   the end of its second page, and when it has grown to BLOCK_MAX_APP bytes or
   BLOCK_MAX_CODE bytes of code.

   A trace is built by the same code, following a path: where a block would
   end with a way to the next block of the path, that block's segment begins
   instead.  Rules are never asked for one.  */

#include "cache/block.h"
#include "arch/enter.h"
#include "arch/lookup.h"
#include "cache/lookup.h"
#include "cache/link.h"
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
#define TRACE_MAX_CODE 6144
#define TRACE_MAX_EXITS 64
#define TRACE_RESERVE (TRACE_MAX_CODE + BLOCK_MAX_APP + 4 * ARCH_REWRITE_MAX)
#define TRACE_UNITS (TRACE_MAX_EXITS + PATH_MAX + 2)

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
  unsigned n_exits, max_exits;
  struct exit exits[TRACE_MAX_EXITS];
  uint8_t *units[TRACE_MAX_EXITS];      /* writable view */
  cache_pc prefix;
  uint32_t prefix_slot;         /* offset in the region */
  const struct path *path;      /* of a trace; else 0 */
  unsigned step;                /* of the path */
  struct segment segments[PATH_MAX + 1];
  app_pc ends[PATH_MAX + 1];    /* END for each of them */
};

/* What the largest fragment that is no trace needs.  */
#define RECORD_SIZE                                                           \
  (sizeof (struct fragment) + FRAGMENT_MAX_EXITS * sizeof (struct exit)       \
   + ARCH_MAX_NOTES * sizeof (struct arch_note))

static struct build the_build;
/* The only fragment of FLAVOUR_RECORD; 0: none yet.  */
static struct fragment *the_record;

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

  vm_assert (n < b->max_exits);
  *x = (struct exit){ .target = target, .kind = kind & 15 };
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

/* The next segment of a trace begins.  */
static void
begin_segment (struct build *b)
{
  struct segment *s = b->segments + b->step;

  s->app_size = (uint16_t) (b->pc - b->w.pc);
  b->step++;
  s[1] = (struct segment){ .pc = b->path->pc[b->step],
                           .at = (uint16_t) (b->w.e.at - b->w.start) };
  b->w.pc = b->pc = b->run = s[1].pc;
  b->end = b->ends[b->step];
}

/* The path, if there is one, goes on from here to TARGET.  */
static bool
path_goes_to (const struct build *b, app_pc target)
{
  return b->path && b->step + 1 < b->path->n
         && b->path->pc[b->step + 1] == target;
}

/* Control goes to TARGET.  */
static void
go_to (struct build *b, app_pc target)
{
  if (path_goes_to (b, target))
    begin_segment (b);
  else
    end_with (b, EXIT_DIRECT, target);
}

/* The branch is expected to go where the path does.  */
static void
build_expectation (struct build *b)
{
  app_pc target = b->path->pc[b->step + 1];

  rewrite_expect (&b->w, target, b->step + 1, b->region->start);
  begin_segment (b);
  rewrite_expected (&b->w);
  if (b->step == b->path->n)
    end_with (b, EXIT_DIRECT, target);
}

/* The lookup code of the region; %rcx is the target and spilled.  */
static void
end_with_lookup (struct build *b, enum flavour flavour)
{
  if (b->path && cache_options ()->inline_compare
      && b->path->pc[b->step + 1])
    {
      build_expectation (b);
      return;
    }
  if (flavour == FLAVOUR_RECORD)
    {
      rewrite_miss (&b->w);
      b->done = true;
      return;
    }
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

/* A conditional branch inside of a trace: what does not stay on the path
   leaves.  */
static bool
build_side_exit (struct build *b, const struct insn *i)
{
  app_pc fall = i->pc + i->length;
  struct insn j = *i;
  uint8_t *fall_field;
  unsigned n;

  if (i->branch != INSN_JCC)
    return false;
  if (path_goes_to (b, fall))
    n = add_exit (b, EXIT_DIRECT, i->target);
  else if (path_goes_to (b, i->target))
    {
      n = add_exit (b, EXIT_DIRECT, fall);
      j.cc ^= 1;
    }
  else
    return false;
  set_field (b, n, rewrite_conditional (&b->w, &j, n, exit_unit (b, n), 0,
                                        &fall_field));
  begin_segment (b);
  return true;
}

static void
build_conditional (struct build *b, const struct insn *i)
{
  if (build_side_exit (b, i))
    return;
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
  go_to (b, i->pc + i->length);
}

/* A transaction may always abort: %eax says that a retry is of no use.  */
static void
build_xbegin (struct build *b, const struct insn *i)
{
  rewrite_note (&b->w, ARCH_NOTE_AT, i->pc - b->w.pc, 0);
  emit_mov_imm (&b->w.e, ARCH_RAX, 0);
  go_to (b, i->target);
}

static void
build_branch (struct build *b, const struct insn *i, enum flavour flavour)
{
  switch ((enum insn_branch) i->branch)
    {
    case INSN_JCC:
    case INSN_LOOP:
      build_conditional (b, i);
      break;
    case INSN_JMP:
      go_to (b, i->target);
      break;
    case INSN_CALL:
      push_return (b, i, 0);
      go_to (b, i->target);
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
      end_with_lookup (b, flavour);
      break;
    case INSN_RET:
      rewrite_pop_target (&b->w, i);
      end_with_lookup (b, flavour);
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
build_special (struct build *b, const struct insn *i, enum flavour flavour)
{
  if (i->branch != INSN_NO_BRANCH)
    give_back (b, REWRITE_ALL);
  b->pc = b->run = i->pc + i->length;
  if (i->branch != INSN_NO_BRANCH)
    build_branch (b, i, flavour);
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

static bool
is_full (const struct build *b)
{
  return code_size (b) > (b->path ? TRACE_MAX_CODE : BLOCK_MAX_CODE)
         || b->w.n_notes > ARCH_MAX_NOTES / 2
         || (b->path && b->n_exits + 4 > b->max_exits);
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
          if (b->pc == b->w.pc && !b->step)
            return false;
          end_run (b);
          go_to (b, b->pc);
        }
      else if (b->room && s == INSN_OK && apply_rules (b, &i, flavour))
        break;
      else if (s == INSN_OK && rewrite_is_copy (&i))
        b->pc += i.length;
      else
        {
          end_run (b);
          if (s == INSN_OK)
            build_special (b, &i, flavour);
          else
            {
              b->pc = b->run = i.pc + i.length;
              build_faulting (b, &i);
            }
        }
      if (!b->done
          && (flavour_steps (flavour) || b->pc - b->w.pc > BLOCK_MAX_APP))
        {
          end_run (b);
          go_to (b, b->pc);
        }
      if (!b->done && is_full (b))
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

/* The segments of what B has built, the first of which is in F.  */
static void
fill_segments (struct build *b, struct fragment *f)
{
  struct segment *s = b->segments;

  s[b->step].app_size = (uint16_t) (b->pc - b->w.pc);
  f->first = s[0];
  /* A block that is nothing but a stop belongs to its first byte.  */
  f->app_size = MAX (f->app_size, 1);
  f->n_notes = (uint16_t) b->w.n_notes;
  f->n_more = (uint8_t) b->step;
  for (unsigned n = 1; n <= b->step; n++)
    {
      struct segment *to = fragment_segment (f, n);
      *to = s[n];
      to->back = (uint16_t) ((uint64_t *) to - (uint64_t *) f);
    }
}

/* What B has built needs so much memory.  */
static size_t
fragment_size (const struct build *b)
{
  unsigned n = b->w.n_faults;

  return sizeof (struct fragment) + b->n_exits * sizeof (struct exit)
         + b->w.n_notes * sizeof (struct arch_note)
         + (n ? (n + 1) * sizeof (struct arch_fault) : 0)
         + b->step * sizeof (struct segment);
}

/* Make F, which may be null, the fragment for what B has built.  */
static struct fragment *
fill_fragment (struct build *b, enum flavour flavour, struct fragment *f)
{
  size_t notes = b->w.n_notes * sizeof (struct arch_note);
  unsigned n_faults = b->w.n_faults;
  size_t faults = n_faults ? (n_faults + 1) * sizeof (struct arch_fault) : 0;

  if (!f)
    return 0;
  f->n_exits = (uint8_t) b->n_exits;
  fill_segments (b, f);
  f->entry = b->w.start + b->w.e.delta;
  f->is_trace = b->path != 0;
  f->size = (uint16_t) (b->w.e.at - b->w.start);
  f->flavour = flavour & 15;
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
  b->segments[0] = (struct segment){ .pc = pc };
  b->step = 0;
  b->w.n_notes = b->w.n_faults = 0;
  b->w.lent = b->w.kept = 0;
  b->w.constant = 0;
  b->n_exits = 0;
  b->max_exits = b->path ? TRACE_MAX_EXITS : FRAGMENT_MAX_EXITS;
  b->done = false;
  b->later = 0;
  b->near = distance == (int32_t) distance && cache_options ()->near;
}

static void
publish (struct build *b, struct fragment *f)
{
  region_index (b->region, b->prefix ? b->prefix : f->entry, f,
                REGION_FRAGMENT);
  region_commit (b->region, &b->w.e);
  lookup_insert (f);
  if (f->prefix)
    lookup_publish (f);
}

static bool
enter_pages (struct fragment *f)
{
  if (pages_insert (f))
    return true;
  f->state = FRAGMENT_RETIRED;
  return false;
}

static app_pc
segment_end (app_pc pc, const struct memory_extent *x)
{
  return MIN (x->end, PAGE_DOWN (pc) + 2 * PAGE_SIZE);
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
  b->path = 0;
  b->end = segment_end (pc, &x);
  b->room = rules_room (pc, b->end, flavour);
  b->region = region_reserve (pc, REGION_BLOCKS, BLOCK_RESERVE + b->room,
                              BLOCK_UNITS);
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
  f = fill_fragment (b, flavour, memory_alloc (fragment_size (b)));
  if (!f || !enter_pages (f))
    {
      b->region->units = units;
      return BUILD_FULL;
    }
  finish_exits (b, f);
  publish (b, f);
  cache_stats ()->blocks++;
  cache_stats ()->app_bytes += f->app_size;
  *result = f;
  return BUILD_OK;
}

/* The code at PC may become part of a trace; *END is its end.  */
static bool
is_fit (app_pc pc, app_pc *end)
{
  struct memory_extent x;

  if (!memory_calls ()->extent (pc, &x) || x.verify)
    return false;
  *end = segment_end (pc, &x);
  return rules_room (pc, *end, FLAVOUR_PLAIN) == 0;
}

static bool
path_is_fit (struct build *b, const struct path *path)
{
  for (unsigned n = 0; n < path->n; n++)
    if (!is_fit (path->pc[n], b->ends + n))
      return false;
  return true;
}

/* The trace F takes the place of the block OLD: its links first.  */
static void
replace (struct build *b, struct fragment *f, struct fragment *old)
{
  uint32_t in = 0, next;

  while (old && old->in)
    {
      struct exit *e = exit_of (old->in);
      link_break (e);
      if (exit_fragment (e) != old)
        {
          e->next_in = in;
          in = memory_number (e);
        }
    }
  if (old)
    fragment_retire (old);
  publish (b, f);
  for (; in; in = next)
    {
      next = exit_of (in)->next_in;
      link_make (exit_of (in), f);
    }
  for (unsigned n = 0; n < f->n_exits; n++)
    if (f->exits[n].kind == EXIT_DIRECT && f->exits[n].target == f->pc)
      link_make (f->exits + n, f);
}

/* See block.h.  */
enum trace_status
block_build_trace (const struct path *path, struct fragment *old,
                   struct fragment **result)
{
  struct build *b = &the_build;
  struct fragment *f;
  size_t units;

  if (!path_is_fit (b, path))
    return TRACE_UNFIT;
  b->region = region_reserve (path->pc[0], REGION_TRACES, TRACE_RESERVE,
                              TRACE_UNITS);
  if (!b->region)
    return TRACE_FULL;
  b->path = path;
  b->end = b->ends[0];
  b->room = 0;
  units = b->region->units;
  start_build (b, path->pc[0], old && old->prefix);
  f = build_body (b, FLAVOUR_PLAIN)
          ? fill_fragment (b, FLAVOUR_PLAIN, memory_alloc (fragment_size (b)))
          : 0;
  if (!f || !enter_pages (f))
    {
      b->region->units = units;
      return f ? TRACE_FULL : TRACE_UNFIT;
    }
  finish_exits (b, f);
  replace (b, f, old);
  *result = f;
  return TRACE_BUILT;
}

/* See block.h.  */
enum trace_status
block_build_record (app_pc pc, struct fragment **result)
{
  struct build *b = &the_build;
  struct region *r;
  app_pc end;

  if (!is_fit (pc, &end))
    return TRACE_UNFIT;
  r = region_reserve (pc, REGION_RECORD, 0, 0);
  if (!r || (!the_record && !(the_record = memory_alloc (RECORD_SIZE))))
    return TRACE_FULL;
  if (!region_has_room (r, BLOCK_RESERVE, BLOCK_UNITS))
    {
      region_empty (r);
      arch_serialise ();
    }
  b->region = r;
  b->path = 0;
  b->end = end;
  b->room = 0;
  start_build (b, pc, false);
  if (!build_body (b, FLAVOUR_RECORD))
    return TRACE_UNFIT;
  vm_assert (fragment_size (b) <= RECORD_SIZE);
  *result = fill_fragment (b, FLAVOUR_RECORD, the_record);
  finish_exits (b, the_record);
  region_index (r, the_record->entry, the_record, REGION_FRAGMENT);
  region_commit (r, &b->w.e);
  return TRACE_BUILT;
}

/* See block.h.  */
bool
block_traces_fit (void)
{
  return region_capacity (REGION_TRACES)
         >= TRACE_RESERVE + TRACE_UNITS * ARCH_UNIT_SIZE;
}

/* See block.h.  */
void
block_reset (void)
{
  the_record = 0;
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
  region_index (r, at, f, REGION_PREFIX);
  region_commit (r, &e);
  f->prefix = region_offset (r, at);
  lookup_publish (f);
  return true;
}
