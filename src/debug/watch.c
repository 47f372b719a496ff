/* See watch.h.  This file: the ranges and tables, the rule, the steps of
   threads.  What an instruction accesses is in access.c, what it changes in
   snapshot.c.  */

#include "debug/watch.h"
#include "arch/watch.h"
#include "cache/cache.h"
#include "common/assert.h"
#include "common/log.h"
#include "debug/access.h"
#include "debug/evaluate.h"
#include "debug/log.h"
#include "debug/ranges.h"
#include "debug/snapshot.h"
#include "engine/dispatch.h"
#include "engine/gate.h"
#include "engine/heap.h"
#include "engine/lock.h"
#include "engine/main.h"

/* The checks of a block: what finish will write for is bounded by the size of
   a block's code.  */
#define MAX_SITES 64
#define ROOM                                                                  \
  (ARCH_WATCH_MAX_CHECKS * ARCH_WATCH_CHECK_MAX + ARCH_WATCH_REST_MAX         \
   + ARCH_WATCH_REPEATED_MAX)

enum { WRITES, READS, N_TABLES };

static struct ranges ranges;
static struct arch_watch_table tables[N_TABLES];
static bool watched[N_TABLES];          /* some byte is, in that table */
static unsigned built_for;      /* what code asks: a bit for each table */

static struct arch_watch_site sites[MAX_SITES];
static unsigned n_sites;

/* The thread that is armed, or reports; and what channel->run was when it
   began to report.  A thread becomes the owner under the lock, as what it
   saw of the one before must still be so then.  */
static struct lock owner_lock = LOCK_INIT (LOCK_RANK_STOPS);
static struct thread *owner;
static bool reporting;
static uint32_t reported_at;
static struct
{
  app_pc pc;
  struct access access;
  struct snapshot snapshot;
} armed;

/* See watch.h.  */
bool
watch_any (void)
{
  return ranges.n;
}


/* Tables.  */

static unsigned
access_of (unsigned table)
{
  return table == WRITES ? INSN_WRITE : INSN_READ;
}

static bool
make_table (struct arch_watch_table *t)
{
  size_t size = PAGE_UP (ARCH_WATCH_WIDE);

  if (t->bytes)
    return true;
  t->has_fsgsbase = thread_has_fsgsbase ();
  t->bytes = core_map_far (2 * size);
  t->wide = t->bytes;
  if (!t->wide)
    {
      size = PAGE_UP (ARCH_WATCH_NARROW);
      t->bytes = core_map_far (2 * size);
    }
  t->lines = t->bytes + size;
  return t->bytes;
}

static void
mark (const struct ranges *s, unsigned table, bool set)
{
  for (unsigned n = 0; n < s->n; n++)
    if (range_wants (s->range + n, access_of (table)))
      {
        arch_watch_mark (tables + table, s->range[n].start, s->range[n].end,
                         set);
        if (!set)
          continue;
        tables[table].low = MIN (tables[table].low, s->range[n].start);
        tables[table].high = MAX (tables[table].high, s->range[n].end);
      }
}

static bool
wants_table (const struct ranges *s, unsigned table)
{
  for (unsigned n = 0; n < s->n; n++)
    if (range_wants (s->range + n, access_of (table)))
      return true;
  return false;
}

/* Change table number TABLE from what OLD had to what NEW has.  */
static bool
change_table (unsigned table, const struct ranges *old,
              const struct ranges *new)
{
  bool was = watched[table], will = wants_table (new, table);

  if (will && !make_table (tables + table))
    return false;
  watched[table] = false;
  tables[table].low = -1ul;
  tables[table].high = 0;
  if (was)
    mark (old, table, false);
  if (will)
    mark (new, table, true);
  watched[table] = will;
  return true;
}

/* Code asks those tables that have something watched, and no others.  */
static void
choose_checks (void)
{
  unsigned wanted = 0, first = watched[WRITES] ? WRITES : READS;

  for (unsigned n = 0; n < N_TABLES; n++)
    wanted |= watched[n] ? 1u << n : 0;
  if (!wanted || wanted == built_for)
    return;
  dispatch_hold ((uint64_t) tables[first].bytes);
  if (built_for)
    dispatch_flush (0, 1ul << 47, "another kind of watchpoint");
  built_for = wanted;
}

