/* See path.h.  */

#include "cache/path.h"
#include "arch/enter.h"
#include "arch/lookup.h"
#include "cache/build.h"
#include "cache/link.h"
#include "cache/lookup.h"
#include "cache/rules.h"
#include "common/assert.h"

/* What the largest fragment that is no trace needs.  */
#define RECORD_SIZE                                                           \
  (sizeof (struct fragment) + FRAGMENT_MAX_EXITS * sizeof (struct exit)       \
   + ARCH_MAX_NOTES * sizeof (struct arch_note)                               \
   + (2 * ARCH_MAX_FAULTS + 1) * sizeof (struct arch_fault))

/* The only fragment that records; 0: none yet.  */
static struct fragment *the_record;

/* See path.h.  */
bool
path_goes_to (const struct build *b, app_pc target)
{
  return b->path && b->step + 1 < b->path->n
         && b->path->pc[b->step + 1] == target;
}

/* See path.h.  */
void
path_begin_segment (struct build *b)
{
  struct segment *s = b->segments + b->step;

  s->app_size = (uint16_t) (b->pc - b->w.pc);
  b->step++;
  s[1] = (struct segment){ .pc = b->path->pc[b->step],
                           .at = (uint16_t) (b->w.e.at - b->w.start) };
  b->w.pc = b->pc = b->run = s[1].pc;
  b->end = b->ends[b->step];
}

/* See path.h.  */
void
path_expect (struct build *b)
{
  app_pc target = b->path->pc[b->step + 1];

  rewrite_expect (&b->w, target, b->step + 1);
  path_begin_segment (b);
  rewrite_expected (&b->w);
  if (b->step == b->path->n)
    build_end_with (b, EXIT_DIRECT, target);
}

/* See path.h.  */
bool
path_side_exit (struct build *b, const struct insn *i)
{
  app_pc fall = i->pc + i->length;
  struct insn j = *i;
  uint8_t *fall_field;
  unsigned n;

  if (i->branch != INSN_JCC)
    return false;
  if (path_goes_to (b, fall))
    n = build_add_exit (b, EXIT_DIRECT, i->target);
  else if (path_goes_to (b, i->target))
    {
      n = build_add_exit (b, EXIT_DIRECT, fall);
      j.cc ^= 1;
    }
  else
    return false;
  build_set_field (b, n,
                   rewrite_conditional (&b->w, &j, n, build_exit_unit (b, n),
                                        0, &fall_field));
  path_begin_segment (b);
  return true;
}

/* The code at PC may become part of a trace; *END is its end.  *ROOM grows to
   what rules want there.  */
static bool
is_fit (app_pc pc, enum flavour flavour, app_pc *end, size_t *room)
{
  struct memory_extent x;

  if (!memory_calls ()->extent (pc, &x) || x.verify)
    return false;
  *end = build_segment_end (pc, &x);
  *room = MAX (*room, rules_room (pc, *end, flavour));
  return true;
}

static bool
path_is_fit (struct build *b, const struct path *path, enum flavour flavour)
{
  b->room = 0;
  for (unsigned n = 0; n < path->n; n++)
    if (!is_fit (path->pc[n], flavour, b->ends + n, &b->room))
      return false;
  return TRACE_RESERVE + TRACE_UNITS * ARCH_UNIT_SIZE + b->room
         <= region_capacity (REGION_TRACES);
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
  build_publish (b, f);
  for (; in; in = next)
    {
      next = exit_of (in)->next_in;
      link_make (exit_of (in), f);
    }
  for (unsigned n = 0; n < f->n_exits; n++)
    if (f->exits[n].kind == EXIT_DIRECT && f->exits[n].target == f->pc)
      link_make (f->exits + n, f);
}

/* See path.h.  */
enum path_status
path_build (const struct path *path, enum flavour flavour,
            struct fragment *old, struct fragment **result)
{
  struct build *b = build_get ();
  struct fragment *f;
  size_t units;

  if (!path_is_fit (b, path, flavour))
    return PATH_UNFIT;
  b->region = region_reserve (path->pc[0], REGION_TRACES,
                              TRACE_RESERVE + b->room, TRACE_UNITS);
  if (!b->region || !lookup_prepare (flavour))
    return PATH_FULL;
  b->path = path;
  b->end = b->ends[0];
  units = b->region->units;
  build_start (b, path->pc[0], flavour, old && old->prefix);
  f = build_body (b, flavour)
          ? build_fill (b, flavour, memory_alloc (build_size (b)))
          : 0;
  if (!f || !build_enter_pages (f))
    {
      b->region->units = units;
      return f ? PATH_FULL : PATH_UNFIT;
    }
  build_finish_exits (b, f);
  replace (b, f, old);
  *result = f;
  return PATH_BUILT;
}

/* See path.h.  */
enum path_status
path_build_record (app_pc pc, enum flavour flavour, struct fragment **result)
{
  enum flavour record = flavour_to_record (flavour);
  struct build *b = build_get ();
  struct region *r;

  b->room = 0;
  if (!is_fit (pc, flavour, &b->end, &b->room)
      || BUILD_RESERVE + BUILD_UNITS * ARCH_UNIT_SIZE + b->room
           > region_capacity (REGION_RECORD))
    return PATH_UNFIT;
  r = region_reserve (pc, REGION_RECORD, 0, 0);
  if (!r || (!the_record && !(the_record = memory_alloc (RECORD_SIZE))))
    return PATH_FULL;
  if (!region_has_room (r, BUILD_RESERVE + b->room, BUILD_UNITS))
    {
      region_empty (r);
      arch_serialise ();
    }
  b->region = r;
  b->path = 0;
  build_start (b, pc, record, false);
  if (!build_body (b, record))
    return PATH_UNFIT;
  vm_assert (build_size (b) <= RECORD_SIZE);
  *result = build_fill (b, record, the_record);
  build_finish_exits (b, the_record);
  region_index (r, the_record->entry, the_record, REGION_FRAGMENT);
  region_commit (r, &b->w.e);
  return PATH_BUILT;
}

/* See path.h.  */
bool
path_traces_fit (void)
{
  return region_capacity (REGION_TRACES)
         >= TRACE_RESERVE + TRACE_UNITS * ARCH_UNIT_SIZE;
}

/* See path.h.  */
void
path_reset (void)
{
  the_record = 0;
}
