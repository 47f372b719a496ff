/* See block.h.  */

#include "cache/block.h"
#include "arch/lookup.h"
#include "cache/build.h"
#include "cache/lookup.h"
#include "cache/rules.h"
#include "common/log.h"

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

  while (insn_decode (&i, build_bytes (pc), limit - pc, pc) == INSN_OK)
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
  unsigned changed = build_add_exit (b, EXIT_CHANGED, b->pc);

  b->end = verified_end (b);
  rewrite_verify (&b->w, b->pc, b->end - b->pc, build_exit_unit (b, changed));
}

/* See block.h.  */
enum build_status
block_build (app_pc pc, enum flavour flavour, bool indirect,
             struct fragment **result, app_pc *fault)
{
  struct build *b = build_get ();
  struct memory_extent x;
  struct fragment *f;
  size_t units;

  *fault = pc;
  if (!memory_calls ()->extent (pc, &x))
    return BUILD_FAULT;
  b->path = 0;
  b->end = build_segment_end (pc, &x);
  b->room = rules_room (pc, b->end, flavour);
  b->region = region_reserve (pc, REGION_BLOCKS, BUILD_RESERVE + b->room,
                              BUILD_UNITS);
  if (!b->region)
    return BUILD_FULL;
  units = b->region->units;
  build_start (b, pc, flavour, indirect);
  if (x.verify)
    build_verification (b);
  if (!build_body (b, flavour))
    {
      b->region->units = units;
      *fault = b->end;
      return BUILD_FAULT;
    }
  f = build_fill (b, flavour, memory_alloc (build_size (b)));
  if (!f || !build_enter_pages (f))
    {
      b->region->units = units;
      return BUILD_FULL;
    }
  build_finish_exits (b, f);
  build_publish (b, f);
  cache_stats ()->blocks++;
  cache_stats ()->app_bytes += f->app_size;
  LOG (BUILD, "block of %#lx: %u bytes, %u of code at %p", f->pc, f->app_size,
       f->size, f->entry);
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
  f->next_prefix = build_prefix (r, &e, f->pc);
  emit_jmp (&e, f->entry);
  region_index (r, at, f, REGION_PREFIX);
  region_commit (r, &e);
  f->prefix = region_offset (r, at);
  lookup_publish (f);
  return true;
}
