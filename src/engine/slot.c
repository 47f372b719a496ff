/* See slot.h.

   The conditions under which a thread stays stopped are those of
   channel/channel.h, looked at again whenever `run' counts up.

   The vector registers are the CPU's while the engine runs, as it uses none:
   they are saved by xsave and loaded by xrstor right here.  What xrstor gets
   was at the mercy of the application and of the server: its header is put in
   order first, so that it cannot fault (SDM volume 1, section 13.8.1).  */

#include "engine/slot.h"
#include "common/string.h"
#include "engine/call.h"
#include "engine/events.h"
#include "engine/main.h"
#include "engine/park.h"

#define NOT_IN_SYSCALL (~0ull)
#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ERESTART_RESTARTBLOCK 516
/* What a program may change in rflags: CF PF AF ZF SF TF DF OF NT RF AC ID.  */
#define RFLAGS_USER 0x254dd5ul

/* The header of an XSAVE image.  */
#define XSAVE_BV_AT 512
#define XSAVE_HEADER_SIZE 64
#define MXCSR_AT 24
#define MXCSR_VALID 0xffffu

/* See slot.h.  */
bool
slot_must_stop (const struct thread *t)
{
  const struct channel_thread *s = t->slot;

  return s
         && (__atomic_load_n (&channel->stop_wanted, __ATOMIC_SEQ_CST)
             || __atomic_load_n (&s->stop, __ATOMIC_SEQ_CST)
             || __atomic_load_n (&s->resume, __ATOMIC_SEQ_CST)
                    == CHANNEL_RESUME_STAY);
}

static void
set_state (struct thread *t, enum channel_thread_state state)
{
  __atomic_store_n (&t->slot->state, state, __ATOMIC_SEQ_CST);
}

