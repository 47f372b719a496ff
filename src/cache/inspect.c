/* See inspect.h.  */

#include "cache/inspect.h"
#include "arch/context.h"
#include "arch/decode.h"
#include "arch/lookup.h"
#include "cache/cache.h"
#include "cache/region.h"
#include "common/format.h"

static const char flavour_names[N_FLAVOURS][12] = {
  [FLAVOUR_PLAIN] = "plain",
  [FLAVOUR_STEP] = "step",
  [FLAVOUR_WHOLE] = "step-whole",
  [FLAVOUR_WATCH] = "watch",
  [FLAVOUR_WATCH_STEP] = "watch-step",
  [FLAVOUR_RECORD] = "record",
  [FLAVOUR_WATCH_RECORD] = "record",
};

static const char exit_names[][12] = {
  [EXIT_DIRECT] = "direct",     [EXIT_SYSCALL] = "syscall",
  [EXIT_UNSUPPORTED] = "refused", [EXIT_INTERRUPT] = "interrupt",
  [EXIT_CHANGED] = "changed",   [EXIT_POINT] = "point",
  [EXIT_STEPPED] = "stepped",
};

/* A walk over all fragments.  */
struct walk
{
  unsigned region;
  uint32_t entry;
};

/* The next fragment of W, 0 at the end.  Blocks that run once are none.  */
static const struct fragment *
next_fragment (struct walk *w)
{
  const struct region *r;

  while ((r = region_number (w->region)))
    {
      while (r->kind != REGION_RECORD && w->entry < r->n_entries)
        {
          const struct region_entry *e = region_entry (r, w->entry++);
          if (!(e->fragment & REGION_PIECES))
            return fragment_of (e->fragment);
        }
      w->region++;
      w->entry = 0;
    }
  return 0;
}

/* The application's PC at PC, which is in the body of a fragment; 0 where it
   is in a register.  */
static app_pc
app_pc_at (uint64_t pc)
{
  static const struct arch_context context;
  static const struct arch_regs zero;
  static struct arch_regs machine, app;

  machine = zero;
  machine.rip = pc;
  return cache_translate (&context, &machine, &app) ? app.rip : 0;
}

/* One emitted instruction of a fragment.  */
struct place
{
  uint64_t pc;
  app_pc app;
  unsigned length;
};

/* The instruction of F that begins AT bytes into its code.  */
static struct place
place_at (const struct fragment *f, unsigned at)
{
  struct place p = { (uint64_t) f->entry + at, 0, 1 };
  struct insn i;

  p.app = app_pc_at (p.pc);
  if (insn_decode (&i, (const uint8_t *) f->entry + at, f->size - at, p.pc)
      == INSN_OK)
    p.length = i.length;
  return p;
}

static const char *
kind_name (const struct fragment *f)
{
  return f->is_trace ? "trace" : "block";
}

/* The application's code of F has PC.  */
static bool
covers (const struct fragment *f, app_pc pc)
{
  for (unsigned n = 0; n <= f->n_more; n++)
    {
      const struct segment *s = fragment_segment (f, n);
      if (pc - s->pc < s->app_size)
        return true;
    }
  return false;
}

static bool
is_live (const struct fragment *f)
{
  return f->state == FRAGMENT_LIVE;
}

/* The first place of F where the instruction at PC is executed.  */
static bool
find_place (const struct fragment *f, app_pc pc, struct place *p)
{
  if (!covers (f, pc))
    return false;
  for (unsigned at = 0; at < f->size; at += p->length)
    {
      *p = place_at (f, at);
      if (p->app == pc)
        return true;
    }
  return false;
}

/* See inspect.h.  */
void
inspect_summary (struct report *r)
{
  uint64_t live[N_FLAVOURS] = { 0 }, retired = 0, traces = 0;
  struct walk w = { 0, 0 };
  const struct fragment *f;
  const struct region *region;
  char name[40];

  while ((f = next_fragment (&w)))
    {
      live[f->flavour] += is_live (f);
      retired += !is_live (f);
      traces += is_live (f) && f->is_trace;
    }
  for (unsigned n = 0; n < FLAVOUR_RECORD; n++)
    {
      format_text (name, sizeof name, "fragments, %s", flavour_names[n]);
      report_value (r, name, live[n]);
    }
  report_value (r, "fragments, traces among them", traces);
  report_value (r, "fragments, retired", retired);
  for (unsigned n = 0; (region = region_number (n)); n++)
    report_add (r, "code memory 0x%lx-0x%lx, %lu of %lu bytes used\n",
                (uint64_t) region->start,
                (uint64_t) region->start + region->size,
                region->code + region->size - region->units, region->size);
}

static void
map_unit (struct report *r, uint64_t address)
{
  uint64_t at = address & ~(ARCH_UNIT_SIZE - 1ul), value;

  switch (arch_unit_read ((const uint8_t *) at, &value))
    {
    case ARCH_UNIT_EXIT:
      report_add (r, "0x%lx is on the way out of the cache, to 0x%lx\n",
                  address, exit_of ((uint32_t) value)->target);
      break;
    case ARCH_UNIT_JUMP:
      report_add (r, "0x%lx is on the way to 0x%lx, in the cache\n", address,
                  value);
      break;
    case ARCH_UNIT_DATA:
      report_add (r, "0x%lx is data of the cache: 0x%lx\n", address, value);
      break;
    }
}

