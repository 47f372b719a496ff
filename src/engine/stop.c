/* Stops for the debugger.  See stop.h.  */

#include "engine/stop.h"
#include "arch/gate.h"
#include "common/assert.h"
#include "common/log.h"
#include "common/string.h"
#include "engine/answer.h"
#include "engine/call.h"
#include "engine/dispatch.h"
#include "engine/heap.h"
#include "engine/main.h"
#include "engine/options.h"
#include "engine/park.h"
#include "engine/signal.h"

#define USER_CS 0x33
#define USER_SS 0x2b

/* What a debugger sees in %rax during a system call: -ERESTARTSYS.  */
#define IN_CALL_RAX ((uint64_t) -512)

/* How often a stopped thread looks whether the server still lives.  */
#define SERVER_CHECK_NS 500000000ul

/* Slots that have a thread, of which some are not born yet: the state does not
   tell.  Under thread_lock.  */
static bool in_use[CHANNEL_MAX_THREADS];

/* The points that are in force: whose, and which generation.  */
static struct lock catch_up_lock = LOCK_INIT (LOCK_RANK_STOPS);
static const struct channel *points_of;
static uint32_t points_seen;
static void (*points_changed) (struct channel *c);

static struct channel *
channel_of (const struct thread *t)
{
  return t->channel ? t->channel : channel;
}

static bool
is_debugged (const struct thread *t)
{
  return t->slot && options.debug && !t->detached;
}

/* See stop.h.  */

bool
stop_is_seen (const struct thread *t)
{
  return is_debugged (t);
}

static void
forget_debugger (struct thread *t)
{
  if (t->channel)
    t->detached = true;
  else
    options.debug = 0;
}

/* See stop.h.  */

void
stop_on_points (void (*changed) (struct channel *c))
{
  points_changed = changed;
}

/* See stop.h.  */

void
stop_hide (uint64_t start, uint64_t end)
{
  uint32_t n = channel->n_hidden;
  if (n >= CHANNEL_MAX_HIDDEN)
    return;
  channel->hidden[n] = (struct channel_range) { start, end };
  __atomic_store_n (&channel->n_hidden, n + 1, __ATOMIC_RELEASE);
}

/* See stop.h.  */

void
stop_process_exit (const struct thread *t, int status)
{
  if (!t->slot)
    return;                     /* nobody looks */
  struct channel *c = channel_of (t);
  c->exit_status = status;
  __atomic_store_n (&c->process_state, CHANNEL_PROCESS_EXITED,
                    __ATOMIC_RELEASE);
  if (is_debugged (t))
    call_event (c);
}

static void
set_state (struct channel_thread *s, enum channel_thread_state state)
{
  __atomic_store_n (&s->state, state, __ATOMIC_SEQ_CST);
}

/* See stop.h.  */

void
stop_thread_born (struct thread *t)
{
  t->slot = NULL;
  if (!options.debug)
    return;
  for (uint32_t n = 0; n < ARRAY_SIZE (in_use) && !t->slot; n++)
    {
      if (in_use[n])
        continue;
      in_use[n] = true;
      t->slot = channel_slot (channel, n);
      if (n >= channel->n_used)
        __atomic_store_n (&channel->n_used, n + 1, __ATOMIC_RELEASE);
    }
  if (!t->slot)
    return;
  memset (t->slot, 0, offsetof (struct channel_thread, xsave));
  t->slot->tid = t->tid;
  t->slot->syscall = -1;
}

/* T has the id TID: from now on the server may see it, unless it does.  It
   need not hear of each new thread, but of a process that begins to run.  */

