/* The system-call gate.  See gate.h.  */

#include "engine/gate.h"
#include "arch/gate.h"
#include "common/log.h"
#include "common/string.h"
#include "engine/code-change.h"
#include "engine/code-memory.h"
#include "engine/depart.h"
#include "engine/dispatch.h"
#include "engine/events.h"
#include "engine/heap.h"
#include "engine/options.h"
#include "engine/park.h"
#include "engine/stats.h"
#include "engine/stop.h"
#include "engine/ticks.h"
#include "linux/sysmem.h"

_Static_assert (GATE_AGAIN == ARCH_SYSCALL_AGAIN, "");

#define NS 1000000000ul

/* %rax of a thread in a call, when it is seen in a core: -ERESTARTSYS.  */
#define IN_CALL (-512L)

#define CALL(NAME, FUNCTION) gate_function FUNCTION;
#include "engine/calls.def"
#undef CALL

/* By number; null: passed on.  */
static gate_function *const functions[SYSCALL_END] = {
#define CALL(NAME, FUNCTION) [LINUX_##NAME] = FUNCTION,
#include "engine/calls.def"
#undef CALL
};

/* See gate.h.  */

bool
engine_owns (uint64_t start, uint64_t end)
{
  return core_overlaps (start, end) || code_memory_overlaps (start, end);
}

/* See gate.h.  */

bool
safe_read (void *dst, app_addr addr, size_t n)
{
  return arch_copy (dst, (const void *) addr, n) == 0;
}

/* See gate.h.  */

bool
safe_write (app_addr addr, const void *src, size_t n)
{
  if (engine_owns (addr, addr + n))
    return false;
  dispatch_kernel_writes (addr, addr + n);
  return arch_copy ((void *) addr, src, n) == 0;
}

/* See gate.h.  */

long
safe_read_string (char *dst, app_addr addr, size_t size)
{
  for (size_t have = 0; have < size;)
    {
      size_t n = MIN (size - have, PAGE_SIZE - (addr + have) % PAGE_SIZE);
      if (!safe_read (dst + have, addr + have, n))
        return -RAW_EFAULT;
      for (; n; n--, have++)
        if (!dst[have])
          return have;
    }
  return size;
}

static bool
read_for_walk (void *cookie, app_addr from, void *to, size_t size)
{
  (void) cookie;
  return safe_read (to, from, size);
}

static void
lift (void *cookie, unsigned arg, app_addr addr, size_t size, unsigned access)
{
  (void) cookie, (void) arg, (void) access;
  dispatch_kernel_writes (addr, addr + size);
}

/* Take the engine's protection from what call NR with ARGS is going to
   write.  */

static void
lift_for_call (int64_t nr, const uint64_t args[6])
{
  struct sysmem_call c = { .nr = nr, .read = read_for_walk };
  memcpy (c.args, args, sizeof c.args);
  sysmem_enter (&c);
  sysmem_walk (&c, SYSCALL_WRITE, lift, NULL);
}

static bool watches;
static uint32_t watch_changes;

/* See gate.h.  */

void
gate_watch (bool on)
{
  __atomic_store_n (&watches, on, __ATOMIC_RELAXED);
  __atomic_add_fetch (&watch_changes, 1, __ATOMIC_RELAXED);
}

/* See gate.h.  */

bool
gate_watches (void)
{
  return __atomic_load_n (&watches, __ATOMIC_RELAXED);
}

static void
tell_store (void *cookie, unsigned arg, app_addr addr, size_t size,
            unsigned access)
{
  (void) arg, (void) access;
  events_store (cookie, addr, addr + size < addr ? -1ul : addr + size);
}

/* Tell of what T's call C is going to write, or has written; of all memory, if
   that is not known.  */

static void
tell_stores (struct thread *t, const struct sysmem_call *c)
{
  if (sysmem_is_complete (c))
    sysmem_walk (c, SYSCALL_WRITE, tell_store, t);
  else
    events_store (t, 0, -1ul);
}

