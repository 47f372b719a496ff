/* Delivering signals to the application.  See signal.h.

   All of it runs on the engine's stack with the application's vector
   registers live.  next_record picks what comes first, act does what the
   action says; the kernel's mask is brought in line once at the end.  */

#include "engine/signal.h"
#include "arch/decode.h"
#include "arch/enter.h"
#include "arch/gate.h"
#include "common/assert.h"
#include "common/log.h"
#include "common/string.h"
#include "engine/code-change.h"
#include "engine/dispatch.h"
#include "engine/events.h"
#include "engine/gate.h"
#include "engine/heap.h"
#include "engine/main.h"
#include "engine/memory-calls.h"
#include "engine/options.h"
#include "engine/park.h"
#include "engine/stats.h"
#include "engine/stop.h"
#include "engine/thread.h"
#include "linux/signals.h"

#define RED_ZONE 128
#define FLAGS_CLEARED 0x10500ul         /* RF, DF, TF */

enum { TRAP_BP = 3 };           /* with TRAP_DB below it, the only traps */

static bool
next_record (struct thread *t, struct signal_record *rec)
{
  struct signal_state *s = &t->signals;
  if (s->have_taken)
    {
      *rec = s->taken;
      s->have_taken = false;
      return true;
    }
  return pending_take (t, ~signal_mask_now (s), rec);
}

/* SEGV as the kernel forces it on a thread that has no room for a frame, or
   returned through a bad one.  */

static void
make_segv (struct signal_record *rec)
{
  *rec = (struct signal_record) { .info.signo = RAW_SIGSEGV,
                                  .info.code = RAW_SI_KERNEL,
                                  .fault = true };
}

/* See signal.h.  */

bool
signal_on_altstack (const struct thread *t, app_addr sp)
{
  const struct frame_stack *a = &t->signals.altstack;
  return !(a->flags & RAW_SS_AUTODISARM) && sp > a->sp
         && sp - a->sp <= a->size;
}

/* Where the frame for an action with FLAGS goes; 0: the alternate stack has
   no room for it.  */

static app_addr
place_frame (const struct thread *t, uint64_t flags, app_addr *vector)
{
  const struct frame_stack *a = &t->signals.altstack;
  app_addr sp = t->context.gpr[ARCH_RSP];
  bool nested = signal_on_altstack (t, sp);
  bool entering = (flags & RAW_SA_ONSTACK) && a->size
                  && !signal_on_altstack (t, sp - RED_ZONE);
  sp = entering ? a->sp + a->size : sp - RED_ZONE;
  app_addr at = frame_place (sp, &t->signals.vector, vector);
  if ((nested || entering) && !(at > a->sp && at - a->sp <= a->size))
    return 0;
  return at;
}

/* See signal.h.  The kernel tells in each frame of its own; a thread that has
   not seen one yet makes it build one.  */

const struct frame_sw *
signal_vector (struct thread *t)
{
  if (!t->signals.vector.magic1)
    signal_kick (t);
  vm_assert (t->signals.vector.magic1);
  return &t->signals.vector;
}

/* Build the frame for REC and the action A; the context goes to the handler.
   False: the stack cannot hold it.  */

static bool
push_frame (struct thread *t, const struct signal_record *rec,
            const struct linux_sigaction *a)
{
  struct signal_state *s = &t->signals;
  struct arch_context *c = &t->context;
  struct frame f;
  app_addr vector;
  signal_vector (t);
  app_addr at = place_frame (t, a->flags, &vector);
  struct frame_facts facts = {
    .mask = s->mask, .stack = s->altstack, .trapno = rec->trapno,
    .err = rec->err, .cr2 = rec->cr2, .restorer = a->restorer,
  };
  frame_fill (&f, c, &facts, vector);
  memcpy (f.info, &rec->info, sizeof f.info);
  size_t size = a->flags & RAW_SA_SIGINFO ? sizeof f
                                          : offsetof (struct frame, info);
  if (at)
    {
      dispatch_kernel_writes (at, vector + s->vector.extended_size);
      if (gate_watches ())
        events_store (t, at, vector + s->vector.extended_size);
    }
  if (!at || !(a->flags & RAW_SA_RESTORER)
      || !frame_write_vector (vector, &s->vector, safe_write)
      || !safe_write (at, &f, size))
    return false;
  if (gate_watches () && !events_stored (t, false))
    vm_unreachable ("a watchpoint waits in the frame of a signal");
  c->rip = a->handler;
  c->gpr[ARCH_RSP] = at;
  c->gpr[ARCH_RAX] = 0;
  c->gpr[ARCH_RDI] = rec->info.signo;
  c->gpr[ARCH_RSI] = at + offsetof (struct frame, info);
  c->gpr[ARCH_RDX] = at + offsetof (struct frame, uc);
  c->rflags &= ~FLAGS_CLEARED;
  arch_vector_reset (s->vector.features);
  return true;
}

