/* See dispatch.h.

   An exit is only used until its thread next parks: cache_reset is done by a
   thread that has stopped all others (park.h), and forgets all exits.  */

#include "engine/dispatch.h"
#include "arch/enter.h"
#include "cache/trace.h"
#include "common/log.h"
#include "engine/areas.h"
#include "engine/code-change.h"
#include "engine/code-memory.h"
#include "engine/depart.h"
#include "engine/emulate.h"
#include "engine/events.h"
#include "engine/gate.h"
#include "engine/memory-calls.h"
#include "engine/options.h"
#include "engine/park.h"
#include "engine/process.h"
#include "engine/signal.h"
#include "engine/stats.h"
#include "engine/stop.h"
#include "engine/ticks.h"
#include "engine/trap-flag.h"

static struct lock cache_lock = LOCK_INIT (LOCK_RANK_BUILD);

/* Take the cache lock.  A child of fork that still copies the code memory
   finishes first: nothing of it may change until then.  */
static void
lock_cache (void)
{
  lock_acquire (&cache_lock);
  process_wait_for_copy ();
}

/* How a thread came to where it is: what can be linked or published once the
   next fragment is known.  */
struct arrival
{
  struct exit *exit;            /* a direct one; or null */
  enum trace_arrival how;
  bool executed;                /* the instructions that it was to do */
};

enum { TRAP_UD = 6, TRAP_GP = 13, TRAP_PF = 14 };
/* Error code of a page fault by an instruction fetch in user mode: SDM volume
   3, section 4.7.  */
enum { PF_PRESENT = 1, PF_USER = 4, PF_FETCH = 16 };

/* See dispatch.h.  */
void
dispatch_init (void)
{
  struct cache_options o = { .size = options.cache_size,
                             .near = !options.disable_near,
                             .trace_threshold
                             = options.no_traces ? 0 : options.trace_threshold,
                             .inline_compare
                             = !options.disable_inline_compare,
                             .measure
                             = options.stats && ticks_are_stamps () };
  cache_init (&code_memory_calls, &o);
}

/* See dispatch.h.  */
void
dispatch_run (struct thread *t)
{
  arch_restart (&t->context, ARCH_EXIT_RESUMED);
}

/* The three entries of the vsyscall page can only be executed: each is a
   system call and a return (Documentation/admin-guide/kernel-parameters,
   vsyscall=xonly).  */
static bool
run_vsyscall (struct thread *t)
{
  static const uint16_t numbers[] = { __NR_gettimeofday, __NR_time,
                                      __NR_getcpu };
  struct arch_context *c = &t->context;
  uint64_t args[6], entry = c->rip - 0xffffffffff600000ull;
  app_pc ret;

  if (entry % 1024 || entry / 1024 >= ARRAY_SIZE (numbers)
      || !safe_read (&ret, c->gpr[ARCH_RSP], sizeof ret))
    return false;
  for (unsigned n = 0; n < 6; n++)
    args[n] = gate_arg (t, n);
  c->gpr[ARCH_RAX]
      = (uint64_t) gate_issue_args (t, numbers[entry / 1024], args);
  c->gpr[ARCH_RSP] += 8;
  c->rip = ret;
  return true;
}

/* The application cannot execute what is at ADDR.  */
static void
raise_fetch_fault (struct thread *t, app_addr addr)
{
  struct area a;
  bool mapped = area_find (addr, &a);

  if (run_vsyscall (t))
    return;
  if (addr >> 47)
    signal_raise (t, RAW_SIGSEGV, RAW_SI_KERNEL, 0, TRAP_GP, 0);
  else
    signal_raise (t, RAW_SIGSEGV,
                  mapped ? RAW_SEGV_ACCERR : RAW_SEGV_MAPERR, addr,
                  TRAP_PF,
                  PF_USER | PF_FETCH | (mapped && a.prot ? PF_PRESENT : 0));
}

/* An instruction that the cache has no form for, or that no 64-bit program
   uses: what a processor or kernel without it would do.  */
