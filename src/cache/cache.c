/* See cache.h.  */

#include "cache/cache.h"
#include "arch/enter.h"
#include "cache/block.h"
#include "cache/link.h"
#include "cache/lookup.h"
#include "cache/pages.h"
#include "cache/path.h"
#include "cache/region.h"
#include "cache/trace.h"
#include "common/assert.h"

/* Ticks, some 100 us: no block takes so long, but one in which the processor
   was given to somebody else does.  */
#define MEASURE_MAX (1u << 18)

static struct cache_options the_options;
static struct cache_stats the_stats;
static uint64_t constants[N_FLAVOURS];

/* See cache.h.  */
void
cache_init (const struct memory_calls *calls,
            const struct cache_options *options)
{
  memory_init (calls);
  the_options = *options;
  if (!path_traces_fit ())
    the_options.trace_threshold = 0;
}

/* See cache.h.  */
const struct cache_options *
cache_options (void)
{
  return &the_options;
}

/* See cache.h.  */
struct cache_stats *
cache_stats (void)
{
  return &the_stats;
}

/* See cache.h.  */
void
cache_set_constant (enum flavour flavour, uint64_t constant)
{
  vm_assert (flavour_holds (flavour) && constant);
  constants[flavour] = constant;
}

/* See cache.h.  */
uint64_t
cache_constant (enum flavour flavour)
{
  return constants[flavour];
}

/* See cache.h.  */
void *
cache_table (enum flavour flavour)
{
  return lookup_prepare (flavour) ? lookup_table (flavour) : 0;
}

/* See cache.h.  */
void
cache_measure_no_more (void)
{
  __atomic_store_n (&the_options.measure, false, __ATOMIC_RELEASE);
}

static enum build_status
build (app_pc pc, enum flavour flavour, bool indirect,
       struct fragment **result, app_pc *fault)
{
  uint64_t start, ticks;
  enum build_status s;

  if (!the_options.measure)
    return block_build (pc, flavour, indirect, result, fault);
  start = arch_ticks ();
  s = block_build (pc, flavour, indirect, result, fault);
  ticks = arch_ticks () - start;
  if (ticks < MEASURE_MAX)
    {
      the_stats.measured++;
      the_stats.build_ticks += ticks;
    }
  return s;
}

/* See cache.h.  */
enum build_status
cache_fragment (app_pc pc, enum flavour flavour, bool indirect,
                struct fragment **result, app_pc *fault)
{
  struct fragment *f;

  if (!lookup_prepare (flavour))
    return BUILD_FULL;
  f = lookup_find (pc, flavour);
  if (!f)
    return build (pc, flavour, indirect, result, fault);
  if (indirect && !f->prefix && !block_add_prefix (f))
    {
      /* Its region is full, which others need not be.  */
      fragment_retire (f);
      return build (pc, flavour, indirect, result, fault);
    }
  *result = f;
  return BUILD_OK;
}

/* See cache.h.  */
struct exit *
cache_exit (uint32_t number, bool *hot)
{
  *hot = number & LINK_HOT;
  return exit_of (number & ~(uint32_t) LINK_HOT);
}

/* See cache.h.  */
void
cache_link (struct exit *e, struct fragment *to)
{
  if (!e->to && e->kind == EXIT_DIRECT
      && !flavour_records ((enum flavour) to->flavour)
      && exit_fragment (e)->flavour == to->flavour
      && exit_fragment (e)->state == FRAGMENT_LIVE
      && to->state == FRAGMENT_LIVE)
    link_make (e, to);
}

/* See fragment.h.  */
void
fragment_retire (struct fragment *f)
{
  link_break_all (f);
  lookup_remove (f);
  f->state = FRAGMENT_RETIRED;
  the_stats.retired++;
}

/* See cache.h.  */
unsigned
cache_flush (app_addr start, app_addr end)
{
  struct fragment *f;
  unsigned n = 0;

  trace_give_up (TRACE_ABORT_FLUSHED);
  for (; (f = pages_find (&start, end)); n++)
    fragment_retire (f);
  return n;
}

/* See cache.h.  */
bool
cache_has_page (app_addr page)
{
  return pages_has (page);
}

/* See cache.h.  */
void
cache_reset (void)
{
  trace_forget (0);
  path_reset ();
  lookup_reset ();
  pages_reset ();
  region_reset ();
  memory_reset ();
  the_stats.resets++;
}

/* See cache.h.  */
void
cache_after_fork (void)
{
  /* What there is belongs to the parent, so that nothing can be made good
     there.  */
  bool own = region_after_fork ();
  vm_assert (own);
  trace_forget (0);
}

/* See cache.h.  */
void
cache_thread_gone (const struct arch_context *c)
{
  trace_forget (c);
}