static void
note_call (struct thread *t, struct sysmem_call *c)
{
  *c = (struct sysmem_call) { .nr = t->syscall, .read = read_for_walk };
  for (unsigned n = 0; n < 6; n++)
    c->args[n] = gate_arg (t, n);
  sysmem_enter (c);
}

/* Issue T's call by F, or by itself.  It may become watched while it waits:
   then what it is about is noted only afterwards.  */

static long
issue (struct thread *t, gate_function *f)
{
  struct sysmem_call c;
  bool watched = gate_watches ();
  uint32_t changes = __atomic_load_n (&watch_changes, __ATOMIC_RELAXED);
  if (watched)
    {
      note_call (t, &c);
      tell_stores (t, &c);
    }
  long r = f ? f (t) : gate_issue (t);
  if (!watched && !gate_watches ())
    return r;
  if (!watched)
    note_call (t, &c);
  events_returned (t, changes
                        != __atomic_load_n (&watch_changes,
                                            __ATOMIC_RELAXED));
  if (r != GATE_AGAIN && r != GATE_CONTEXT)
    {
      sysmem_leave (&c, r);
      tell_stores (t, &c);
    }
  return r;
}

/* What the kernel has stored for T is to be reported, when others have
   reported what they have.  T is behind its call.  */

static void
report_stores (struct thread *t)
{
  app_pc pc = t->context.rip;
  while (t->debug_data && !events_stored (t, t->context.rip == pc))
    {
      stop_check (t);
      park_check (t);
    }
}

/* A call that may sleep.  */
struct blocking
{
  int64_t nr;
  uint64_t args[6];
  uint64_t start;               /* ticks.h */
  struct linux_timespec left;
};

/* The time-out of B, if it has a relative one that has to be made shorter:
   the argument in which it is, or -1.  */

static int
relative_timeout (const struct blocking *b, const struct syscall_row *row)
{
  enum { FUTEX_COMMAND = 127, TIMER_ABSTIME_ = 1 };
  switch (row->deadline)
    {
    case SYSCALL_DEADLINE_MS:
    case SYSCALL_DEADLINE_REL:
      return row->deadline_arg;
    case SYSCALL_DEADLINE_BY_FLAGS:
      if (b->nr == LINUX_futex)
        return (b->args[1] & FUTEX_COMMAND) == RAW_FUTEX_WAIT
                 ? row->deadline_arg : -1;
      return b->args[1] & TIMER_ABSTIME_ ? -1 : row->deadline_arg;
    }
  return -1;
}

/* B has slept for a while and is to be issued again: for the rest of its
   time.  */

static void
shorten (struct blocking *b)
{
  const struct syscall_row *row = syscall_row (b->nr);
  int n = relative_timeout (b, row);
  if (n < 0)
    return;
  uint64_t slept = ticks_elapsed (&b->start);
  if (row->deadline == SYSCALL_DEADLINE_MS)
    {
      int ms = b->args[n], less = slept / (NS / 1000);
      if (ms > 0)
        b->args[n] = ms > less ? ms - less : 0;
      return;
    }
  if (!b->args[n] || !safe_read (&b->left, b->args[n], sizeof b->left))
    return;
  uint64_t left = b->left.sec * NS + b->left.nsec;
  left = left > slept ? left - slept : 0;
  b->left = (struct linux_timespec) { .sec = left / NS, .nsec = left % NS };
  b->args[n] = RAW_PTR (&b->left);
}

/* Put the result R of T's call where the application finds it.  */

static void
finish_call (struct thread *t, long r)
{
  struct arch_context *c = &t->context;
  c->gpr[ARCH_RCX] = c->rip;
  c->gpr[ARCH_R11] = c->rflags;
  if (r == GATE_AGAIN)
    c->rip -= 2;
  else
    c->gpr[ARCH_RAX] = r;
}