static void
refuse (struct thread *t, const struct exit *e)
{
  uint8_t b[8] = { 0 };

  if (!safe_read (b, e->target, sizeof b))
    b[0] = b[1] = 0;
  LOG (BUILD, "refused at %lx: %02x %02x %02x %02x %02x %02x",
            e->target, b[0], b[1], b[2], b[3], b[4], b[5]);
  /* #GP names the gate, bit 1 saying that it is one: SDM volume 3, 6.13.  */
  if (e->kind == EXIT_INTERRUPT)
    signal_raise (t, RAW_SIGSEGV, RAW_SI_KERNEL, 0, TRAP_GP, b[1] * 8u + 2);
  else
    signal_raise (t, RAW_SIGILL, RAW_ILL_ILLOPN, e->target, TRAP_UD, 0);
}

/* T may stay away for long.  If it records, the path ends here, in front of a
   call, or is forgotten.  */
static void
end_recording (struct thread *t, bool at_call)
{
  if (!trace_is_by (&t->context))
    return;
  lock_cache ();
  if (at_call)
    trace_end_at_call (&t->context);
  else
    trace_forget (&t->context);
  lock_release (&cache_lock);
}

static struct arrival
do_or_refuse (struct thread *t, const struct exit *e)
{
  enum emulate_result r = emulate (t);

  if (r == EMULATE_REFUSED)
    refuse (t, e);
  return (struct arrival){ .executed = r == EMULATE_DONE };
}

/* Why did T leave the cache?  Do what that asks for.  */
static struct arrival
arrive (struct thread *t, uint64_t number)
{
  struct arch_context *c = &t->context;
  struct exit *e;
  bool hot;

  if (number == ARCH_EXIT_RESUMED)
    {
      STATS_COUNT (RESUMED);
      return (struct arrival){ 0 };
    }
  if (number == ARCH_EXIT_INDIRECT)
    {
      STATS_COUNT (EXITS_INDIRECT);
      c->rip = c->target;
      return (struct arrival){ .how = TRACE_ARRIVED_INDIRECT,
                               .executed = true };
    }
  if (number == ARCH_EXIT_WATCH || number == ARCH_EXIT_WATCHED)
    return (struct arrival){ 0 };
  e = cache_exit ((uint32_t) number, &hot);
  c->rip = e->target;
  if (hot)
    {
      STATS_COUNT (EXITS_HOT);
      return (struct arrival){ .how = TRACE_ARRIVED_HOT, .executed = true };
    }
  switch ((enum exit_kind) e->kind)
    {
    case EXIT_DIRECT:
      STATS_COUNT (EXITS_DIRECT);
      return (struct arrival){ .exit = e, .how = TRACE_ARRIVED_DIRECT,
                               .executed = true };
    case EXIT_SYSCALL:
      STATS_COUNT (EXITS_SYSCALL);
      end_recording (t, true);
      c->rip += 2;
      syscall_gate (t);
      break;
    case EXIT_UNSUPPORTED:
      STATS_COUNT (EXITS_REFUSED);
      return do_or_refuse (t, e);
    case EXIT_INTERRUPT:
      STATS_COUNT (EXITS_REFUSED);
      refuse (t, e);
      break;
    case EXIT_CHANGED:
      STATS_COUNT (EXITS_CHANGED);
      dispatch_flush (e->target, e->target + exit_fragment (e)->app_size,
                      "changed");
      break;
    case EXIT_POINT:
      STATS_COUNT (EXITS_POINT);
      end_recording (t, false);
      events_point (t);
      break;
    case EXIT_STEPPED:
      STATS_COUNT (EXITS_STEPPED);
      return (struct arrival){ .executed = true };
    }
  return (struct arrival){ 0 };
}

/* T, of FLAVOUR, cannot fetch its instruction, on account of FAULT.  */
static void
leave_unfetched (struct thread *t, enum flavour flavour, app_addr fault)
{
  end_recording (t, false);
  if (flavour_steps (flavour) || !events_unfetched (t))
    raise_fetch_fault (t, fault);
}

