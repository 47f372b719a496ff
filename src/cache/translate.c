/* From a cache address to the state of the application: cache_translate.

   Runs in signal context and without the lock: it reads only what does not
   change after a fragment is published.  */

#include "arch/enter.h"
#include "arch/lookup.h"
#include "cache/cache.h"
#include "cache/region.h"
#include "common/assert.h"

#define SPILLED_RCX (1u << ARCH_RCX)
#define SPILLED_BOTH (1u << ARCH_RCX | 1u << ARCH_RDX)

static void
take_spilled (const struct arch_context *c, struct arch_regs *app,
              unsigned mask)
{
  for (unsigned r = 0; r < ARCH_N_GPR; r++)
    if (mask & 1u << r)
      app->gpr[r] = c->gpr[r];
}

/* In the code of arch_emit_shared_lookup: %rdx is spilled first, then the
   target is stored, then %rcx changes.  */
static void
translate_lookup (const struct arch_context *c, struct arch_regs *app,
                  size_t at)
{
  static const size_t stored = 18;      /* two moves of 9 bytes */

  app->rip = at < stored ? app->gpr[ARCH_RCX] : c->target;
  take_spilled (c, app, at < stored / 2 ? SPILLED_RCX : SPILLED_BOTH);
}

static void
translate_prefix (const struct arch_context *c, struct arch_regs *app)
{
  app->rip = c->target;
  take_spilled (c, app, SPILLED_BOTH);
}

static const struct arch_note *
find_note (const struct fragment *f, size_t at)
{
  unsigned n = f->n_notes;

  const struct arch_note *notes = fragment_notes (f);

  while (n && notes[n - 1].at > at)
    n--;
  return n ? notes + n - 1 : 0;
}

/* The segment of F whose code begins at or before AT; of several the last.  */
static const struct segment *
segment_at (const struct fragment *f, size_t at)
{
  unsigned n = f->n_more;

  while (fragment_segment (f, n)->at > at)
    n--;
  return fragment_segment (f, n);
}

static void
translate_body (const struct arch_context *c, const struct fragment *f,
                struct arch_regs *app, size_t at)
{
  const struct arch_note *n = find_note (f, at);
  app_pc base = segment_at (f, at)->pc;

  vm_assert (n);
  if (n->aside)
    app->gpr[ARCH_RCX] = app->gpr[ARCH_R11];
  switch ((enum arch_note_kind) n->kind)
    {
    case ARCH_NOTE_COPY:
      app->rip = base + n->app + (at - n->at);
      break;
    case ARCH_NOTE_AT:
      app->rip = base + n->app;
      break;
    case ARCH_NOTE_EXIT:
      app->rip = f->exits[n->app].target;
      break;
    case ARCH_NOTE_TARGET_RCX:
      app->rip = app->gpr[ARCH_RCX];
      break;
    case ARCH_NOTE_TARGET:
      app->rip = c->target;
      break;
    case ARCH_NOTE_DIFFERENCE:
      app->rip = app->gpr[ARCH_RCX] + fragment_segment (f, n->app)->pc;
      break;
    case ARCH_NOTE_TURN:
      app->rip = f->exits[rewrite_count_turn (app, n->app)].target;
      break;
    }
  take_spilled (c, app, n->spilled);
  if (n->flags_saved)
    app->rflags = rewrite_flags (app->rflags, c->spill[2]);
}

static const struct fragment *
entry_fragment (const struct region_entry *e)
{
  return fragment_of (e->fragment & ~(uint32_t) REGION_PIECES);
}

static void
translate_counter (const struct arch_context *c, const struct fragment *to,
                   struct arch_regs *app, size_t at)
{
  app->rip = to->pc;
  take_spilled (c, app, at < ARCH_COUNTER_SPILLS ? 0 : SPILLED_RCX);
}

static void
translate_code (const struct arch_context *c, const struct region *r,
                struct arch_regs *app, cache_pc pc)
{
  const struct region_entry *e = region_lookup (r, pc);
  const struct fragment *f;