/* What changes when the handler of A begins.  */

static void
enter_handler (struct thread *t, int sig, const struct linux_sigaction *a)
{
  struct signal_state *s = &t->signals;
  s->mask = (s->suspended ? s->suspend_mask : s->mask) | a->mask;
  if (!(a->flags & RAW_SA_NODEFER))
    s->mask |= SIGSET_BIT (sig);
  s->mask &= ~SIGNAL_UNBLOCKABLE;
  s->suspended = false;
  if (s->altstack.flags & RAW_SS_AUTODISARM)
    s->altstack = (struct frame_stack) { .flags = RAW_SS_DISABLE };
}

/* The action for SIG as it is now; SA_RESETHAND takes effect.  */

static struct linux_sigaction
fetch_action (struct thread *t, int sig)
{
  struct sighand *h = t->signals.sighand;
  lock_acquire (&h->lock);
  struct linux_sigaction a = h->action[sig - 1];
  if ((a.flags & RAW_SA_RESETHAND) && a.handler > RAW_SIG_IGN)
    {
      h->action[sig - 1].handler = RAW_SIG_DFL;
      signal_set_action (h, sig);
    }
  lock_release (&h->lock);
  return a;
}

/* Fill in F so that its sigreturn makes the kernel's state of this thread the
   application's.  IMAGE has room for the vector registers, or is null.  */

static void
native_frame (struct thread *t, struct frame *f, void *image)
{
  struct signal_state *s = &t->signals;
  struct frame_facts facts = { .stack = s->altstack, .mask = s->mask };
  uint64_t vector = ALIGN_UP (RAW_PTR (image), 64);
  bool saved = false;
  if (image)
    {
      memcpy ((void *) (vector + FRAME_SW_AT), &s->vector, sizeof s->vector);
      saved = arch_vector_save ((void *) vector, s->vector.features);
      uint32_t magic2 = FRAME_MAGIC2;
      memcpy ((void *) (vector + s->vector.xstate_size), &magic2, 4);
    }
  frame_fill (f, &t->context, &facts, saved ? vector : 0);
}

/* Load the application's state of T, with MASK, into the kernel's thread.  */

NORETURN static void
load_native (struct thread *t, linux_sigset mask)
{
  struct frame f;
  void *image = heap_pages (t->signals.vector.extended_size + 64, false,
                            HEAP_SIGNAL);
  native_frame (t, &f, image);
  f.uc.mask = mask;
  thread_set_gs (t->context.gs_base);
  arch_sigreturn (&f);
}

/* The first process of a pid namespace: by default no signal does anything to
   it, unless the kernel has forced that (pid_namespaces(7)).  */

static bool
is_init (const struct thread *t)
{
  return t->tgid == 1;
}

/* Die by REC in the application's state: the signal waits, blocked, until
   sigreturn has loaded that state and unblocks it, so that a core shows
   nothing of the engine.  An init can only be killed by a signal that is
   forced, as SIGSEGV is by a frame that is not there.  */

NORETURN static void
die (struct thread *t, const struct signal_record *rec)
{
  int sig = rec->info.signo;
  struct linux_sigaction dfl = { 0 };
  signal_vector (t);
  if (signals_default (sig) == SIGNALS_CORE)
    park_expel (t);
  LOG (SIGNAL, "%d: dies by signal %d at %#lx", t->tid, sig, t->context.rip);
  stats_print (t->tgid);
  stop_process_exit (t, sig);
  signal_block_everything ();
  raw4 (__NR_rt_sigaction, sig, RAW_PTR (&dfl), 0, sizeof dfl.mask);
  if (is_init (t))
    {
      raw4 (__NR_rt_sigaction, RAW_SIGSEGV, RAW_PTR (&dfl), 0,
            sizeof dfl.mask);
      arch_sigreturn (NULL);
    }
  raw4 (__NR_rt_tgsigqueueinfo, t->tgid, t->tid, sig, RAW_PTR (&rec->info));
  load_native (t, ~SIGSET_BIT (sig));
}

