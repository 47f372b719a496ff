/* See condition.h.

   In front of the instruction:

         save flags and registers
         jmp   1f
     stop:                              (an error arrives here)
         restore;  jmp EXIT_POINT
     yes:
         commands                       error: to stop
         movq  $0, SPILL (0);  jmp stop
     1:  condition 1                    true: to yes; error: to stop
         condition 2 ...
         restore                                                           */

#include "debug/condition.h"
#include "common/assert.h"
#include "debug/output.h"
#include "engine/thread.h"

#define MASK(R) (1u << (R))
#define AROUND_MAX (4 * REWRITE_SAVE_MAX)

static uint8_t heights[CONDITION_MAX_LENGTH];
static uint32_t notes[CONDITION_MAX_LENGTH];
static struct agent_fault faults[ARCH_MAX_FAULTS];

/* See condition.h.  */
bool
condition_next (const struct condition_list *l, uint32_t *at,
                const uint8_t **bytes, uint32_t *length)
{
  uint32_t left = l->size - *at, n;

  if (left < sizeof n)
    return false;
  __builtin_memcpy (&n, l->code + *at, sizeof n);
  left -= sizeof n;
  if (n > left || ALIGN_UP (n, 4) > left)
    return false;
  *bytes = l->code + *at + sizeof n;
  *length = n;
  *at += sizeof n + ALIGN_UP (n, 4);
  return true;
}

/* See condition.h.  */
uint32_t
condition_list_size (const struct condition_list *l)
{
  uint32_t at = 0, length;
  const uint8_t *bytes;

  for (uint32_t n = 0; n < l->n; n++)
    if (!condition_next (l, &at, &bytes, &length))
      return 0;
  return at;
}

/* See condition.h.  */
const struct agent_hooks *
condition_hooks (void)
{
  static const struct agent_hooks hooks = { .print = output_print };

  return &hooks;
}

static struct agent_request
request (const uint8_t *bytes, uint32_t length, app_pc pc, bool want_value)
{
  return (struct agent_request){ .bytes = bytes, .length = length,
                                 .want_value = want_value, .pc = pc,
                                 .hooks = condition_hooks (),
                                 .has_fsgsbase = thread_has_fsgsbase () };
}

/* See condition.h.  */
enum bytecode_refusal
condition_look (const struct agent_request *r, struct bytecode_info *info)
{
  struct bytecode_map map = { heights, notes };

  return r->length > CONDITION_MAX_LENGTH ? BYTECODE_TOO_LONG
                                          : agent_verify (r, &map, info);
}

static void
add_needs (struct condition_needs *needs, const struct bytecode_info *info)
{
  needs->room += agent_code_max (info);
  needs->mask |= agent_clobbers (info) | info->gpr_read | MASK (ARCH_RAX);
  needs->n_refs += info->n_refs;
  if (info->rflags_read)
    {
      needs->all_flags = true;
      needs->mask |= MASK (ARCH_RSP);
    }
}

static enum bytecode_refusal
verify_list (const struct condition_list *l, app_pc pc, bool want_value,
             struct condition_needs *needs)
{
  const uint8_t *bytes;
  uint32_t at = 0, length;

  for (uint32_t n = 0; n < l->n; n++)
    {
      struct agent_request r;
      struct bytecode_info info;
      enum bytecode_refusal why;

      if (!condition_next (l, &at, &bytes, &length))
        return BYTECODE_TRUNCATED;
      r = request (bytes, length, pc, want_value);
      why = condition_look (&r, &info);
      if (why)
        return why;
      add_needs (needs, &info);
    }
  return BYTECODE_OK;
}

/* See condition.h.  */
enum bytecode_refusal
condition_verify (const struct condition_list *conditions,
                  const struct condition_list *commands, app_pc pc,
                  struct condition_needs *needs)
{
  enum bytecode_refusal why;

  *needs = (struct condition_needs){ .room = AROUND_MAX,
                                     .mask = MASK (ARCH_RAX) };
  why = verify_list (conditions, pc, true, needs);
  if (!why)
    why = verify_list (commands, pc, false, needs);
  if (why)
    return why;
  return needs->room > CONDITION_MAX_CODE || needs->n_refs > CONDITION_MAX_REFS
             ? BYTECODE_TOO_LONG
             : BYTECODE_OK;
}

/* The faults of CODE, which are its own, become the fragment's.  */
static void
add_faults (struct rewriter *w, const struct agent_code *code)
{
  uint64_t base = (uint64_t) (code->start - (w->start + w->e.delta));

  for (uint32_t n = 0; n < code->n_faults; n++)
    w->faults[w->n_faults++]
        = (struct arch_fault){ (uint16_t) (base + code->faults[n].at),
                               (uint16_t) (base + code->faults[n].exit) };
}

/* See condition.h.  */
void
condition_write (struct rule_site *s, const struct agent_request *r)
{
  struct bytecode_map map = { heights, notes };
  struct agent_code code = { .faults = faults };
  struct bytecode_info info;
  enum bytecode_refusal why = condition_look (r, &info);

  vm_assert (!why);
  why = agent_compile (r, &map, &info, &s->w->e, &code);
  vm_assert (!why);
  add_faults (s->w, &code);
}

static void
emit_list (struct rule_site *s, const struct condition_list *l,
           bool want_value, const struct agent_exits *exits)
{
  const uint8_t *bytes;
  uint32_t at = 0, length;

  for (uint32_t n = 0; n < l->n; n++)
    {
      bool ok = condition_next (l, &at, &bytes, &length);
      struct agent_request r = request (bytes, length, s->insn->pc,
                                        want_value);
      vm_assert (ok);
      r.exits = *exits;
      condition_write (s, &r);
    }
}

/* Write what leaves: `stop' first, then `yes', which runs COMMANDS and ends
   there.  Their addresses go to EXITS.  */
static void
emit_leaving (struct rule_site *s, const struct condition_list *commands,
              unsigned mask, struct agent_exits *exits)
{
  struct emit *e = &s->w->e;
  cache_pc unit = rule_exit_point (s);
  struct agent_exits ends = { .error = emit_pc (e) };

  exits->error = ends.error;
  rewrite_restore (s->w, s->insn, mask);
  emit_jmp (e, unit);
  exits->yes = emit_pc (e);
  rewrite_saved (s->w, s->insn, mask);
  emit_list (s, commands, false, &ends);
  emit_store_gs_imm32 (e, 0, CONTEXT_SPILL (0));
  emit_store_gs_imm32 (e, 0, CONTEXT_SPILL (0) + 4);
  emit_jmp (e, exits->error);
}

/* See condition.h.  */
void
condition_emit (struct rule_site *s, const struct condition_list *conditions,
                const struct condition_list *commands,
                const struct condition_needs *needs)
{
  struct emit *e = &s->w->e;
  struct agent_exits exits = { 0 };
  uint8_t *over;

  rewrite_save (s->w, s->insn, needs->mask, needs->all_flags);
  emit_jmp (e, emit_pc (e));
  over = e->at;
  emit_leaving (s, commands, needs->mask, &exits);
  __builtin_memcpy (over - 4, &(int32_t){ (int32_t) (e->at - over) }, 4);
  rewrite_saved (s->w, s->insn, needs->mask);
  emit_list (s, conditions, true, &exits);
  if (!conditions->n)
    emit_jmp (e, exits.yes);
  rewrite_restore (s->w, s->insn, needs->mask);
}