static void
publish (struct thread *t, int tid)
{
  struct channel *c = channel_of (t);
  uint32_t unseen = CHANNEL_FREE;
  t->slot->tid = tid;
  t->slot->sent_signal = 0;
  __atomic_compare_exchange_n (&t->slot->state, &unseen, CHANNEL_RUNNING,
                               false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  if (__atomic_exchange_n (&c->process_state, CHANNEL_PROCESS_RUNNING,
                           __ATOMIC_SEQ_CST) == CHANNEL_PROCESS_STARTING)
    call_event (c);
}

/* T has to stop, as things stand.  */

static bool
is_wanted (const struct thread *t)
{
  const struct channel_thread *s = t->slot;
  return is_debugged (t)
         && (__atomic_load_n (&s->stop, __ATOMIC_SEQ_CST) != CHANNEL_STOP_NONE
             || __atomic_load_n (&channel_of (t)->stop_wanted,
                                 __ATOMIC_SEQ_CST)
             || __atomic_load_n (&s->resume, __ATOMIC_SEQ_CST)
                  == CHANNEL_RESUME_STAY);
}

/* T, which the server can see from now on, may have been made before a stop
   and not be told of with those that it found there: it stays if the thread
   does that made it.  The server looks once more when it has told that one, so
   that one of the two sees the other.  */

static void
stay_with_parent (struct thread *t)
{
  if (t->parent_slot
      && __atomic_load_n (&t->parent_slot->resume, __ATOMIC_SEQ_CST)
           == CHANNEL_RESUME_STAY)
    __atomic_store_n (&t->slot->resume, CHANNEL_RESUME_STAY,
                      __ATOMIC_SEQ_CST);
}

/* See stop.h.  */

void
stop_thread_made (struct thread *child, int tid)
{
  vm_assert (lock_held (&thread_lock));
  if (child->slot)
    publish (child, tid);
}

/* See stop.h.  */

void
stop_thread_begins (struct thread *t)
{
  if (!t->slot)
    return;
  publish (t, t->tid);
  stay_with_parent (t);
  if (is_wanted (t))
    t->context.interrupted = 1;
}

/* See stop.h.  */

void
stop_thread_gone (struct thread *t)
{
  if (!t->slot)
    return;
  set_state (t->slot, CHANNEL_FREE);
  if (!t->channel)
    in_use[t->slot - channel_slot (channel, 0)] = false;
  t->slot = NULL;
  call_event (channel_of (t));
}

/* See stop.h.  */

void
stop_begin (struct thread *t)
{
  stop_hide (core_start, core_end);
  stop_thread_born (t);
  stop_thread_begins (t);
  if (options.stop_at_start)
    stop_post (t, CHANNEL_STOP_START, 0, 0);
}

/* See stop.h.  */

void
stop_after_fork (struct thread *t)
{
  catch_up_lock = (struct lock) LOCK_INIT (LOCK_RANK_STOPS);
  points_of = NULL;
  t->channel = NULL;
  memset (in_use, 0, sizeof in_use);
  stop_thread_born (t);
  stop_thread_begins (t);
  if (t->slot)
    stop_post (t, CHANNEL_STOP_START, 0, 0);
}

/* For the log.  */
static const char stop_words[CHANNEL_N_STOPS][20] = {
  [CHANNEL_STOP_START] = "start",
  [CHANNEL_STOP_POINT] = "breakpoint",
  [CHANNEL_STOP_STEP] = "step done",
  [CHANNEL_STOP_SIGNAL] = "signal",
  [CHANNEL_STOP_WATCH] = "watchpoint",
  [CHANNEL_STOP_SYSCALL_ENTRY] = "system call",
  [CHANNEL_STOP_SYSCALL_RETURN] = "system call returns",
  [CHANNEL_STOP_FORK] = "fork",
  [CHANNEL_STOP_VFORK] = "vfork",
  [CHANNEL_STOP_VFORK_DONE] = "vfork done",
  [CHANNEL_STOP_CLONE] = "clone",
  [CHANNEL_STOP_THREAD_EXIT] = "thread exit",
  [CHANNEL_STOP_CONDITION_ERROR] = "condition error",
};

static void
note_event (struct thread *t, enum channel_stop why, uint64_t addr,
            uint64_t arg)
{
  struct channel_thread *s = t->slot;
  s->stop_addr = addr;
  s->stop_arg = arg;
  s->resume_signal = 0;
  __atomic_store_n (&s->stop, why, __ATOMIC_SEQ_CST);
  LOG (STOP, "%d: %s at %#lx", t->tid, stop_words[why], t->context.rip);
}

/* A channel for T, which shares the memory of PARENT.  */

static struct channel *
get_channel (struct thread *t, struct thread *parent)
{
  const struct channel *from = channel_of (parent);
  if (!parent->child_channel_at)
    parent->child_channel_at = core_reserve (from->birth.channel_size,
                                             PAGE_SIZE);
  return parent->child_channel_at
           ? call_vfork (from, parent->child_channel_at, t->tgid,
                         parent->tgid)
           : NULL;
}

/* See stop.h.  */

void
stop_vfork_child (struct thread *t)
{
  struct thread *parent = t->waits_for_us;
  if (!parent->slot || !stop_wants (parent, CHANNEL_WANTS_VFORK))
    return;
  t->channel = get_channel (t, parent);
  if (!t->channel)
    return;
  t->slot = channel_slot (t->channel, 0);
  t->slot->syscall = -1;
  t->channel->n_used = 1;
  publish (t, t->tid);
  stop_post (t, CHANNEL_STOP_START, 0, 0);
  parent->slot->regs.gpr[ARCH_RAX] = -RAW_ENOSYS;       /* no restart */
  note_event (parent, CHANNEL_STOP_VFORK, 0, t->tgid);
  call_event (channel_of (parent));
}

/* See stop.h.  */

uint32_t
stop_save_vector (struct thread *t, uint8_t *image, size_t size)
{
  const struct frame_sw *sw = signal_vector (t);
  if (sw->xstate_size > size)
    return 0;
  memset (image + FRAME_HEADER_AT, 0, 64);
  return arch_vector_save (image, sw->features) ? sw->xstate_size : 0;
}

/* See stop.h.  */

struct ring *
stop_records (const struct thread *t)
{
  return is_debugged (t) ? channel_records (channel_of (t)) : NULL;
}

/* See stop.h.  */

void
stop_wake_server (const struct thread *t)
{
  call_event (channel_of (t));
}

/* Make the slot of T valid.  */

static void
fill (struct thread *t)
{
  struct channel_thread *s = t->slot;
  const struct arch_context *c = &t->context;
  struct arch_regs *r = &s->regs;
  memcpy (r->gpr, c->gpr, sizeof r->gpr);
  r->rip = c->rip;
  r->rflags = c->rflags;
  r->fs_base = thread_fs_base (t);
  r->gs_base = c->gs_base;
  r->cs = USER_CS;
  r->ss = USER_SS;
  r->orig_rax = t->syscall;
  s->syscall = t->syscall;
  s->xsave_size = stop_save_vector (t, s->xsave, sizeof s->xsave);
}

/* Registers as they were shown of a thread in a system call: the call is
   issued again, by the kernel's rule for a call that no handler interrupted
   (arch/x86/kernel/signal.c).  */

static void
restart_call (struct arch_context *c, uint64_t orig_rax)
{
  enum
  {
    ERESTARTSYS = 512,
    ERESTARTNOHAND = 514,
    ERESTART_RESTARTBLOCK = 516
  };
  int64_t e = -(int64_t) c->gpr[ARCH_RAX];
  if (orig_rax == UINT64_MAX
      || !((e >= ERESTARTSYS && e <= ERESTARTNOHAND)
           || e == ERESTART_RESTARTBLOCK))
    return;
  c->gpr[ARCH_RAX] = orig_rax;
  c->rip -= 2;
}

/* Take over what the server has written to T's slot.  */

static void
take (struct thread *t)
{
  struct channel_thread *s = t->slot;
  struct arch_context *c = &t->context;
  if (s->regs_changed)
    {
      memcpy (c->gpr, s->regs.gpr, sizeof c->gpr);
      c->rip = s->regs.rip;
      c->rflags = s->regs.rflags;
      c->gs_base = s->regs.gs_base;
      thread_set_fs_base (t, s->regs.fs_base);
      if (t->stopped_in_call)
        t->syscall = s->regs.orig_rax;
      restart_call (c, s->regs.orig_rax);
    }
  if (s->xsave_changed)
    arch_vector_load (s->xsave, signal_vector (t)->features);
  s->regs_changed = s->xsave_changed = 0;
}

/* See stop.h.  */

void
stop_vfork_done (struct thread *t, struct thread *child, int pid)
{
  if (!child->channel)
    return;
  lock_acquire (&catch_up_lock);
  if (points_of == child->channel)
    points_of = NULL;
  lock_release (&catch_up_lock);
  raw3 (__NR_munmap, RAW_PTR (child->channel),
        channel_of (t)->birth.channel_size, 0);
  child->slot = NULL;
  child->channel = NULL;
  if (t->slot && t->slot->regs_changed)
    take (t);
  stop_report_in_call (t, CHANNEL_STOP_VFORK_DONE, pid);
}

/* Serve the command numbered N for T.  */

static void
serve (struct thread *t, uint32_t n)
{
  struct channel_command c = channel_of (t)->ring[n % CHANNEL_RING];
  switch (c.request)
    {
    case CHANNEL_REQUEST_DIRTY:
      dispatch_flush (c.arg[0], c.arg[0] + c.arg[1] < c.arg[0]
                                  ? UINT64_MAX : c.arg[0] + c.arg[1],
                      "written to by the debugger");
      break;
    case CHANNEL_REQUEST_DETACH:
      LOG (STOP, "process %d: detached", t->tgid);
      forget_debugger (t);
      break;
    }
}

static void
catch_up (struct thread *t)
{
  struct channel *c = channel_of (t);
  lock_acquire (&catch_up_lock);
  uint32_t issued = __atomic_load_n (&c->issued, __ATOMIC_ACQUIRE);
  uint32_t served = c->served;
  if (issued - served > CHANNEL_RING)
    served = issued - CHANNEL_RING;
  while (served != issued)
    serve (t, served++);
  __atomic_store_n (&c->served, served, __ATOMIC_RELEASE);
  uint32_t now = __atomic_load_n (&c->points_generation, __ATOMIC_ACQUIRE);
  if ((now != points_seen || c != points_of) && points_changed)
    points_changed (c);
  points_seen = now;
  points_of = c;
  lock_release (&catch_up_lock);
}

/* There is something for T to catch up with.  */

static bool
is_behind (const struct thread *t)
{
  const struct channel *c = channel_of (t);
  return c->issued != c->served || c != points_of
         || c->points_generation != points_seen;
}

/* A signal that the debugger wants delivered, though none has come.  */

static void
inject (struct thread *t)
{
  int sig = t->slot->resume_signal;
  t->slot->resume_signal = 0;
  if (sig < 1 || sig > RAW_NSIG)
    return;
  if (t->stopped_in_call)
    {
      /* The context is that of a call that is not done.  */
      raw3 (__NR_tgkill, t->tgid, t->tid, sig);
      return;
    }
  struct signal_record rec = { .info.signo = sig, .info.code = RAW_SI_TKILL };
  rec.info.queue.pid = t->tgid;
  signal_apply (t, &rec);
}

/* T, which is stopped and counts as parked, answers what the server asks.  Its
   slot stays as it is.  */

static void
answer_server (struct thread *t)
{
  park_leave_syscall (t);
  lock_acquire (&catch_up_lock);
  answer_give (t, channel_of (t));
  lock_release (&catch_up_lock);
  park_enter_syscall (t);
}

/* T has been woken, or so it seems: the first for whom RUN has moved wakes all
   the others.  The server leaves that to a thread of the program, because the
   scheduler has who wakes many busy threads wait for its turn behind them, and
   the server is to hear of an interrupt at once.  */

static void
pass_on (struct channel *c)
{
  uint32_t run = __atomic_load_n (&c->run, __ATOMIC_SEQ_CST);
  if (__atomic_load_n (&c->passed, __ATOMIC_SEQ_CST) != run
      && __atomic_exchange_n (&c->passed, run, __ATOMIC_SEQ_CST) != run)
    futex_wake (&c->run, INT32_MAX, true);
}

/* T has stopped.  The server hears of an event at once, but of threads that
   stop along with others only when none runs any more.  Of two that are the
   last, the later to write its state sees the other's.  */

static void
announce (const struct thread *t)
{
  static uint32_t runs;         /* a slot whose thread was seen to run */
  struct channel *c = channel_of (t);
  uint32_t used = __atomic_load_n (&c->n_used, __ATOMIC_ACQUIRE);
  if (t->slot->stop != CHANNEL_STOP_NONE || t->channel)
    used = 0;
  uint32_t first = __atomic_load_n (&runs, __ATOMIC_RELAXED);
  for (uint32_t n = 0; n < used && used <= ARRAY_SIZE (in_use); n++)
    {
      uint32_t i = (first + n) % used;
      if (__atomic_load_n (&channel_slot (c, i)->state, __ATOMIC_SEQ_CST)
          != CHANNEL_RUNNING)
        continue;
      __atomic_store_n (&runs, i, __ATOMIC_RELAXED);
      return;
    }
  call_event (c);
}

/* Stop until nobody wants it any more.  A signal of the debugger's is left in
   the slot.  */

static void
wait (struct thread *t)
{
  struct channel_thread *s = t->slot;
  struct channel *c = channel_of (t);
  fill (t);
  set_state (s, CHANNEL_STOPPED);
  park_enter_syscall (t);
  announce (t);
  for (;;)
    {
      uint32_t run = __atomic_load_n (&c->run, __ATOMIC_SEQ_CST);
      if (!is_wanted (t))
        break;
      if (answer_wanted (c))
        answer_server (t);
      futex_wait (&c->run, run, true, SERVER_CHECK_NS);
      pass_on (c);
      if (!call_server_lives ())
        forget_debugger (t);
    }
  park_leave_syscall (t);
  set_state (s, CHANNEL_RUNNING);
  catch_up (t);
  take (t);
  LOG (STOP, "%d: goes on at %#lx", t->tid, t->context.rip);
}

/* See stop.h.  */

void
stop_check (struct thread *t)
{
  if (!t->slot)
    return;
  while (is_wanted (t))
    {
      wait (t);
      inject (t);
    }
}

static bool
is_hit (enum channel_stop why)
{
  return why == CHANNEL_STOP_WATCH || why == CHANNEL_STOP_POINT
         || why == CHANNEL_STOP_CONDITION_ERROR;
}

/* See stop.h.  */

void
stop_report (struct thread *t, enum channel_stop why, uint64_t addr,
             uint64_t arg)
{
  if (!is_debugged (t))
    return;
  /* A debugger that stops T for another reason has to see a hit first: it
     would take the next change of what is watched for this one, and would step
     T over the breakpoint that it finds it at.  */
  if (!is_hit (why) || t->slot->stop != CHANNEL_STOP_NONE)
    stop_check (t);
  t->stopped_in_call = false;
  note_event (t, why, addr, arg);
  stop_check (t);
}

/* See stop.h.  */

void
stop_report_in_call (struct thread *t, enum channel_stop why, uint64_t arg)
{
  uint64_t rax = t->context.gpr[ARCH_RAX];
  if (!is_debugged (t))
    return;
  t->context.gpr[ARCH_RAX] = -RAW_ENOSYS;       /* as the kernel has it */
  stop_check (t);
  t->stopped_in_call = true;
  note_event (t, why, 0, arg);
  stop_check (t);
  t->context.gpr[ARCH_RAX] = rax;
}

/* See stop.h.  */

void
stop_post (struct thread *t, enum channel_stop why, uint64_t addr,
           uint64_t arg)
{
  if (!is_debugged (t))
    return;
  note_event (t, why, addr, arg);
  t->context.interrupted = 1;
}

/* See stop.h.  */

bool
stop_signal (struct thread *t, struct signal_record *rec)
{
  int sig = rec->info.signo;
  struct channel_thread *s = t->slot;
  if (is_debugged (t) && s->sent_signal == sig)
    {
      s->sent_signal = 0;
      rec->info.code = RAW_SI_USER;
      return true;
    }
  if (!is_debugged (t)
      || ((channel_of (t)->pass_signals & SIGSET_BIT (sig))
          && s->resume != CHANNEL_RESUME_STEP
          && s->resume != CHANNEL_RESUME_RANGE))
    return true;
  stop_check (t);
  s->signal = sig;
  s->siginfo_changed = 0;
  memcpy (s->siginfo, &rec->info, sizeof rec->info);
  note_event (t, CHANNEL_STOP_SIGNAL, 0, 0);
  while (is_wanted (t))
    wait (t);
  int wanted = is_debugged (t) ? s->resume_signal : sig;
  s->resume_signal = 0;
  if (wanted < 1 || wanted > RAW_NSIG)
    return false;
  if (s->siginfo_changed)
    memcpy (&rec->info, s->siginfo, sizeof rec->info);
  else if (wanted != sig)
    *rec = (struct signal_record) { .info.code = RAW_SI_USER };
  rec->info.signo = wanted;
  return true;
}

/* See stop.h.  */

bool
stop_enter_syscall (struct thread *t)
{
  if (!is_debugged (t))
    return true;
  fill (t);
  t->slot->regs.gpr[ARCH_RAX] = IN_CALL_RAX;
  set_state (t->slot, CHANNEL_SYSCALL);
  if (!is_wanted (t))
    return true;
  set_state (t->slot, CHANNEL_RUNNING);
  t->context.interrupted = 1;
  return false;
}

/* See stop.h.  */

void
stop_leave_syscall (struct thread *t)
{
  if (!is_debugged (t))
    return;
  set_state (t->slot, CHANNEL_RUNNING);
  if (is_wanted (t))
    t->context.interrupted = 1;
  else if (is_behind (t))
    catch_up (t);
}

/* See stop.h.  */

bool
stop_take_registers (struct thread *t)
{
  if (!t->slot || !t->slot->regs_changed)
    return false;
  t->syscall = -1;
  take (t);
  return true;
}

/* See stop.h.  */

bool
stop_catches (const struct thread *t, int64_t nr)
{
  const struct channel *c = channel_of (t);
  if (!is_debugged (t) || c->catch == CHANNEL_CATCH_NONE)
    return false;
  return c->catch == CHANNEL_CATCH_ALL
         || (nr >= 0 && nr < 64 * CHANNEL_CATCH_WORDS
             && (c->catch_set[nr / 64] >> nr % 64 & 1));
}

/* See stop.h.  The kernel has a new program return from execve, if it was
   execveat too (arch/x86/kernel/process_64.c, set_personality_64bit).  */

void
stop_exec_returns (struct thread *t)
{
  const int64_t nr = __NR_execve;
  if (!channel->birth.generation)
    return;
  stop_check (t);
  if (!stop_catches (t, nr))
    return;
  t->syscall = nr;
  stop_report (t, CHANNEL_STOP_SYSCALL_RETURN, 0, nr);
  t->syscall = -1;
}

/* See stop.h.  */

bool
stop_wants (const struct thread *t, unsigned want)
{
  return is_debugged (t) && (channel_of (t)->wants & want);
}