/* T's process goes native: its call begins anew.  Returns if it does not.  */

static void
leave_call (struct thread *t)
{
  finish_call (t, GATE_AGAIN);
  depart (t);
  t->context.rip += 2;
}

/* Issue B; a kick that is nobody's signal, and for which no one has given the
   thread other registers, is no event in the call's life.  */

static long
issue_blocking (struct thread *t, struct blocking *b)
{
  for (;;)
    {
      t->kicked_out = false;
      long r = arch_syscall (b->nr, b->args);
      bool kicked = r == ARCH_SYSCALL_AGAIN
                    || (r == -RAW_EINTR && t->kicked_out);
      if (!kicked)
        return r;
      t->context.interrupted = 0;
      if (signal_waits (t) || (t->slot && t->slot->regs_changed))
        {
          t->context.interrupted = 1;
          return r;
        }
      pending_share (t, signal_mask_now (&t->signals));
      if (park_expelled (t))
        {
          finish_call (t, 0);
          t->context.gpr[ARCH_RAX] = IN_CALL;
          park_leave_for_core (t, b->nr);
        }
      if (depart_wanted ())
        leave_call (t);
      shorten (b);
    }
}

/* See gate.h.  */

long
gate_issue_args (struct thread *t, int64_t nr, const uint64_t args[6])
{
  if (code_change_any ())
    lift_for_call (nr, args);
  if (!syscall_may_block (nr))
    return arch_syscall (nr, args);
  struct blocking b = { .nr = nr, .start = ticks_now () };
  memcpy (b.args, args, sizeof b.args);
  if (!stop_enter_syscall (t))
    return GATE_AGAIN;
  park_enter_syscall (t);
  long r = issue_blocking (t, &b);
  park_leave_syscall (t);
  stop_leave_syscall (t);
  return stop_take_registers (t) ? GATE_CONTEXT : r;
}

/* See gate.h.  */

long
gate_issue (struct thread *t)
{
  uint64_t args[6];
  for (unsigned n = 0; n < 6; n++)
    args[n] = gate_arg (t, n);
  return gate_issue_args (t, gate_number (t), args);
}

/* A call that this engine refuses as a kernel without it does.  */

long
gate_nosys (struct thread *t)
{
  (void) t;
  return -RAW_ENOSYS;
}

static void
log_call (const struct thread *t, long r)
{
  LOG (SYSCALL, "%d: %s (%#lx, %#lx, %#lx, %#lx, %#lx, %#lx) = %ld", t->tid,
       syscall_row (t->syscall)->name, gate_arg (t, 0), gate_arg (t, 1),
       gate_arg (t, 2), gate_arg (t, 3), gate_arg (t, 4), gate_arg (t, 5), r);
}

/* See gate.h.  */

void
syscall_gate (struct thread *t)
{
  int64_t nr = gate_number (t);
  bool caught = stop_catches (t, nr);
  STATS_COUNT (SYSCALLS);
  if (caught)
    {
      t->syscall = nr;          /* what the debugger sees it in, and may
                                   change */
      stop_report_in_call (t, CHANNEL_STOP_SYSCALL_ENTRY, nr);
      nr = t->syscall;
      t->context.gpr[ARCH_RAX] = nr;
    }
  gate_function *f = nr >= 0 && nr < SYSCALL_END ? functions[nr] : NULL;
  t->syscall = nr;
  long r = issue (t, f);
  log_call (t, r);
  if (r != GATE_CONTEXT)
    finish_call (t, r);
  t->syscall = -1;
  report_stores (t);
  /* Wanted still, or since a stop of fork's or vfork's.  */
  if (r != GATE_AGAIN && (caught || t->stopped_in_call)
      && stop_catches (t, nr))
    {
      t->syscall = nr;
      stop_report (t, CHANNEL_STOP_SYSCALL_RETURN, 0, nr);
    }
  t->syscall = -1;
}
