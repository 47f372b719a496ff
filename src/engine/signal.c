/* Taking signals from the kernel.  See signal.h; delivery is in
   signal-deliver.c, the system calls in signal-calls.c.

   signal_handler and what it calls run in signal context: no locks, no
   heap.  */

#include "engine/signal.h"
#include "arch/enter.h"
#include "arch/gate.h"
#include "cache/cache.h"
#include "common/assert.h"
#include "common/log.h"
#include "common/string.h"
#include "engine/alignment.h"
#include "engine/bug.h"
#include "engine/depart.h"
#include "engine/events.h"
#include "engine/heap.h"
#include "engine/main.h"
#include "engine/options.h"
#include "engine/stats.h"
#include "engine/thread.h"
#include "linux/signals.h"

/* See signal.h.  */
uint64_t signal_frame_max;

enum place { IN_CACHE, IN_ENTER, BEFORE_CALL, AFTER_CALL, IN_ENGINE };

static bool
in_range (uint64_t pc, const uint8_t *begin, const uint8_t *end)
{
  return pc >= (uint64_t) begin && pc < (uint64_t) end;
}

static bool
is_kick (int sig, const struct linux_siginfo *info)
{
  return sig == CHANNEL_KICK_SIGNAL && info->code == CHANNEL_KICK_CODE
         && info->queue.value == channel->birth.kick_cookie;
}

/* SIG was raised by an instruction of the calling thread, and not sent.  */

static bool
is_fault (int sig, const struct linux_siginfo *info)
{
  return (SIGNAL_SYNC & SIGSET_BIT (sig)) && info->code > 0;
}

/* A fault in a routine that expects it: go on where it says.  */

static bool
fix_up (struct frame_regs *r)
{
  if (in_range (r->rip, arch_copy_begin, arch_copy_end))
    r->rip = (uint64_t) arch_copy_fault;
  else if (in_range (r->rip, arch_vector_begin, arch_vector_end))
    r->rip = (uint64_t) arch_vector_fault;
  else
    {
      uint64_t to = cache_fault_exit (r->rip);
      if (!to)
        to = events_fault (r->rip);
      if (!to)
        return false;
      r->rip = to;
    }
  return true;
}

/* Store the application's state to T's context if R interrupted it, and make
   R go on accordingly.  */

static enum place
settle (struct thread *t, struct frame_regs *r)
{
  struct arch_regs machine = { 0 }, app;
  if (in_range (r->rip, arch_syscall_check, arch_syscall_at + 1))
    {
      r->rip = (uint64_t) arch_syscall_again;
      return BEFORE_CALL;
    }
  if (r->rip == (uint64_t) arch_syscall_after)
    return AFTER_CALL;
  if (in_range (r->rip, arch_enter_begin, arch_enter_end))
    {
      frame_redirect (r, (const void *) arch_restart, RAW_PTR (&t->context),
                      ARCH_EXIT_RESUMED, t->context.engine_rsp);
      return IN_ENTER;
    }
  frame_get_regs (&machine, r);
  if (!cache_translate (&t->context, &machine, &app))
    return IN_ENGINE;
  memcpy (t->context.gpr, app.gpr, sizeof app.gpr);
  t->context.rip = app.rip;
  t->context.rflags = app.rflags;
  if (cache_is_ruled ((cache_pc) machine.rip, app.rip))
    thread_set_ruled (t);
  frame_redirect (r, (const void *) arch_restart, RAW_PTR (&t->context),
                  ARCH_EXIT_RESUMED, t->context.engine_rsp);
  return IN_CACHE;
}

/* si_addr of a fault that names the instruction is its application PC.  */

static void
name_instruction (struct linux_siginfo *info, app_pc pc)
{
  switch (info->signo)
    {
    case RAW_SIGFPE:
    case RAW_SIGILL:
      info->fault.addr = pc;
      break;
    case RAW_SIGTRAP:
      if (info->code != RAW_SI_KERNEL)
        info->fault.addr = pc;
      break;
    }
}

