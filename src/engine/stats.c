/* Statistics.  See stats.h.  */

#include "engine/stats.h"
#include "arch/enter.h"
#include "cache/cache.h"
#include "cache/region.h"
#include "channel/hub.h"
#include "common/format.h"
#include "engine/events.h"
#include "engine/heap.h"
#include "engine/options.h"
#include "engine/start.h"
#include "engine/ticks.h"
#include "linux/raw.h"

uint64_t stats_counters[STAT_N];

static const char texts[STAT_N][40] = {
#define STAT(NAME, TEXT) TEXT,
#include "engine/stats.def"
#undef STAT
};

static const char native_texts[HUB_N_NATIVE_REASONS][48] = {
#define NATIVE_TEXT(NAME, TEXT) TEXT,
  HUB_NATIVE_REASONS (NATIVE_TEXT)
#undef NATIVE_TEXT
};

static const char abort_texts[TRACE_N_ABORTS][32] = {
  [TRACE_ABORT_LEFT] = "traces given up: left",
  [TRACE_ABORT_SHORT] = "traces given up: one block",
  [TRACE_ABORT_UNFIT] = "traces given up: unfit",
  [TRACE_ABORT_FULL] = "traces given up: cache full",
  [TRACE_ABORT_FLUSHED] = "traces given up: flush",
};

/* Where rows go while the process is stopped for a report; null: to
   descriptor 2.  */
static struct report *the_report;

static void
row (const char *text, uint64_t value)
{
  char line[96];
  if (the_report)
    {
      report_value (the_report, text, value);
      return;
    }
  size_t n = format_text (line, sizeof line, "  %-36s %12lu\n", text, value);
  raw_write_all (2, line, MIN (n, sizeof line - 1));
}

static uint64_t
build_rate (const struct cache_stats *c)
{
  uint64_t ns = ticks_to_ns (c->build_ticks);
  return ns ? arch_scale (c->measured, 1000000000, ns) : 0;
}

static void
print_cache (void)
{
  const struct cache_stats *c = cache_stats ();
  row ("blocks built", c->blocks);
  if (options.stats && ticks_are_stamps ())
    row ("blocks built a second of building", build_rate (c));
  row ("application bytes translated", c->app_bytes);
  row ("links", c->links);
  row ("counted links to heads of traces", c->counters);
  row ("traces", c->traces);
  row ("blocks in them", c->trace_blocks);
  row ("bytes of their code", c->trace_bytes);
  for (unsigned i = 0; i < TRACE_N_ABORTS; i++)
    row (abort_texts[i], c->trace_aborts[i]);
  row ("hot while another thread recorded", c->trace_busy);
  row ("fragments retired", c->retired);
  row ("cache resets", c->resets);
  row ("code memory, bytes", region_bytes_used ());
}

static void
print_native (void)
{
  const struct channel_hub *hub = engine_hub ();
  uint64_t sum = 0;
  char text[64];
  for (unsigned i = 0; hub && i < HUB_N_NATIVE_REASONS; i++)
    sum += hub->n_native[i];
  row ("gone native so far, of all processes", sum);
  for (unsigned i = 0; hub && i < HUB_N_NATIVE_REASONS; i++)
    if (hub->n_native[i])
      {
        format_text (text, sizeof text, "  %s", native_texts[i]);
        row (text, hub->n_native[i]);
      }
}

static void
print_memory (void)
{
  char text[64];
  for (enum heap_account a = 0; a < HEAP_N_ACCOUNTS; a++)
    if (heap_account_bytes (a))
      {
        format_text (text, sizeof text, "engine memory, bytes: %s",
                     heap_account_name (a));
        row (text, heap_account_bytes (a));
      }
}

/* See stats.h.  */

void
stats_after_fork (void)
{
  for (unsigned i = 0; i < STAT_N; i++)
    stats_counters[i] = 0;
}

/* See stats.h.  */

void
stats_report (struct thread *t, struct report *r)
{
  the_report = r;
  print_cache ();
  for (unsigned i = 0; i < STAT_N; i++)
    row (texts[i], stats_counters[i]);
  print_native ();
  the_report = 0;
  events_report (t, r);
}

/* See stats.h.  */

void
stats_report_memory (struct report *r)
{
  uint64_t sum = 0;
  for (enum heap_account a = 0; a < HEAP_N_ACCOUNTS; a++)
    {
      report_value (r, heap_account_name (a), heap_account_bytes (a));
      sum += heap_account_bytes (a);
    }
  report_value (r, "all accounts", sum);
  report_value (r, "of the cache's: fragments", memory_bytes_used ());
  report_value (r, "code memory in use", region_bytes_used ());
}

/* See stats.h.  */

void
stats_print (int pid)
{
  char line[48];
  if (!options.stats)
    return;
  size_t n = format_text (line, sizeof line, "rio: process %d\n", pid);
  raw_write_all (2, line, n);
  print_cache ();
  for (unsigned i = 0; i < STAT_N; i++)
    row (texts[i], stats_counters[i]);
  print_native ();
  print_memory ();
}