/* The cache is full: stop the others and begin anew.  */
static void
make_room (struct thread *t)
{
  if (!park_all (t))
    return;
  lock_cache ();
  LOG (FLUSH, "cache full: %lu bytes in use",
            memory_bytes_used ());
  cache_reset ();
  lock_release (&cache_lock);
  park_release (t);
}

/* The fragment for T's PC, with the way that T came linked to it; null when
   there is none and T shall look again.  */
static struct fragment *
find_fragment (struct thread *t, const struct arrival *a,
               enum flavour flavour)
{
  struct fragment *f = 0;
  app_pc fault;
  enum build_status s = BUILD_OK;
  enum trace_next next;

  lock_cache ();
  next = trace_next (&t->context, flavour, a->how, &f);
  if (next == TRACE_NO_ROOM)
    s = BUILD_FULL;
  else if (next == TRACE_NOT_RECORDING)
    s = cache_fragment (t->context.rip, flavour,
                        a->how == TRACE_ARRIVED_INDIRECT
                        && !flavour_steps (flavour), &f, &fault);
  if (s == BUILD_OK)
    {
      if (a->exit)
        cache_link (a->exit, f);
      t->context.table = (uint64_t) cache_table (flavour);
    }
  lock_release (&cache_lock);
  if (s == BUILD_FAULT)
    leave_unfetched (t, flavour, fault);
  else if (s == BUILD_FULL)
    make_room (t);
  return s == BUILD_OK ? f : 0;
}

/* T was interrupted, by no fault, when it had done the instruction FROM.  */
static bool
has_moved (const struct thread *t, uint64_t number, app_pc from)
{
  const struct signal_state *s = &t->signals;

  return number == ARCH_EXIT_RESUMED && t->context.rip != from
         && !(s->have_taken && s->taken.fault);
}

/* T has left the cache with the exit NUMBER; if it was sent to do one
   instruction, that is done, unless a signal came first, or was its doing: a
   debugger that steps over int3 is told of the SIGTRAP alone, as natively.  */
static struct arrival
arrive_and_tell (struct thread *t, uint64_t number)
{
  app_pc from = t->stepping_from;
  bool stepping = t->stepping, trapping = trap_flag_leave (t);
  t->stopped_in_call = false;
  struct arrival a = arrive (t, number);

  t->stepping = false;
  if (trapping && (a.executed || has_moved (t, number, from)))
    trap_flag_done (t, from);
  if (t->stopped_in_call)
    {
      t->stopped_in_call = false;
      events_stepped (t);
      return a;
    }
  if (!stepping || number == ARCH_EXIT_WATCH || number == ARCH_EXIT_WATCHED)
    return a;
  if (number != ARCH_EXIT_RESUMED || has_moved (t, number, from))
    events_stepped (t);
  else
    events_unstepped (t);
  return (struct arrival){ 0 };
}

static enum flavour
choose_flavour (struct thread *t)
{
  enum flavour f = events_flavour (t);

  if (!trap_flag_is_set (t))
    return f;
  return f == FLAVOUR_PLAIN ? FLAVOUR_STEP
         : f == FLAVOUR_WATCH ? FLAVOUR_WATCH_STEP : f;
}

/* T has left around an instruction that may touch what is watched.  True: it
   goes on in the cache where it was told to.  */
static bool
goes_on (struct thread *t, uint64_t number)
{
  struct arch_context *c = &t->context;

  if (number != ARCH_EXIT_WATCH && number != ARCH_EXIT_WATCHED)
    return false;
  c->rip = c->target;
  c->next = c->resume;
  if (number == ARCH_EXIT_WATCHED)
    {
      t->stepping = false;
      return events_watched (t);
    }
  if (!events_watch (t, c->resume && !t->stepping))
    return false;
  t->stepping = true;
  t->stepping_from = c->rip;
  return true;
}