static void
record (struct signal_record *to, const struct linux_siginfo *info,
        const struct frame_regs *r)
{
  to->info = *info;
  to->trapno = r->trapno;
  to->err = r->err;
  to->cr2 = r->cr2;
  to->fault = false;
}

static void
take_fault (struct thread *t, const struct linux_siginfo *info,
            const struct frame_regs *r)
{
  struct signal_state *s = &t->signals;
  vm_assert (!s->have_taken);
  record (&s->taken, info, r);
  name_instruction (&s->taken.info, t->context.rip);
  s->taken.fault = true;
  s->have_taken = true;
}

static void
take_sent (struct thread *t, const struct linux_siginfo *info,
           struct frame_ucontext *uc)
{
  struct signal_state *s = &t->signals;
  if (SIGNAL_NEVER_BLOCKED & SIGSET_BIT (info->signo))
    {
      struct signal_record rec;
      record (&rec, info, &uc->regs);
      pending_hold (&s->pending, &rec);
      return;
    }
  if (s->have_taken)            /* came while signal_mask_sync opened the
                                   mask: back to the kernel */
    {
      raw4 (__NR_rt_tgsigqueueinfo, t->tgid, t->tid, info->signo,
            RAW_PTR (info));
      return;
    }
  record (&s->taken, info, &uc->regs);
  s->have_taken = true;
}

/* Note how the kernel saved the vector registers: frames of ours do it the
   same way.  */

static void
note_vector (struct signal_state *s, const struct frame_ucontext *uc)
{
  const struct frame_sw *sw
    = (const struct frame_sw *) (uc->regs.vector + FRAME_SW_AT);
  vm_assert (uc->regs.vector && sw->magic1 == FRAME_MAGIC1);
  s->vector = *sw;
}

/* SIG, which the kernel never blocks, is blocked by the application: that it
   came is no event in the life of a system call.  */

static bool
is_blocked (const struct signal_state *s, int sig)
{
  return SIGNAL_NEVER_BLOCKED & signal_mask_now (s) & SIGSET_BIT (sig);
}

/* The engine's only signal handler.  */

void
signal_handler (int sig, struct linux_siginfo *info,
                struct frame_ucontext *uc)
{
  struct thread *t = thread_self ();
  struct frame_regs *r = &uc->regs;
  bool fault = is_fault (sig, info);
  uint64_t pc = r->rip;
  if (alignment_signal (t, sig, info, r) || (fault && fix_up (r)))
    return;
  note_vector (&t->signals, uc);
  enum place place = settle (t, r);
  t->context.interrupted = 1;
  if (is_kick (sig, info) || depart_signal (sig, info))
    {
      STATS_COUNT (KICKS);
      if (place == AFTER_CALL && (int64_t) r->rax == -RAW_EINTR)
        t->kicked_out = true;
      return;
    }
  if (!fault || place == AFTER_CALL)    /* sent to itself, code and all */
    {
      take_sent (t, info, uc);
      t->kicked_out |= place == AFTER_CALL && (int64_t) r->rax == -RAW_EINTR
                       && is_blocked (&t->signals, sig);
    }
  else if (place == IN_CACHE || pc == (uint64_t) arch_restart)
    take_fault (t, info, r);    /* at arch_restart: rt_sigreturn found the
                                   vector image of a frame to be bad */
  else
    bug_fault (sig, pc, info->fault.addr);
  if (t->signals.have_taken)
    uc->mask = signal_kernel_mask (~0ull);
}

/* See signal.h.  */

void
signal_use_stack (const struct thread *t)
{
  struct frame_stack s = { .sp = RAW_PTR (t->signal_stack),
                           .size = THREAD_SIGNAL_STACK_SIZE };
  long r = raw3 (__NR_sigaltstack, RAW_PTR (&s), 0, 0);
  vm_assert (r == 0);
}

