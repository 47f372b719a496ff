/* System calls about signals.  Named in calls.def, called by the gate alone.

   Actions, masks and the alternate stack are the application's view; what the
   kernel has of them is made by signal.c.  Masks that a call applies while it
   sleeps are copied without what the kernel must never block.  */

#include "common/string.h"
#include "engine/gate.h"
#include "engine/signal.h"
#include "linux/syscall.h"

#define SA_KNOWN                                                              \
  (RAW_SA_NOCLDSTOP | RAW_SA_NOCLDWAIT | RAW_SA_SIGINFO | RAW_SA_ONSTACK      \
   | RAW_SA_RESTART | RAW_SA_NODEFER | RAW_SA_RESETHAND                       \
   | RAW_SA_EXPOSE_TAGBITS | RAW_SA_RESTORER)
#define MINSIGSTKSZ_ 2048

gate_function gate_rt_sigaction, gate_rt_sigprocmask, gate_rt_sigreturn,
  gate_rt_sigpending, gate_rt_sigsuspend, gate_rt_sigtimedwait,
  gate_sigaltstack, gate_ppoll, gate_pselect6, gate_epoll_pwait,
  gate_io_pgetevents;

/* Make *A the action for SIG; the old one goes to *OLD.  */

static long
exchange_action (struct thread *t, int sig, const struct linux_sigaction *a,
                 struct linux_sigaction *old)
{
  struct sighand *h = t->signals.sighand;
  long r = 0;
  lock_acquire (&h->lock);
  *old = h->action[sig - 1];
  if (a)
    {
      h->action[sig - 1] = *a;
      r = signal_set_action (h, sig);
      if (r < 0)
        h->action[sig - 1] = *old;
    }
  lock_release (&h->lock);
  return r;
}

long
gate_rt_sigaction (struct thread *t)
{
  int sig = gate_arg (t, 0);
  app_addr new = gate_arg (t, 1), to = gate_arg (t, 2);
  struct linux_sigaction a = { 0 }, old;
  struct signal_record dropped;
  if (gate_arg (t, 3) != sizeof (linux_sigset))
    return -RAW_EINVAL;
  if (new && !safe_read (&a, new, sizeof a))
    return -RAW_EFAULT;
  if (sig < 1 || sig > RAW_NSIG
      || (new && (SIGNAL_UNBLOCKABLE & SIGSET_BIT (sig))))
    return -RAW_EINVAL;
  a.flags &= SA_KNOWN;
  a.mask &= ~SIGNAL_UNBLOCKABLE;
  long r = exchange_action (t, sig, new ? &a : NULL, &old);
  if (r < 0)
    return r;
  if (new && a.handler == RAW_SIG_IGN)
    while (pending_take (t, SIGSET_BIT (sig), &dropped))
      ;
  return !to || safe_write (to, &old, sizeof old) ? 0 : -RAW_EFAULT;
}

/* What HOW makes of the mask OLD with SET.  */

static bool
combine (linux_sigset *mask, uint64_t how, linux_sigset set)
{
  switch (how)
    {
    case RAW_SIG_BLOCK:
      *mask |= set;
      return true;
    case RAW_SIG_UNBLOCK:
      *mask &= ~set;
      return true;
    case RAW_SIG_SETMASK:
      *mask = set;
      return true;
    }
  return false;
}

long
gate_rt_sigprocmask (struct thread *t)
{
  app_addr from = gate_arg (t, 1), to = gate_arg (t, 2);
  linux_sigset old = t->signals.mask, new = old, set;
  if (gate_arg (t, 3) != sizeof (linux_sigset))
    return -RAW_EINVAL;
  if (from)
    {
      if (!safe_read (&set, from, sizeof set))
        return -RAW_EFAULT;
      if (!combine (&new, (uint32_t) gate_arg (t, 0), set))
        return -RAW_EINVAL;
      if ((new & ~SIGNAL_UNBLOCKABLE) != old)
        signal_set_mask (t, new);
    }
  return !to || safe_write (to, &old, sizeof old) ? 0 : -RAW_EFAULT;
}

long
gate_rt_sigreturn (struct thread *t)
{
  signal_return (t);
  return GATE_CONTEXT;
}

long
gate_rt_sigpending (struct thread *t)
{
  app_addr to = gate_arg (t, 0);
  uint64_t size = gate_arg (t, 1);
  linux_sigset set = 0;
  if (size > sizeof set)
    return -RAW_EINVAL;
  long r = raw3 (__NR_rt_sigpending, RAW_PTR (&set), sizeof set, 0);
  set |= pending_set (t);
  set &= t->signals.mask;
  if (r == 0 && !safe_write (to, &set, size))
    return -RAW_EFAULT;
  return r;
}

/* Whether the kernel would have NEW, which may be too small for the vector
   registers that the program has asked for: it is asked.  */

static bool
kernel_takes (struct thread *t, const struct frame_stack *new)
{
  if (new->size > signal_frame_max)
    return true;
  signal_block_everything ();
  long r = raw3 (__NR_sigaltstack, RAW_PTR (new), 0, 0);
  signal_use_stack (t);
  signal_mask_sync (t);
  return r == 0;
}

static long
set_altstack (struct thread *t, const struct frame_stack *new)
{
  struct frame_stack *a = &t->signals.altstack;
  uint32_t mode = new->flags & ~RAW_SS_AUTODISARM;
  if (signal_on_altstack (t, t->context.gpr[ARCH_RSP]))
    return -RAW_EPERM;
  if (mode != RAW_SS_DISABLE && mode != RAW_SS_ONSTACK && mode != 0)
    return -RAW_EINVAL;
  if (mode == RAW_SS_DISABLE)
    *a = (struct frame_stack) { .flags = new->flags };
  else if (new->size < MINSIGSTKSZ_ || !kernel_takes (t, new))
    return -RAW_ENOMEM;
  else
    *a = (struct frame_stack) { .sp = new->sp, .size = new->size,
                                .flags = new->flags };
  return 0;
}