/* See signal.h.  */

void
signal_prepare_leaving (void)
{
  struct linux_sigaction dfl = { 0 };
  raw4 (__NR_rt_sigaction, CHANNEL_LEFT_SIGNAL, RAW_PTR (&dfl), 0,
        sizeof dfl.mask);
}

/* See signal.h.  The signal waits, blocked, until sigreturn has loaded the
   state and unblocks it.  */

void
signal_leave (struct thread *t, int64_t nr)
{
  struct linux_siginfo info = { .signo = CHANNEL_LEFT_SIGNAL,
                                .code = CHANNEL_LEFT_CODE };
  info.queue.value = nr;
  signal_vector (t);
  LOG (SIGNAL, "%d: leaves for a core at %#lx", t->tid, t->context.rip);
  signal_block_everything ();
  raw4 (__NR_rt_tgsigqueueinfo, t->tgid, t->tid, CHANNEL_LEFT_SIGNAL,
        RAW_PTR (&info));
  load_native (t, ~SIGSET_BIT (CHANNEL_LEFT_SIGNAL));
}

/* See signal.h.  */

void
signal_restore_actions (struct thread *t)
{
  struct sighand *h = t->signals.sighand;
  for (int sig = 1; sig <= RAW_NSIG; sig++)
    if (!(SIGNAL_UNBLOCKABLE & SIGSET_BIT (sig)))
      signal_set_native_action (h, sig);
}

/* Take the engine's signals from the calling thread, which blocks all; what
   else has their number stays pending.  */

static void
drop_kicks (const struct thread *t)
{
  linux_sigset set = SIGSET_BIT (CHANNEL_KICK_SIGNAL);
  struct linux_timespec now = { 0, 0 };
  struct linux_siginfo info;
  while (raw4 (__NR_rt_sigtimedwait, RAW_PTR (&set), RAW_PTR (&info),
               RAW_PTR (&now), sizeof set)
         == CHANNEL_KICK_SIGNAL)
    if (info.queue.value != channel->birth.kick_cookie)
      {
        raw4 (__NR_rt_tgsigqueueinfo, t->tgid, t->tid, info.signo,
              RAW_PTR (&info));
        return;
      }
}

/* See signal.h.  */

void
signal_leave_native (struct thread *t)
{
  struct frame_stack altstack = t->signals.altstack;
  raw3 (__NR_sigaltstack, RAW_PTR (&altstack), 0, 0);
  drop_kicks (t);
  pending_give_back (t);
  load_native (t, t->signals.mask);
}

/* See signal.h.  */

void
signal_go_native (struct thread *t)
{
  signal_vector (t);
  memory_calls_undo ();
  signal_block_everything ();
  signal_restore_actions (t);
  LOG (PROCESS, "process %d: goes native at %#lx", t->tgid, t->context.rip);
  signal_leave_native (t);
}

/* The default action, done for a signal that has an engine's handler in the
   kernel.  */

static void
do_default (struct thread *t, const struct signal_record *rec)
{
  switch (signals_default (rec->info.signo))
    {
    case SIGNALS_TERMINATE:
    case SIGNALS_CORE:
      if (is_init (t) && !rec->fault)
        break;
      die (t, rec);
    case SIGNALS_STOP:
      raw3 (__NR_tgkill, t->tgid, t->tid, RAW_SIGSTOP);
      break;
    case SIGNALS_IGNORE:
    case SIGNALS_CONTINUE:
      break;
    }
}

static void act (struct thread *t, struct signal_record *rec);

/* REC is a store to a page that the engine has protected, or had until a
   moment ago, for the code in it: it will succeed now.  */

static bool
is_code_change (struct thread *t, const struct signal_record *rec)
{
  /* A write by the user, to a page that is there or not yet: SDM volume 3,
     4.7.  */
  enum { PF_PRESENT = 1, PF_STORE = 6 };
  return rec->fault && rec->info.signo == RAW_SIGSEGV
         && rec->info.code == RAW_SEGV_ACCERR
         && (rec->err & ~(uint64_t) PF_PRESENT) == PF_STORE
         && dispatch_store_fault (t, rec->info.fault.addr)
              != CODE_FAULT_OTHER;
}

