/* See build.h.  */

#include "cache/build.h"
#include "arch/lookup.h"
#include "cache/lookup.h"
#include "cache/pages.h"
#include "cache/rules.h"
#include "common/assert.h"

#define SYSCALL_SIZE 2

/* See build.h.  */
struct build *
build_get (void)
{
  static struct build the_build;
  return &the_build;
}

static void
end_run (struct build *b)
{
  if (b->run == b->pc)
    return;
  rewrite_note (&b->w, ARCH_NOTE_COPY, b->run - b->w.pc, 0);
  emit_bytes (&b->w.e, build_bytes (b->run), b->pc - b->run);
  b->run = b->pc;
}

/* See build.h.  */
unsigned
build_add_exit (struct build *b, enum exit_kind kind, app_pc target)
{
  unsigned n = b->n_exits++;
  struct exit *x = b->exits + n;

  vm_assert (n < b->max_exits);
  *x = (struct exit){ .target = target, .kind = kind & 15 };
  x->unit = region_offset (b->region, region_unit (b->region, b->units + n));
  return n;
}

/* See build.h.  */
cache_pc
build_exit_unit (const struct build *b, unsigned n)
{
  return b->region->start + b->exits[n].unit;
}

/* See rewrite.h.  */
cache_pc
rule_exit_point (struct rule_site *s)
{
  struct build *b = s->build;

  return build_exit_unit (b, build_add_exit (b, EXIT_POINT, b->pc));
}

/* See build.h.  */
void
build_set_field (struct build *b, unsigned n, const uint8_t *field)
{
  b->exits[n].field = (uint16_t) (field - b->w.start);
}

/* Give back the registers of MASK that rules have, in front of the next
   instruction.  */
static void
give_back (struct build *b, unsigned mask)
{
  if (!mask)
    return;
  end_run (b);
  rewrite_give_back (&b->w, b->pc, mask);
}

static void
jump_to_exit (struct build *b, unsigned n)
{
  rewrite_note (&b->w, ARCH_NOTE_EXIT, n, 0);
  build_set_field (b, n, rewrite_jump (&b->w, build_exit_unit (b, n)));
}

/* See build.h.  */
void
build_end_with (struct build *b, enum exit_kind kind, app_pc target)
{
  end_run (b);
  rewrite_border (&b->w, b->pc, 0);
  jump_to_exit (b, build_add_exit (b, kind, target));
  b->done = true;
}

/* Control goes to TARGET.  */
static void
go_to (struct build *b, app_pc target)
{
  if (path_goes_to (b, target))
    path_begin_segment (b);
  else
    build_end_with (b, EXIT_DIRECT, target);
}

