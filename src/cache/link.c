/* See link.h.  */

#include "cache/link.h"
#include "arch/lookup.h"
#include "cache/cache.h"
#include "common/assert.h"

static struct region *
region_of (const struct exit *e)
{
  return region_find ((uint64_t) exit_fragment (e)->entry);
}

/* Where the field of E is executed.  */
static cache_pc
field_pc (const struct exit *e)
{
  return exit_fragment (e)->entry + e->field;
}

static void
point_at (const struct region *r, struct exit *e, cache_pc to)
{
  emit_patch_32 (region_writable (r, field_pc (e)),
                 emit_distance (field_pc (e), to));
}

static bool
reaches (const struct exit *e, cache_pc to)
{
  int64_t d = emit_distance (field_pc (e), to);
  return d == (int32_t) d;
}

/* See link.h.  */
void
link_make (struct exit *e, struct fragment *to)
{
  struct region *r = region_of (e);
  cache_pc at = to->entry;

  vm_assert (!e->to && e->kind == EXIT_DIRECT && e->target == to->pc);
  if (!reaches (e, at))
    {
      uint8_t *unit;
      if (r->code + ARCH_UNIT_SIZE > r->units)
        return;
      at = region_unit (r, &unit);
      arch_unit_jump (unit, to->entry);
    }
  e->to = memory_number (to);
  e->next_in = to->in;
  to->in = memory_number (e);
  point_at (r, e, at);
  cache_stats ()->links++;
}

/* See link.h.  */
void
link_break (struct exit *e)
{
  struct region *r = region_of (e);
  struct fragment *to = fragment_of (e->to);
  uint32_t *p, number = memory_number (e);

  if (!to)
    return;
  point_at (r, e, r->start + e->unit);
  for (p = &to->in; *p != number; p = &exit_of (*p)->next_in)
    vm_assert (*p);
  *p = e->next_in;
  e->to = 0;
}

/* See link.h.  */
void
link_break_all (struct fragment *f)
{
  while (f->in)
    link_break (exit_of (f->in));
  for (unsigned i = 0; i < f->n_exits; i++)
    link_break (f->exits + i);
}