/* See signal.h.  */

void
signal_apply (struct thread *t, struct signal_record *rec)
{
  int sig = rec->info.signo;
  STATS_COUNT (SIGNALS);
  bool blocked = t->signals.mask & SIGSET_BIT (sig);
  struct linux_sigaction a = fetch_action (t, sig);
  LOG (SIGNAL, "%d: signal %d (code %d) at %#lx, handler %#lx", t->tid, sig,
       rec->info.code, t->context.rip, a.handler);
  if (rec->fault && (blocked || a.handler == RAW_SIG_IGN))
    die (t, rec);
  if (a.handler == RAW_SIG_IGN)
    return;
  if (a.handler == RAW_SIG_DFL)
    do_default (t, rec);
  else if (push_frame (t, rec, &a))
    {
      enter_handler (t, sig, &a);
      events_handler (t);
    }
  else
    {
      bool fatal = sig == RAW_SIGSEGV;
      make_segv (rec);
      if (fatal)
        die (t, rec);
      act (t, rec);
    }
}

/* REC has come up: deliver it, unless it is the engine's own affair, or the
   debugger's.  */

static void
act (struct thread *t, struct signal_record *rec)
{
  if (!is_code_change (t, rec) && stop_signal (t, rec))
    signal_apply (t, rec);
}

/* See signal.h.  */

void
signal_deliver (struct thread *t)
{
  struct signal_record rec;
  pending_share (t, t->signals.mask);
  if (!signal_waits (t))
    {
      t->signals.suspended = false;
      return;
    }
  while (next_record (t, &rec))
    act (t, &rec);
  t->signals.suspended = false;
  signal_mask_sync (t);
}

/* See signal.h.  */

void
signal_raise (struct thread *t, int sig, int code, app_addr addr,
              unsigned trapno, uint64_t error)
{
  struct signal_record rec = {
    .info.signo = sig, .info.code = code, .info.fault.addr = addr,
    .trapno = trapno, .err = error, .cr2 = trapno == 14 ? addr : 0,
    .fault = true,
  };
  /* As the processor does for a fault, but not for a trap: SDM volume 3,
     17.3.1.1.  */
  if (trapno > TRAP_BP)
    t->context.rflags |= FLAG_RF;
  act (t, &rec);
  signal_mask_sync (t);
}

/* The alternate stack of a frame becomes T's, unless sigaltstack would refuse
   it.  */

static void
restore_altstack (struct thread *t, const struct frame_stack *a)
{
  uint32_t mode = a->flags & ~RAW_SS_AUTODISARM;
  if (signal_on_altstack (t, t->context.gpr[ARCH_RSP]))
    return;
  if (mode == RAW_SS_DISABLE)
    t->signals.altstack = (struct frame_stack) { .flags = a->flags };
  else if (mode <= RAW_SS_ONSTACK && a->size >= 2048)
    t->signals.altstack = *a;
}

/* See signal.h.  */

void
signal_return (struct thread *t)
{
  struct frame f = { 0 };
  struct arch_context *c = &t->context;
  if (!safe_read (&f.uc, c->gpr[ARCH_RSP], sizeof f.uc))
    {
      signal_raise (t, RAW_SIGSEGV, RAW_SI_KERNEL, 0, 0, 0);
      return;
    }
  signal_close_mask ();
  t->signals.mask = f.uc.mask & ~SIGNAL_UNBLOCKABLE;
  frame_take (c, &f.uc.regs);
  restore_altstack (t, &f.uc.stack);
  t->syscall = -1;
  if (signal_waits (t))
    c->interrupted = 1;
  frame_redirect (&f.uc.regs, (const void *) arch_restart, RAW_PTR (c),
                  ARCH_EXIT_RESUMED, c->engine_rsp);
  f.uc.mask = signal_kernel_mask (signal_waits (t) ? ~0ull
                                                   : t->signals.mask);
  f.uc.stack = (struct frame_stack) { .sp = RAW_PTR (t->signal_stack),
                                      .size = THREAD_SIGNAL_STACK_SIZE };
  arch_sigreturn (&f);
}