/* An indirect branch ends it; %rcx is the target and spilled.  */
static void
end_with_lookup (struct build *b, enum flavour flavour)
{
  if (b->path && cache_options ()->inline_compare && b->path->pc[b->step + 1])
    {
      path_expect (b);
      return;
    }
  if (flavour_records (flavour))
    rewrite_miss (&b->w);
  else if (b->path)
    rewrite_lookup (&b->w);
  else
    rewrite_shared_lookup (&b->w, b->region->start);
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

/* End with two exits, to TARGET or behind I, by WRITE.  */
static void
end_with_two (struct build *b, const struct insn *i, app_pc target,
              uint8_t *(*write) (struct rewriter *w, const struct insn *i,
                                 unsigned exit, cache_pc taken, cache_pc fall,
                                 uint8_t **fall_field))
{
  unsigned taken = build_add_exit (b, EXIT_DIRECT, target);
  unsigned fall = build_add_exit (b, EXIT_DIRECT, i->pc + i->length);
  uint8_t *fall_field;

  build_set_field (b, taken,
                   write (&b->w, i, taken, build_exit_unit (b, taken),
                          build_exit_unit (b, fall), &fall_field));
  if (fall_field)
    build_set_field (b, fall, fall_field);
  else
    jump_to_exit (b, fall);
  b->done = true;
}

static void
build_conditional (struct build *b, const struct insn *i)
{
  if (!path_side_exit (b, i))
    end_with_two (b, i, i->target, rewrite_conditional);
}

/* One turn of the repeated string instruction I.  */
static void
build_turn (struct build *b, const struct insn *i)
{
  rewrite_border (&b->w, i->pc, 0);
  b->pc = b->run = i->pc + i->length;
  end_with_two (b, i, i->pc, rewrite_turn);
}

static bool
has_turns (const struct insn *i, enum flavour flavour)
{
  return flavour_steps (flavour) && flavour != FLAVOUR_WHOLE
         && (i->properties & INSN_REP);
}

/* What ends a block with no code of its own but a reason to leave.  */
static void
build_refusal (struct build *b, const struct insn *i)
{
  b->pc = b->run = i->pc;
  build_end_with (b, EXIT_UNSUPPORTED, i->pc);
  b->pc = b->run = i->pc + i->length;
}

/* An instruction that faults in the application faults in the cache too.  It
   may be one that this processor knows and the decoder does not: then the
   application goes on behind it.  */
static void
build_faulting (struct build *b, const struct insn *i)
{
  rewrite_give_back (&b->w, i->pc, REWRITE_ALL);
  rewrite_note (&b->w, ARCH_NOTE_COPY, i->pc - b->w.pc, 0);
  emit_bytes (&b->w.e, i->bytes, i->length);
  b->w.kept = 0;
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

/* A popf that would set the trap flag is for the engine to do; so is each one
   in a fragment of one instruction, which may be there because it is set.  */
static void
build_popf (struct build *b, const struct insn *i, enum flavour flavour)
{
  unsigned n;

  if (flavour_steps (flavour))
    {
      build_refusal (b, i);
      return;
    }
  n = build_add_exit (b, EXIT_UNSUPPORTED, i->pc);
  rewrite_popf (&b->w, i, build_exit_unit (b, n));
  go_to (b, i->pc + i->length);
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
      rewrite_border (&b->w, i->pc, 1u << ARCH_RCX);
      if (i->branch == INSN_CALL_IND)
        push_return (b, i, 1u << ARCH_RCX);
      end_with_lookup (b, flavour);
      break;
    case INSN_RET:
      rewrite_pop_target (&b->w, i);
      end_with_lookup (b, flavour);
      break;
    case INSN_SYSCALL:
      /* What the kernel calls the instruction, whatever prefixes it has.  */
      build_end_with (b, EXIT_SYSCALL, i->pc + i->length - SYSCALL_SIZE);
      break;
    case INSN_INT:
      build_end_with (b, EXIT_INTERRUPT, i->pc);
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
  if (i->branch == INSN_JMP_IND || i->branch == INSN_CALL_IND)
    rewrite_give_back (&b->w, i->pc, 1u << ARCH_RCX);
  else if (i->branch != INSN_NO_BRANCH || (i->properties & INSN_SETS_TF))
    rewrite_border (&b->w, i->pc, 0);
  b->pc = b->run = i->pc + i->length;
  if (i->branch != INSN_NO_BRANCH)
    build_branch (b, i, flavour);
  else if (i->properties & INSN_SETS_TF)
    build_popf (b, i, flavour);
  else if (rewrite_operand (&b->w, i, b->near) != REWRITE_OK)
    build_refusal (b, i);
}

static size_t
code_size (const struct build *b)
{
  return (size_t) (b->w.e.at - b->w.start) + (b->pc - b->run) + b->later;
}

/* Let the rules of SET write in front of I; each may want an exit.  False if
   there is no room for that: the fragment ends there.  */
static bool
write_rules (struct build *b, const struct insn *i, enum flavour flavour,
             unsigned set)
{
  struct rule_site site = { &b->w, i, flavour, b };

  end_run (b);
  b->w.ruled = 0;
  if ((b->step || b->pc != b->w.pc)
      && (b->n_exits + 3 > b->max_exits || b->w.n_faults > ARCH_MAX_FAULTS))
    {
      build_end_with (b, EXIT_DIRECT, b->pc);
      return false;
    }
  b->w.own = true;
  b->later += rules_emit (&site, set);
  b->w.own = false;
  rewrite_note (&b->w, ARCH_NOTE_AT, i->pc - b->w.pc, 0);
  return true;
}

/* Ask the rules about I, and do what they want; true if the block ends in
   front of it.  */
static bool
apply_rules (struct build *b, const struct insn *i, enum flavour flavour)
{
  switch (rules_ask (i, flavour, &b->set))
    {
    case RULE_STOP:
      end_run (b);
      build_end_with (b, EXIT_POINT, b->pc);
      /* When the point goes, this has to go too: its byte is a part.  */
      b->run = ++b->pc;
      return true;
    case RULE_CODE:
      if (!write_rules (b, i, flavour, b->set))
        return true;
      break;
    case RULE_NONE:
      break;
    }
  give_back (b, rewrite_needed (&b->w, i));
  rewrite_passes (&b->w, i);
  return false;
}

static bool
is_full (const struct build *b)
{
  return code_size (b) > (b->path ? TRACE_MAX_CODE : BUILD_MAX_CODE)
         || b->w.n_notes > ARCH_MAX_NOTES / 2
         || (b->path && b->n_exits + 4 > b->max_exits);
}

/* The application's code that B is for ends here.  */
static void
end_segment (struct build *b)
{
  struct segment *s = b->segments + b->step;

  s->app_size = (uint16_t) (b->pc - b->w.pc);
  /* What is nothing but a stop belongs to its first byte.  Behind the last
     block of a path there is nothing.  */
  if (!b->path || b->step < b->path->n)
    s->app_size = MAX (s->app_size, 1);
}

/* Control goes from I to what follows and nowhere else.  */
static bool
has_after (const struct insn *i)
{
  return i->branch == INSN_NO_BRANCH && !(i->properties & INSN_SETS_TF);
}

/* See rewrite.h.  */
void
rule_segment (struct rewriter *w, app_pc base)
{
  struct build *b = build_get ();

  vm_assert (w == &b->w);
  if (w->pc == base)
    return;
  b->step++;
  vm_assert (b->step < ARRAY_SIZE (b->segments));
  b->segments[b->step] = (struct segment){
    .pc = base, .at = (uint16_t) (w->e.at - w->start)
  };
  w->pc = base;
}

/* See build.h.  */
bool
build_body (struct build *b, enum flavour flavour)
{
  enum flavour asked = flavour_recorded (flavour);
  struct insn i;

  while (!b->done)
    {
      enum insn_status s
          = insn_decode (&i, build_bytes (b->pc), b->end - b->pc, b->pc);
      if (s == INSN_TRUNCATED)
        {
          if (b->pc == b->w.pc && !b->step)
            return false;
          end_run (b);
          go_to (b, b->pc);
        }
      else if (b->room && s == INSN_OK && apply_rules (b, &i, asked))
        break;
      else if (s == INSN_OK && rewrite_is_copy (&i))
        {
          if (has_turns (&i, flavour))
            build_turn (b, &i);
          else
            b->pc += i.length;
        }
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
      if (b->room && !b->done && s == INSN_OK && b->set && has_after (&i))
        {
          end_run (b);
          rules_after (&i, &b->w, b->set);
        }
      if (!b->done
          && (flavour_steps (flavour) || b->pc - b->w.pc > BUILD_MAX_APP))
        {
          end_run (b);
          go_to (b, b->pc);
        }
      if (!b->done && is_full (b))
        {
          end_run (b);
          build_end_with (b, EXIT_DIRECT, b->pc);
        }
    }
  end_segment (b);
  if (b->room)
    rules_finish (&b->w);
  return true;
}

/* See build.h.  */
uint32_t
build_prefix (struct region *r, struct emit *e, app_pc pc)
{
  uint8_t *unit;
  cache_pc at = region_unit (r, &unit);

  arch_unit_data (unit, 0);
  arch_emit_prefix (e, pc, at + ARCH_UNIT_DATA_AT);
  return region_offset (r, at + ARCH_UNIT_DATA_AT);
}

/* See build.h.  */
void
build_start (struct build *b, app_pc pc, enum flavour flavour,
             bool indirect)
{
  int64_t distance = (int64_t) (pc - (uint64_t) b->region->start);

  region_begin (b->region, &b->w.e);
  b->prefix = 0;
  if (indirect)
    {
      b->prefix = emit_pc (&b->w.e);
      b->prefix_slot = build_prefix (b->region, &b->w.e, pc);
    }
  b->w.start = b->w.e.at;
  b->w.pc = b->pc = b->run = pc;
  b->segments[0] = (struct segment){ .pc = pc };
  b->step = 0;
  b->w.n_notes = b->w.n_faults = 0;
  rewrite_hold (&b->w, cache_constant (flavour));
  b->w.ruled = 0;
  b->w.engine = b->w.own = false;
  b->n_exits = 0;
  b->max_exits = b->path ? TRACE_MAX_EXITS : FRAGMENT_MAX_EXITS;
  b->done = false;
  b->later = 0;
  b->near = distance == (int32_t) distance && cache_options ()->near;
}

/* The segments of what B has built, the first of which is in F.  */
static void
fill_segments (struct build *b, struct fragment *f)
{
  struct segment *s = b->segments;

  f->first = s[0];
  f->n_notes = (uint16_t) b->w.n_notes;
  f->n_more = (uint8_t) b->step;
  for (unsigned n = 1; n <= b->step; n++)
    {
      struct segment *to = fragment_segment (f, n);
      *to = s[n];
      to->back = (uint16_t) ((uint64_t *) to - (uint64_t *) f);
    }
}

/* See build.h.  */
size_t
build_size (const struct build *b)
{
  unsigned n = b->w.n_faults;

  return sizeof (struct fragment) + b->n_exits * sizeof (struct exit)
         + b->w.n_notes * sizeof (struct arch_note)
         + (n ? (n + 1) * sizeof (struct arch_fault) : 0)
         + b->step * sizeof (struct segment);
}

/* See build.h.  */
struct fragment *
build_fill (struct build *b, enum flavour flavour, struct fragment *f)
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

/* See build.h.  */
void
build_finish_exits (struct build *b, struct fragment *f)
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

/* See build.h.  */
void
build_publish (struct build *b, struct fragment *f)
{
  region_index (b->region, b->prefix ? b->prefix : f->entry, f,
                REGION_FRAGMENT);
  region_commit (b->region, &b->w.e);
  lookup_insert (f);
  if (f->prefix)
    lookup_publish (f);
}

/* See build.h.  */
bool
build_enter_pages (struct fragment *f)
{
  if (pages_insert (f))
    return true;
  f->state = FRAGMENT_RETIRED;
  return false;
}

/* See build.h.  */
app_pc
build_segment_end (app_pc pc, const struct memory_extent *x)
{
  return MIN (x->end, PAGE_DOWN (pc) + 2 * PAGE_SIZE);
}