/* See watch.h.  */
void
watch_catch_up (struct channel *c)
{
  struct ranges new = ranges_read (c), old = ranges;

  if (!new.range || ranges_same (&new, &old))
    {
      ranges_drop (&new);
      return;
    }
  for (unsigned n = 0; n < N_TABLES; n++)
    if (!change_table (n, &old, &new))
      {
        LOG (DEBUG, "no memory for watchpoints");
        for (unsigned k = 0; k < new.n; k++)
          if (range_wants (new.range + k, access_of (n)))
            new.range[k].kind = CHANNEL_POINT_NONE;
      }
  new.generation = old.generation + 1;
  ranges = new;
  ranges_compile (&ranges);
  ranges_drop (&old);
  choose_checks ();
  gate_watch (ranges.n);
  LOG (DEBUG, "%u watchpoints", ranges.n);
}


/* See watch.h.  */
void
watch_report (struct report *r)
{
  uint64_t compiled = 0, refused = 0;

  for (unsigned n = 0; n < ranges.n; n++)
    if (ranges.range[n].always)
      refused += ranges.range[n].conditions.n != 0;
    else
      compiled += ranges.range[n].conditions.n;
  report_value (r, "watchpoints", ranges.n);
  report_value (r, "conditions of watchpoints compiled", compiled);
  report_value (r, "watchpoints whose conditions GDB decides", refused);
  report_value (r, "changes not recorded for lack of room", log_dropped ());
}


/* The rule.  */

static bool
checks (enum flavour flavour)
{
  return flavour == FLAVOUR_WATCH || flavour == FLAVOUR_WATCH_STEP
         || flavour == FLAVOUR_WATCH_RECORD;
}

static size_t
room (app_pc start, app_pc end, enum flavour flavour)
{
  (void) start, (void) end;
  return checks (flavour) ? ROOM : 0;
}

static bool
is_checked (const struct insn_mem *m)
{
  return (watched[WRITES] && (m->access & INSN_WRITE))
         || (watched[READS] && (m->access & INSN_READ));
}

static enum rule_action
before (const struct insn *i, enum flavour flavour)
{
  struct insn_mem m[INSN_MAX_MEM];

  if (!checks (flavour))
    return RULE_NONE;
  if (i->properties & INSN_UNKNOWN)
    return RULE_CODE;
  for (unsigned n = insn_memory (i, m); n--;)
    if (is_checked (m + n))
      return RULE_CODE;
  return RULE_NONE;
}

/* Check [OFFSET, OFFSET + SIZE) of the operand M.  */
static void
emit_part (struct rule_site *s, const struct insn_mem *m, unsigned table,
           uint32_t offset, uint32_t size)
{
  struct insn_mem part = *m;

  if (m->kind == INSN_MEM_PUSH)
    {
      part.kind = INSN_MEM_PLAIN;
      part.disp -= m->size;
    }
  part.disp += offset;
  part.size = size;
  rewrite_watch (s->w, sites + n_sites, &part, tables + table);
}

static void
emit_operand (struct rule_site *s, const struct insn_mem *m)
{
  for (unsigned n = 0; n < N_TABLES; n++)
    if (watched[n] && (m->access & access_of (n)))
      for (uint32_t at = 0; at < m->size; at += ARCH_WATCH_LINE)
        emit_part (s, m, n, at, MIN (m->size - at, ARCH_WATCH_LINE));
}

static bool
can_check (const struct insn *i, const struct insn_mem *m)
{
  return !(i->properties & INSN_UNKNOWN) && arch_watch_can_check (m, i)
         && m->size <= 2 * ARCH_WATCH_LINE;
}

/* Write the check of a repeated string instruction; false: it is none.  */
static bool
emit_repeated (struct rule_site *s)
{
  static const uint8_t access[N_TABLES] = { INSN_WRITE, INSN_READ };

  return (s->insn->properties & INSN_REP)
         && rewrite_watch_repeated (s->w, sites + n_sites, tables, access,
                                    N_TABLES);
}

static void
emit_operands (struct rule_site *s, const struct insn_mem *m, unsigned n)
{
  for (unsigned k = 0; k < n; k++)
    if (is_checked (m + k))
      emit_operand (s, m + k);
}