static void
set_kernel_mask (linux_sigset mask)
{
  raw4 (__NR_rt_sigprocmask, RAW_SIG_SETMASK, RAW_PTR (&mask), 0,
        sizeof mask);
}

/* See signal.h.  */

void
signal_mask_sync (struct thread *t)
{
  const volatile bool *taken = &t->signals.have_taken;
  if (!*taken)
    set_kernel_mask (signal_kernel_mask (t->signals.mask));
  if (*taken)
    set_kernel_mask (signal_kernel_mask (~0ull));
}

/* See signal.h.  */

void
signal_set_native_mask (struct thread *t)
{
  set_kernel_mask (t->signals.mask);
}

/* See signal.h.  */

void
signal_close_mask (void)
{
  set_kernel_mask (signal_kernel_mask (~0ull));
}

/* See signal.h.  */

void
signal_set_mask (struct thread *t, linux_sigset mask)
{
  t->signals.mask = mask & ~SIGNAL_UNBLOCKABLE;
  if (!(pending_set (t) & ~t->signals.mask))
    signal_mask_sync (t);
  /* Else signal_deliver does that, when it has delivered these: the kernel
     has synchronous signals come first.  */
  if (signal_waits (t))
    t->context.interrupted = 1;
}

/* See signal.h.  */

void
signal_block_everything (void)
{
  set_kernel_mask (~0ull);
}

/* See signal.h.  */

bool
signal_waits (const struct thread *t)
{
  return t->signals.have_taken || (pending_set (t) & signal_wanted (t));
}

/* See signal.h.  */

linux_sigset
signal_wanted (const struct thread *t)
{
  return ~signal_mask_now (&t->signals) | t->signals.awaited;
}

/* See signal.h.  */

bool
signal_kick (struct thread *t)
{
  struct linux_siginfo info = { .signo = CHANNEL_KICK_SIGNAL,
                                .code = CHANNEL_KICK_CODE };
  info.queue.pid = t->tgid;
  info.queue.value = channel->birth.kick_cookie;
  __atomic_store_n (&t->context.interrupted, 1, __ATOMIC_SEQ_CST);
  return raw4 (__NR_rt_tgsigqueueinfo, t->tgid, t->tid, CHANNEL_KICK_SIGNAL,
               RAW_PTR (&info))
         != -RAW_ESRCH;
}

/* The kernel's handler for SIG has to be the engine's, the application's
   action being A.  A core shall show nothing of the engine; and a debugger
   wants to see what would end the program, or stop it for its terminal's
   sake.  */

static bool
needs_handler (int sig, const struct linux_sigaction *a)
{
  if (SIGNAL_UNBLOCKABLE & SIGSET_BIT (sig))
    return false;
  if (SIGNAL_NEVER_BLOCKED & SIGSET_BIT (sig))
    return true;
  if (a->handler == RAW_SIG_DFL)
    return signals_default (sig) == SIGNALS_CORE
           || (options.debug && (signals_default (sig) == SIGNALS_TERMINATE
                                 || signals_default (sig) == SIGNALS_STOP));
  return a->handler != RAW_SIG_IGN;
}

/* See signal.h.  */

void
signal_clear_actions (struct thread *t)
{
  struct sighand *h = t->signals.sighand;
  lock_acquire (&h->lock);
  for (int sig = 1; sig <= RAW_NSIG; sig++)
    {
      struct linux_sigaction *a = &h->action[sig - 1];
      if (a->handler != RAW_SIG_IGN)
        *a = (struct linux_sigaction) { 0 };
      if (needs_handler (sig, a))
        signal_set_action (h, sig);
    }
  lock_release (&h->lock);
}

static long
set_kernel_action (int sig, const struct linux_sigaction *a)
{
  return raw4 (__NR_rt_sigaction, sig, RAW_PTR (a), 0, sizeof a->mask);
}

/* See signal.h.  */