static uint32_t
xsave_size (void)
{
  uint32_t a = 13, b, c = 0, d;
  __asm__ ("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return b;
}

static void
save_vectors (struct channel_thread *s)
{
  static uint32_t size;

  if (!size)
    size = xsave_size ();
  s->xsave_size = size <= sizeof s->xsave ? size : 0;
  if (s->xsave_size)
    __asm__ volatile ("xsave64 %0" : "+m"(s->xsave) : "a"(-1), "d"(-1));
}

static void
load_vectors (struct channel_thread *s)
{
  uint64_t known, *header = (uint64_t *) (s->xsave + XSAVE_BV_AT);
  uint32_t low, high, *mxcsr = (uint32_t *) (s->xsave + MXCSR_AT);

  __asm__ ("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  known = (uint64_t) high << 32 | low;
  header[0] &= known;
  memset (header + 1, 0, XSAVE_HEADER_SIZE - 8);
  *mxcsr &= MXCSR_VALID;
  __asm__ volatile ("xrstor64 %0" : : "m"(s->xsave), "a"(low), "d"(high));
}

static void
save_registers (struct thread *t)
{
  const struct arch_context *c = &t->context;
  struct arch_regs *r = &t->slot->regs;

  memcpy (r->gpr, c->gpr, sizeof r->gpr);
  r->rip = c->rip;
  r->rflags = c->rflags;
  r->fs_base = thread_fs_base (t);
  r->gs_base = c->gs_base;
  r->orig_rax = NOT_IN_SYSCALL;
  r->cs = 0x33;
  r->ss = 0x2b;
  r->ds = r->es = r->fs = r->gs = 0;
}

/* A call that was interrupted is issued again, by the rules of the kernel
   (arch/x86/kernel/signal.c) for a stop without a handler.  */
static void
restart_call (struct arch_context *c, uint64_t orig_rax)
{
  int64_t e = -(int64_t) c->gpr[ARCH_RAX];

  if (orig_rax != NOT_IN_SYSCALL
      && ((e >= ERESTARTSYS && e <= ERESTARTNOHAND)
          || e == ERESTART_RESTARTBLOCK))
    {
      c->gpr[ARCH_RAX] = orig_rax;
      c->rip -= 2;
    }
}

static void
load_registers (struct thread *t)
{
  struct arch_context *c = &t->context;
  struct arch_regs r = t->slot->regs;

  memcpy (c->gpr, r.gpr, sizeof r.gpr);
  c->rip = r.rip;
  c->rflags = (c->rflags & ~RFLAGS_USER) | (r.rflags & RFLAGS_USER);
  c->gs_base = r.gs_base;
  if (r.fs_base != thread_fs_base (t))
    thread_set_fs_base (t, r.fs_base);
  restart_call (c, r.orig_rax);
}

static bool
take_flag (uint32_t *flag)
{
  return __atomic_exchange_n (flag, 0, __ATOMIC_SEQ_CST);
}

/* Take what the server has changed; true if that is registers.  */
static bool
take_changes (struct thread *t)
{
  struct channel_thread *s = t->slot;
  bool regs = take_flag (&s->regs_changed);

  if (regs)
    load_registers (t);
  if (take_flag (&s->xsave_changed))
    load_vectors (s);
  return regs;
}

/* Write T's state to its slot, and let the server know that T has stopped, for
   an event of its own or along with others.  What the server has written to
   the slot while T was in a system call comes first.  */
static void
publish (struct thread *t)
{
  struct channel_thread *s = t->slot;

  (void) take_changes (t);
  save_registers (t);
  save_vectors (s);
  s->syscall = -1;
  set_state (t, CHANNEL_STOPPED);
  call_event (channel);
}

static void
wait_for_resume (struct thread *t)
{
  for (;;)
    {
      uint32_t run = __atomic_load_n (&channel->run, __ATOMIC_SEQ_CST);
      if (!slot_must_stop (t))
        return;
      futex_wait (&channel->run, run, true, 0);
    }
}

/* See slot.h.

   A stop may be asked for again before T has said that it runs: T looks once
   more after saying so.  */
void
slot_stop (struct thread *t)
{
  publish (t);
  for (;;)
    {
      park_idle_begin (t);
      wait_for_resume (t);
      park_idle_end (t);
      (void) take_changes (t);
      set_state (t, CHANNEL_RUNNING);
      if (!slot_must_stop (t))
        break;
      set_state (t, CHANNEL_STOPPED);
    }
  events_resumed (t);
}

/* See slot.h.  */
void
slot_enter_syscall (struct thread *t)
{
  struct channel_thread *s = t->slot;

  save_registers (t);
  save_vectors (s);
  s->syscall = t->syscall;
  s->regs.orig_rax = s->regs.gpr[ARCH_RAX];
  s->regs.gpr[ARCH_RAX] = (uint64_t) -ERESTARTSYS;
  set_state (t, CHANNEL_SYSCALL);
}

/* See slot.h.  */
bool
slot_leave_syscall (struct thread *t)
{
  bool other;

  set_state (t, CHANNEL_RUNNING);
  other = take_changes (t);
  events_resumed (t);
  if (slot_must_stop (t))
    t->context.interrupted = 1;
  return other;
}

/* See park.h.  */
void
park_report (struct thread *t, enum channel_stop why, uint64_t addr,
             uint64_t arg)
{
  struct channel_thread *s = t->slot;

  if (!s)
    return;
  s->stop_addr = addr;
  s->stop_arg = arg;
  s->resume_signal = 0;
  __atomic_store_n (&s->stop, why, __ATOMIC_SEQ_CST);
  slot_stop (t);
}

/* See park.h.  */
int
park_report_signal (struct thread *t, struct linux_siginfo *info)
{
  struct channel_thread *s = t->slot;
  int signal;

  if (!s || channel->pass_signals >> (info->signo - 1) & 1)
    return info->signo;
  s->signal = info->signo;
  s->siginfo_changed = 0;
  memcpy (s->siginfo, info, sizeof *info);
  park_report (t, CHANNEL_STOP_SIGNAL, 0, 0);
  signal = s->resume_signal;
  if (signal <= 0 || signal > RAW_NSIG)
    return 0;
  if (s->siginfo_changed)
    memcpy (info, s->siginfo, sizeof *info);
  if (signal != info->signo)
    *info = (struct linux_siginfo){ .signo = signal };
  return signal;
}

static struct channel_thread *
free_slot (void)
{
  for (unsigned n = 0; n < channel->head.n_slots; n++)
    if (channel_slot (channel, n)->state == CHANNEL_FREE)
      return channel_slot (channel, n);
  return NULL;
}

/* The server looks at the slots below n_used; the caller holds
   thread_lock.  */
static void
note_used (const struct channel_thread *s)
{
  uint32_t used = s - channel_slot (channel, 0) + 1;

  if (used > channel->n_used)
    __atomic_store_n (&channel->n_used, used, __ATOMIC_SEQ_CST);
}

/* See park.h.  */
void
park_thread_born (struct thread *t)
{
  struct channel_thread *s;

  lock_acquire (&thread_lock);
  s = free_slot ();
  if (s)
    {
      s->tid = t->tid;
      s->stop = CHANNEL_STOP_NONE;
      s->resume = CHANNEL_RESUME_CONTINUE;
      s->regs_changed = s->xsave_changed = 0;
      t->slot = s;
      note_used (s);
      set_state (t, CHANNEL_RUNNING);
    }
  lock_release (&thread_lock);
}

/* See slot.h.  */
void
slot_gone (struct thread *t)
{
  if (!t->slot)
    return;
  set_state (t, CHANNEL_FREE);
  t->slot = NULL;
  call_event (channel);
}

/* See park.h.  */
void
park_process_exit (int status)
{
  channel->exit_status = status;
  __atomic_store_n (&channel->process_state, CHANNEL_PROCESS_EXITED,
                    __ATOMIC_SEQ_CST);
  call_event (channel);
}