/* Some operand of S's instruction cannot be checked.  */
static bool
is_beyond (const struct rule_site *s, const struct insn_mem *m, unsigned n)
{
  if (s->insn->properties & INSN_UNKNOWN)
    return true;
  for (unsigned k = 0; k < n; k++)
    if (is_checked (m + k) && !can_check (s->insn, m + k))
      return true;
  return false;
}

static size_t
emit (struct rule_site *s)
{
  struct insn_mem m[INSN_MAX_MEM];
  unsigned n = insn_memory (s->insn, m);

  vm_assert (n_sites < MAX_SITES);
  rewrite_watch_begin (s->w, s->insn, sites + n_sites);
  if (!is_beyond (s, m, n))
    emit_operands (s, m, n);
  else if (!emit_repeated (s))
    {
      rewrite_watch_leave (s->w, s->insn);
      return 0;
    }
  n_sites++;
  return ARCH_WATCH_REST_MAX;
}

static void
after (const struct insn *i, struct rewriter *w)
{
  struct arch_watch_site *s = sites + n_sites - 1;

  if (n_sites && s->insn.pc == i->pc)
    rewrite_watch_after (w, s);
}

static void
finish (struct rewriter *w)
{
  for (unsigned n = 0; n < n_sites; n++)
    {
      rule_segment (w, sites[n].base);
      rewrite_watch_rest (w, sites + n);
    }
  n_sites = 0;
}

/* See watch.h.  */
void
watch_init (void)
{
  static const struct cache_rule rule
      = { .room = room, .before = before, .emit = emit, .after = after,
          .finish = finish };
  cache_add_rule (&rule);
}


/* Steps.  */

/* See watch.h.  */
void
watch_forked (void)
{
  owner_lock = (struct lock) LOCK_INIT (LOCK_RANK_STOPS);
  owner = NULL;
  reporting = false;
}

static void
release (void)
{
  reporting = false;
  __atomic_store_n (&owner, NULL, __ATOMIC_RELEASE);
}

/* The debugger has seen what FROM, the owner, reports, and let others go
   on.  */
static bool
is_seen (const struct thread *from)
{
  return from && __atomic_load_n (&reporting, __ATOMIC_ACQUIRE)
         && __atomic_load_n (&channel->run, __ATOMIC_ACQUIRE) != reported_at;
}

/* Become the owner, T; false: that is another thread, which is armed, or whose
   report the debugger has not seen.  */
static bool
acquire (struct thread *t)
{
  struct thread *from;
  bool mine;

  lock_acquire (&owner_lock);
  from = __atomic_load_n (&owner, __ATOMIC_ACQUIRE);
  mine = !from || from == t || is_seen (from);
  if (mine)
    {
      /* In this order: see is_armed.  */
      __atomic_store_n (&owner, t, __ATOMIC_RELEASE);
      __atomic_store_n (&reporting, false, __ATOMIC_RELEASE);
    }
  lock_release (&owner_lock);
  return mine;
}

/* Become the owner when that can be; false: T was interrupted first.  */
static bool
wait_for_turn (struct thread *t)
{
  while (!acquire (t))
    {
      if (__atomic_load_n (&t->context.interrupted, __ATOMIC_RELAXED))
        return false;
      thread_yield ();
    }
  return true;
}

/* See watch.h.  What meets nothing that is watched is not waited for.  */
bool
watch_come (struct thread *t, bool here)
{
  if (!wait_for_turn (t))
    return false;
  armed.pc = t->context.rip;
  snapshot_clear (&armed.snapshot);
  access_begin (&armed.access, &t->context, &ranges);
  for (unsigned n = 0; n < armed.access.n; n++)
    {
      const struct access_part *p = armed.access.part + n;
      snapshot_add (&armed.snapshot, &ranges, p->start, p->end, p->access);
    }
  if (!here || armed.access.rest)
    return false;
  if (!armed.snapshot.n)
    release ();
  return true;
}

static bool
is_owner (const struct thread *t)
{
  return __atomic_load_n (&owner, __ATOMIC_RELAXED) == t;
}