long
gate_sigaltstack (struct thread *t)
{
  const struct frame_stack *a = &t->signals.altstack;
  app_addr from = gate_arg (t, 0), to = gate_arg (t, 1);
  struct frame_stack new, old = { .sp = a->sp, .size = a->size };
  old.flags = a->flags & RAW_SS_AUTODISARM;
  if (!a->size)
    old.flags |= RAW_SS_DISABLE;
  else if (signal_on_altstack (t, t->context.gpr[ARCH_RSP]))
    old.flags |= RAW_SS_ONSTACK;
  if (from && !safe_read (&new, from, sizeof new))
    return -RAW_EFAULT;
  long r = from ? set_altstack (t, &new) : 0;
  if (r == 0 && to && !safe_write (to, &old, sizeof old))
    return -RAW_EFAULT;
  return r;
}

/* Issue the call of T with ARGS while MASK applies.  After EINTR it still
   applies to the handler that is about to run.  */

static long
issue_suspended (struct thread *t, const uint64_t args[6], linux_sigset mask)
{
  struct signal_state *s = &t->signals;
  if (pending_set (t) & ~mask)  /* the call would not sleep */
    t->context.interrupted = 1;
  s->suspend_mask = mask & ~SIGNAL_UNBLOCKABLE;
  s->suspended = true;
  long r = gate_issue_args (t, gate_number (t), args);
  if (r == GATE_AGAIN && !s->have_taken && (pending_set (t) & ~mask))
    r = -RAW_EINTR;
  if (r != -RAW_EINTR)
    s->suspended = false;
  return r;
}

/* The same, the mask being N_MASK bytes at FROM, and argument N the place
   where the kernel gets its address.  */

static long
issue_with_mask (struct thread *t, unsigned n, app_addr from, uint64_t size)
{
  linux_sigset mask, kernel;
  uint64_t args[6];
  for (unsigned i = 0; i < 6; i++)
    args[i] = gate_arg (t, i);
  if (!from || size != sizeof mask)
    return gate_issue (t);
  if (!safe_read (&mask, from, sizeof mask))
    return -RAW_EFAULT;
  kernel = signal_kernel_mask (mask);
  args[n] = RAW_PTR (&kernel);
  return issue_suspended (t, args, mask);
}

long
gate_rt_sigsuspend (struct thread *t)
{
  if (!gate_arg (t, 0))
    return gate_arg (t, 1) == 8 ? -RAW_EFAULT : -RAW_EINVAL;
  return issue_with_mask (t, 0, gate_arg (t, 0), gate_arg (t, 1));
}

long
gate_ppoll (struct thread *t)
{
  return issue_with_mask (t, 3, gate_arg (t, 3), gate_arg (t, 4));
}

long
gate_epoll_pwait (struct thread *t)
{
  return issue_with_mask (t, 4, gate_arg (t, 4), gate_arg (t, 5));
}

/* These two have a pointer to the mask's address and size as argument 5.  */

static long
issue_with_pack (struct thread *t)
{
  struct { uint64_t mask, size; } pack;
  linux_sigset mask, kernel;
  uint64_t args[6];
  for (unsigned i = 0; i < 6; i++)
    args[i] = gate_arg (t, i);
  if (!args[5])
    return gate_issue (t);
  if (!safe_read (&pack, args[5], sizeof pack))
    return -RAW_EFAULT;
  if (!pack.mask || pack.size != sizeof mask)
    return gate_issue (t);
  if (!safe_read (&mask, pack.mask, sizeof mask))
    return -RAW_EFAULT;
  kernel = signal_kernel_mask (mask);
  pack.mask = RAW_PTR (&kernel);
  args[5] = RAW_PTR (&pack);
  return issue_suspended (t, args, mask);
}

long
gate_pselect6 (struct thread *t)
{
  return issue_with_pack (t);
}

long
gate_io_pgetevents (struct thread *t)
{
  return issue_with_pack (t);
}

/* See signal.h.  */

long
signal_issue_awaiting (struct thread *t, linux_sigset set,
                       struct signal_record *rec)
{
  struct signal_state *s = &t->signals;
  if (!(set & SIGNAL_NEVER_BLOCKED))
    return gate_issue (t);
  s->awaited = set & SIGNAL_NEVER_BLOCKED;
  bool taken = pending_take (t, s->awaited, rec);
  long r = taken ? SIGNAL_TAKEN : gate_issue (t);
  if ((r == -RAW_EINTR || r == GATE_AGAIN)
      && pending_take (t, s->awaited, rec))
    r = SIGNAL_TAKEN;
  s->awaited = 0;
  return r;
}

/* What the engine has pending can be waited for as well.  */

long
gate_rt_sigtimedwait (struct thread *t)
{
  linux_sigset set;
  struct signal_record rec;
  if (gate_arg (t, 3) != sizeof set
      || !safe_read (&set, gate_arg (t, 0), sizeof set))
    return gate_issue (t);
  long r = signal_issue_awaiting (t, set, &rec);
  if (r != SIGNAL_TAKEN)
    return r;
  if (gate_arg (t, 1)
      && !safe_write (gate_arg (t, 1), &rec.info, sizeof rec.info))
    return -RAW_EFAULT;
  return rec.info.signo;
}
