/* See link.h.  */

#include "cache/link.h"
#include "arch/lookup.h"
#include "cache/cache.h"
#include "common/assert.h"

/* Where the field of E is executed.  */
static cache_pc
field_pc (const struct region *r, const struct exit *e)
{
  return e->field + r->delta;
}

static void
point_at (const struct region *r, struct exit *e, cache_pc to)
{
  emit_patch_32 (e->field, emit_distance (field_pc (r, e), to));
}

static bool
reaches (const struct region *r, const struct exit *e, cache_pc to)
{
  int64_t d = emit_distance (field_pc (r, e), to);
  return d == (int32_t) d;
}

/* See link.h.  */
void
link_make (struct exit *e, struct fragment *to)
{
  struct region *r = region_find ((uint64_t) e->from->entry);
  cache_pc at = to->entry;

  vm_assert (!e->to && e->kind == EXIT_DIRECT && e->target == to->pc);
  if (!reaches (r, e, at))
    {
      uint8_t *unit;
      if (r->code + ARCH_UNIT_SIZE > r->units)
        return;
      at = region_unit (r, &unit);
      arch_unit_jump (unit, to->entry);
    }
  e->to = to;
  e->next_in = to->in;
  to->in = e;
  point_at (r, e, at);
  cache_stats ()->links++;
}

/* See link.h.  */
void
link_break (struct exit *e)
{
  struct exit **p;

  if (!e->to)
    return;
  point_at (region_find ((uint64_t) e->from->entry), e, e->unit);
  for (p = &e->to->in; *p != e; p = &(*p)->next_in)
    vm_assert (*p);
  *p = e->next_in;
  e->to = 0;
}

/* See link.h.  */
void
link_break_all (struct fragment *f)
{
  while (f->in)
    link_break (f->in);
  for (unsigned i = 0; i < f->n_exits; i++)
    link_break (f->exits + i);
}