/* Another thread may become the owner now, if T reports.  */
static bool
is_armed (const struct thread *t)
{
  return !__atomic_load_n (&reporting, __ATOMIC_ACQUIRE) && is_owner (t);
}

/* See watch.h.  */
bool
watch_armed (struct thread *t)
{
  if (!is_armed (t))
    return false;
  if (t->context.rip == armed.pc)
    return true;
  watch_undone (t);
  return false;
}

/* The debugger wants to hear of CHANGE, made by T with the instruction at
   PC.  */
static bool
is_hit (struct thread *t, app_pc pc, const struct snapshot_change *change)
{
  const struct range *r = ranges.range + change->range;

  if (!r->always && !evaluate_any (t, r->first, r->conditions.n))
    return false;
  if (r->kind != CHANNEL_POINT_WATCH_LOG)
    return true;
  log_change (t, pc, r, change);
  return false;
}

/* CHANGE of S is still of something that is watched: what is may have changed
   while a system call waited.  */
static bool
is_watched (const struct snapshot *s, struct snapshot_change *change)
{
  if (s->generation != ranges.generation)
    change->range = ranges_with (&ranges, change->kind, change->start,
                                 change->start + change->size);
  return change->range < ranges.n;
}

/* What of S has been touched, by the instruction of T at PC, that the debugger
   wants to hear of.  */
static bool
find_hit (struct thread *t, const struct snapshot *s, app_pc pc,
          struct watch_hit *hit)
{
  struct snapshot_change change;
  bool found = false;

  for (unsigned at = 0; snapshot_next (s, &at, &change);)
    if (is_watched (s, &change) && is_hit (t, pc, &change) && !found)
      {
        hit->addr = change.addr;
        hit->kind = ranges.range[change.range].kind;
        found = true;
      }
  return found;
}

/* The owner has something to report.  */
static void
begin_to_report (void)
{
  reported_at = __atomic_load_n (&channel->run, __ATOMIC_ACQUIRE);
  __atomic_store_n (&reporting, true, __ATOMIC_RELEASE);
}

/* See watch.h.  */
bool
watch_done (struct thread *t, struct watch_hit *hit)
{
  if (!is_armed (t))
    return false;
  access_end (&armed.access, &t->context, armed.pc, true);
  if (!find_hit (t, &armed.snapshot, armed.pc, hit))
    {
      release ();
      return false;
    }
  begin_to_report ();
  return true;
}

/* See watch.h.  */
void
watch_reported (struct thread *t)
{
  if (!is_owner (t) || is_armed (t))
    return;
  lock_acquire (&owner_lock);
  if (is_owner (t))
    release ();
  lock_release (&owner_lock);
}

/* See watch.h.  */
void
watch_undone (struct thread *t)
{
  if (!is_armed (t))
    return;
  access_end (&armed.access, &t->context, armed.pc, false);
  release ();
}


/* Stores by others.  */

/* See watch.h.  */
void
watch_store (struct thread *t, app_addr start, app_addr end)
{
  struct snapshot *s = t->debug_data;

  if (s && s->known)
    snapshot_made (s, &ranges, start, end);
  else if (ranges_first (&ranges, start, end) != ranges.n)
    {
      if (!s)
        s = t->debug_data = heap_alloc (sizeof *s, HEAP_DEBUG);
      if (s)
        snapshot_add (s, &ranges, start, end, INSN_WRITE);
    }
}

/* See watch.h.  */
void
watch_returned (struct thread *t, bool changed)
{
  if (!t->debug_data && changed)
    t->debug_data = heap_alloc (sizeof (struct snapshot), HEAP_DEBUG);
  if (t->debug_data)
    snapshot_over (t->debug_data, changed);
}

/* See watch.h.  */
bool
watch_stored (struct thread *t, bool wait, struct watch_hit *hit, bool *found)
{
  struct snapshot *s = t->debug_data;
  bool mine;

  if (!s)
    return true;
  mine = wait ? wait_for_turn (t) : acquire (t);
  if (!mine && wait)
    return false;
  *found = find_hit (t, s, t->context.rip, hit);
  heap_free (s, sizeof *s, HEAP_DEBUG);
  t->debug_data = 0;
  if (mine && *found)
    begin_to_report ();
  else if (mine)
    release ();
  return true;
}