/* T, whose flavour is FLAVOUR, enters F.  */
static NORETURN void
enter (struct thread *t, const struct fragment *f, enum flavour flavour)
{
  struct arch_context *c = &t->context;
  bool holds = flavour_holds (flavour);

  t->stepping = flavour_steps (flavour);
  t->stepping_from = c->rip;
  c->leave = (uint64_t) (holds ? arch_leave_held : arch_leave);
  c->lookup_miss
      = (uint64_t) (holds ? arch_lookup_miss_held : arch_lookup_miss);
  c->held = holds ? ARCH_HELD : 0;
  c->constant = cache_constant (flavour);
  c->resume = (uint64_t) f->entry;
  c->next = holds ? (uint64_t) arch_enter_held : c->resume;
  if (trap_flag_is_set (t))
    trap_flag_enter (t);
  arch_enter (c);
}

/* See arch/enter.h.  */
void
arch_dispatch (struct arch_context *c, uint64_t number)
{
  struct thread *t = (struct thread *) c;
  struct arrival a;

  if (goes_on (t, number))
    arch_enter (c);
  a = arrive_and_tell (t, number);
  for (;;)
    {
      if (c->interrupted)
        {
          c->interrupted = 0;
          end_recording (t, false);
          events_unstepped (t);
          stop_check (t);
          signal_deliver (t);
          park_check (t);
          if (depart_wanted ())
            depart (t);
          a = (struct arrival){ 0 };
        }
      enum flavour flavour = choose_flavour (t);
      struct fragment *f = find_fragment (t, &a, flavour);
      if (f)
        enter (t, f, flavour);
      a = (struct arrival){ 0 };
    }
}

static void
log_flush (unsigned n, app_addr start, app_addr end, const char *why)
{
  if (n)
    LOG (FLUSH, "%u fragments of %lx-%lx: %s", n, start, end, why);
}

/* See dispatch.h.  */
void
dispatch_hold (uint64_t constant)
{
  lock_cache ();
  for (unsigned n = 0; n < N_FLAVOURS; n++)
    if (flavour_holds ((enum flavour) n))
      cache_set_constant ((enum flavour) n, constant);
  lock_release (&cache_lock);
}

/* See dispatch.h.  */
void
dispatch_flush (app_addr start, app_addr end, const char *why)
{
  unsigned n;

  lock_cache ();
  n = cache_flush (start, end);
  lock_release (&cache_lock);
  log_flush (n, start, end, why);
}

/* See dispatch.h.  */
void
dispatch_remapped (app_addr start, app_addr end, const char *why)
{
  unsigned n;

  lock_cache ();
  n = cache_flush (start, end);
  code_change_forget (start, end);
  lock_release (&cache_lock);
  log_flush (n, start, end, why);
}

/* See dispatch.h.  */
enum code_fault
dispatch_store_fault (struct thread *t, app_addr addr)
{
  enum code_fault r;

  memory_calls_acquire ();
  lock_cache ();
  r = code_change_store (t->context.rip, addr, &t->tried);
  lock_release (&cache_lock);
  memory_calls_release ();
  return r;
}

/* See dispatch.h.  */
void
dispatch_kernel_writes (app_addr start, app_addr end)
{
  if (!code_change_any ())
    return;
  lock_cache ();
  code_change_lift (start, end);
  lock_release (&cache_lock);
}

/* See dispatch.h.  */
void
dispatch_inspect (void (*look) (struct report *r, uint64_t data),
                  struct report *r, uint64_t data)
{
  lock_cache ();
  look (r, data);
  lock_release (&cache_lock);
}

/* See dispatch.h.  */
void
dispatch_thread_gone (struct thread *t)
{
  lock_cache ();
  cache_thread_gone (&t->context);
  lock_release (&cache_lock);
}

/* See dispatch.h.  */
void
dispatch_before_fork (void)
{
  lock_cache ();
}

/* See dispatch.h.  */
void
dispatch_release_after_fork (void)
{
  lock_release (&cache_lock);
}

/* See dispatch.h.  */
void
dispatch_after_fork (void)
{
  lock_cache ();
  cache_after_fork ();
  lock_release (&cache_lock);
}