  if (!e)
    {
      take_spilled (c, app, (unsigned) c->held);
      translate_lookup (c, app, (size_t) (pc - r->start));
      return;
    }
  f = entry_fragment (e);
  if (e->fragment & REGION_PIECES || pc < f->entry)
    take_spilled (c, app, (unsigned) c->held);
  if ((e->fragment & REGION_PIECES) == REGION_COUNTER)
    translate_counter (c, f, app, region_offset (r, pc) - e->at);
  else if ((e->fragment & REGION_PIECES) == REGION_PREFIX || pc < f->entry)
    translate_prefix (c, app);
  else
    translate_body (c, f, app, (size_t) (pc - f->entry));
}

/* All of a unit's instructions run with nothing spilled.  */
static void
translate_unit (const struct arch_context *c, struct arch_regs *app,
                cache_pc pc)
{
  const uint8_t *unit
      = (const uint8_t *) ((uint64_t) pc & ~(ARCH_UNIT_SIZE - 1ul));
  const struct region *to;
  uint64_t value;

  take_spilled (c, app, (unsigned) c->held);
  switch (arch_unit_read (unit, &value))
    {
    case ARCH_UNIT_EXIT:
      app->rip = exit_of ((uint32_t) value)->target;
      break;
    case ARCH_UNIT_JUMP:
      to = region_find (value);
      vm_assert (to);
      app->rip = entry_fragment (region_lookup (to, (cache_pc) value))->pc;
      break;
    case ARCH_UNIT_DATA:
      vm_assert (!"control is in data");
    }
}

/* The fragment in whose body PC, of region R, is; null: none.  */
static const struct fragment *
body_at (const struct region *r, cache_pc pc)
{
  const struct region_entry *e;
  const struct fragment *f;

  if (!r || (size_t) (pc - r->start) >= r->units)
    return NULL;
  e = region_lookup (r, pc);
  if (!e || e->fragment & REGION_PIECES)
    return NULL;
  f = entry_fragment (e);
  return pc < f->entry ? NULL : f;
}

/* The note for PC, of region R; null: it is in no fragment's body.  */
static const struct arch_note *
note_of (const struct region *r, cache_pc pc)
{
  const struct fragment *f = body_at (r, pc);

  return f ? find_note (f, (size_t) (pc - f->entry)) : NULL;
}

/* PC, of region R, is where a rule counts as the engine.  */
static bool
is_engine (const struct region *r, cache_pc pc)
{
  const struct arch_note *n = note_of (r, pc);

  return n && n->engine;
}

/* See cache.h.  */
bool
cache_contains (cache_pc pc)
{
  return region_find ((uint64_t) pc);
}

/* See cache.h.  */
bool
cache_is_own (cache_pc pc)
{
  const struct arch_note *n = note_of (region_find ((uint64_t) pc), pc);

  return n && n->own;
}

/* See cache.h.  */
bool
cache_is_ruled (cache_pc pc, app_pc app)
{
  const struct fragment *f = body_at (region_find ((uint64_t) pc), pc);
  size_t at = f ? (size_t) (pc - f->entry) : 0;
  const struct arch_note *n = f ? find_note (f, at) : NULL;

  return n && n->ruled && segment_at (f, at)->pc + n->app == app;
}

/* See cache.h.  */
bool
cache_translate (const struct arch_context *c,
                 const struct arch_regs *machine, struct arch_regs *app)
{
  const struct region *r = region_find (machine->rip);
  cache_pc pc = (cache_pc) machine->rip;

  if (!r || is_engine (r, pc))
    return false;
  *app = *machine;
  app->fs_base = c->fs_base;
  app->gs_base = c->gs_base;
  if ((size_t) (pc - r->start) >= r->units)
    translate_unit (c, app, pc);
  else
    translate_code (c, r, app, pc);
  return true;
}

static uint64_t
fault_exit (const struct fragment *f, uint64_t pc)
{
  uint64_t at = pc - (uint64_t) f->entry;

  if (f->has_faults)
    for (const struct arch_fault *a = fragment_faults (f); a->at; a++)
      if (a->at == at)
        return (uint64_t) f->entry + a->to;
  return 0;
}

/* See cache.h.  */
uint64_t
cache_fault_exit (uint64_t pc)
{
  const struct region *r = region_find (pc);
  const struct region_entry *e;

  if (!r || pc - (uint64_t) r->start >= r->units)
    return 0;
  e = region_lookup (r, (cache_pc) pc);
  if (!e || e->fragment & REGION_PIECES)
    return 0;
  return fault_exit (entry_fragment (e), pc);
}