long
signal_set_action (const struct sighand *h, int sig)
{
  const struct linux_sigaction *a = &h->action[sig - 1];
  if (!needs_handler (sig, a))
    return signal_set_native_action (h, sig);
  struct linux_sigaction k = {
    .handler = RAW_PTR (arch_signal_entry),
    .flags = RAW_SA_SIGINFO | RAW_SA_ONSTACK | RAW_SA_RESTORER
             | (a->flags
                & (RAW_SA_RESTART | RAW_SA_NOCLDSTOP | RAW_SA_NOCLDWAIT)),
    .restorer = RAW_PTR (arch_signal_return),
    .mask = ~SIGNAL_NEVER_BLOCKED,
  };
  if (a->handler <= RAW_SIG_IGN || sig == CHANNEL_KICK_SIGNAL)
    k.flags |= RAW_SA_RESTART;
  return set_kernel_action (sig, &k);
}

/* See signal.h.  */

long
signal_set_native_action (const struct sighand *h, int sig)
{
  const struct linux_sigaction *a = &h->action[sig - 1];
  return set_kernel_action (sig, a);
}

static void
read_actions (struct sighand *h)
{
  for (int sig = 1; sig <= RAW_NSIG; sig++)
    raw4 (__NR_rt_sigaction, sig, 0, RAW_PTR (&h->action[sig - 1]),
          sizeof (linux_sigset));
}

/* See signal.h.  */

void
signal_init (struct thread *t)
{
  struct sighand *h = heap_alloc (sizeof *h, HEAP_SIGNAL);
  vm_assert (h);
  h->lock = (struct lock) LOCK_INIT (LOCK_RANK_SIGNALS);
  h->users = 1;
  read_actions (h);
  t->signals.sighand = h;
  t->signals.altstack.flags = RAW_SS_DISABLE;
  raw4 (__NR_rt_sigprocmask, RAW_SIG_SETMASK, 0,
        RAW_PTR (&t->signals.mask), sizeof (linux_sigset));
  signal_use_stack (t);
  for (int sig = 1; sig <= RAW_NSIG; sig++)
    if (needs_handler (sig, &h->action[sig - 1]))
      signal_set_action (h, sig);
  signal_mask_sync (t);
}

static struct sighand *
copy_sighand (struct sighand *from, bool clear)
{
  struct sighand *h = heap_alloc (sizeof *h, HEAP_SIGNAL);
  if (!h)
    return NULL;
  h->lock = (struct lock) LOCK_INIT (LOCK_RANK_SIGNALS);
  h->users = 1;
  lock_acquire (&from->lock);
  memcpy (h->action, from->action, sizeof h->action);
  lock_release (&from->lock);
  for (int i = 0; clear && i < RAW_NSIG; i++)
    if (h->action[i].handler != RAW_SIG_IGN)
      h->action[i] = (struct linux_sigaction) { 0 };
  return h;
}

/* See signal.h.  */

bool
signal_clone (struct thread *t, const struct thread *parent, uint64_t flags)
{
  struct sighand *h = parent->signals.sighand;
  if (flags & RAW_CLONE_SIGHAND)
    __atomic_add_fetch (&h->users, 1, __ATOMIC_RELAXED);
  else
    h = copy_sighand (h, flags & RAW_CLONE_CLEAR_SIGHAND);
  t->signals.sighand = h;
  t->signals.mask = parent->signals.mask;
  t->signals.vector = parent->signals.vector;
  t->signals.altstack.flags = RAW_SS_DISABLE;
  if (!(flags & RAW_CLONE_VM) || (flags & RAW_CLONE_VFORK))
    t->signals.altstack = parent->signals.altstack;
  return h;
}

/* See signal.h.  */

void
signal_thread_exit (struct thread *t)
{
  struct sighand *h = t->signals.sighand;
  t->signals.sighand = NULL;
  if (h && !__atomic_sub_fetch (&h->users, 1, __ATOMIC_ACQ_REL))
    heap_free (h, sizeof *h, HEAP_SIGNAL);
}