static void
map_body (struct report *r, const struct fragment *f, uint64_t address)
{
  app_pc app = app_pc_at (address);

  if (app)
    report_add (r, "0x%lx executes 0x%lx", address, app);
  else
    report_add (r, "0x%lx executes an indirect branch", address);
  report_add (r, ", in the %s %s of 0x%lx%s\n", flavour_names[f->flavour],
              kind_name (f), f->pc, is_live (f) ? "" : ", which is retired");
}

/* ADDRESS is in REGION.  */
static void
map_cache (struct report *r, const struct region *region, uint64_t address)
{
  const struct region_entry *e;
  const struct fragment *f;

  if (address - (uint64_t) region->start >= region->units)
    {
      map_unit (r, address);
      return;
    }
  e = region_lookup (region, (cache_pc) address);
  f = e ? fragment_of (e->fragment & ~(uint32_t) REGION_PIECES) : 0;
  if (address - (uint64_t) region->start >= region->code)
    report_add (r, "0x%lx is in code memory that is not used yet\n", address);
  else if (!f)
    report_add (r, "0x%lx looks indirect branches up\n", address);
  else if (e->fragment & REGION_PIECES
           || address - (uint64_t) f->entry >= f->size)
    report_add (r, "0x%lx belongs to the way to the %s of 0x%lx\n", address,
                kind_name (f), f->pc);
  else
    map_body (r, f, address);
}

static void
map_app (struct report *r, app_pc pc)
{
  struct walk w = { 0, 0 };
  const struct fragment *f;
  struct place p;
  unsigned n = 0;

  while ((f = next_fragment (&w)))
    if (is_live (f) && find_place (f, pc, &p))
      {
        report_add (r,
                    "0x%lx is executed at 0x%lx, in the %s %s of 0x%lx\n",
                    pc, p.pc, flavour_names[f->flavour], kind_name (f),
                    f->pc);
        n++;
      }
  if (!n)
    report_add (r, "0x%lx is not in the cache: it has not been executed, or "
                   "what it was translated to has been retired\n",
                pc);
}

/* See inspect.h.  */
void
inspect_map (struct report *r, uint64_t address)
{
  const struct region *region = region_find (address);

  if (region)
    map_cache (r, region, address);
  else
    map_app (r, address);
}

static void
describe_exits (struct report *r, const struct fragment *f)
{
  const struct region *region = region_find ((uint64_t) f->entry);

  for (unsigned n = 0; n < f->n_exits; n++)
    {
      const struct exit *e = f->exits + n;
      const struct fragment *to = fragment_of (e->to);

      report_add (r, "exit %s %lx %lx %lx\n", exit_names[e->kind], e->target,
                  (uint64_t) region->start + e->unit,
                  to ? (uint64_t) to->entry : 0);
    }
}

static unsigned
count_in (const struct fragment *f)
{
  unsigned n = 0;

  for (const struct exit *e = exit_of (f->in); e; e = exit_of (e->next_in))
    n++;
  return n;
}

static unsigned
app_bytes (const struct fragment *f)
{
  unsigned sum = 0;

  for (unsigned n = 0; n <= f->n_more; n++)
    sum += fragment_segment (f, n)->app_size;
  return sum;
}

static void
describe (struct report *r, const struct fragment *f)
{
  static const char digits[] = "0123456789abcdef";
  char hex[2 * INSN_MAX_LENGTH + 1];
  struct place p;

  report_add (r, "fragment %s %s %lx %lx %x %x %x\n", kind_name (f),
              flavour_names[f->flavour], f->pc, (uint64_t) f->entry,
              app_bytes (f), f->size, count_in (f));
  for (unsigned at = 0; at < f->size; at += p.length)
    {
      p = place_at (f, at);
      for (unsigned n = 0; n < p.length; n++)
        {
          uint8_t byte = ((const uint8_t *) f->entry)[at + n];
          hex[2 * n] = digits[byte >> 4];
          hex[2 * n + 1] = digits[byte & 15];
        }
      hex[2 * p.length] = 0;
      report_add (r, "insn %lx %lx %s\n", p.pc, p.app, hex);
    }
  describe_exits (r, f);
}

/* See inspect.h.  */
void
inspect_code (struct report *r, app_pc pc)
{
  struct walk w = { 0, 0 };
  const struct fragment *f;
  struct place p;

  while ((f = next_fragment (&w)))
    if (is_live (f) && find_place (f, pc, &p))
      describe (r, f);
}

/* The blocks that F goes through: what rules wrote behind them has segments
   of its own, without application code.  */
static unsigned
n_blocks (const struct fragment *f)
{
  unsigned n = f->n_more + 1u;

  while (n > 1 && !fragment_segment (f, n - 1)->app_size)
    n--;
  return n;
}

static void
describe_trace (struct report *r, const struct fragment *f)
{
  report_add (r, "trace of 0x%lx: %u blocks, %u bytes at 0x%lx; "
                 "%u links to it\n",
              f->pc, n_blocks (f), f->size, (uint64_t) f->entry,
              count_in (f));
  for (unsigned n = 0; n < n_blocks (f); n++)
    report_add (r, "  0x%lx\n", fragment_segment (f, n)->pc);
}

/* See inspect.h.  */
void
inspect_traces (struct report *r, uint64_t unused)
{
  struct walk w = { 0, 0 };
  const struct fragment *f;
  unsigned n = 0;

  (void) unused;
  while ((f = next_fragment (&w)))
    if (is_live (f) && f->is_trace)
      {
        describe_trace (r, f);
        n++;
      }
  if (!n)
    report_add (r, "There are no traces.\n");
}
