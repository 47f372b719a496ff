/* See target.h and target-impl.h: resume, stop, and events.

   States of the target:

     STOPPED -> RUNNING     target_resume
     RUNNING -> STOPPED     target_next_event, which stops all processes when
                            one of their threads has come to an event, when
                            one has ended, or when an interrupt is wanted

   An event stands in its thread's slot (channel.h) until the thread is
   resumed; `taken' says that it has been reported.  Those that came up beside
   it are found there after the next resume, before anything runs.  */

#define _GNU_SOURCE
#include "host/target-impl.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "host/children.h"

#define STOP_LIMIT 5000         /* milliseconds */
#define KICK_AGAIN 20
#define CROWD 8                 /* threads */
#define CHILD_LIMIT 2000        /* for a fork's child to be there */


/* Stopping.  */

static bool
any_runs (const struct target *t)
{
  for (struct process *p = t->processes; p != NULL; p = p->next)
    if (process_runs (p) && !target_has_ended (p))
      return true;
  return false;
}

static void
want_stop (const struct target *t)
{
  for (struct process *p = t->processes; p != NULL; p = p->next)
    process_stop (p);
}

/* See target-impl.h.  */
void
target_stop_all (struct target *t)
{
  int64_t start = clock_ms (), kicked = start;

  t->stopping = true;
  want_stop (t);
  while (any_runs (t) && clock_ms () - start < STOP_LIMIT)
    {
      target_pump (t, KICK_AGAIN);
      if (clock_ms () - kicked < KICK_AGAIN)
        continue;
      want_stop (t);
      kicked = clock_ms ();
    }
  t->stopping = false;
}


/* Events that nobody shall see.  */

/* Let thread SLOT of P go on from event STOP as if it had not been; a child
   that it would have told of is left to itself, and so are those of a program
   that is no more.  */
static void
ignore_event (struct target *t, const struct process *p, unsigned slot,
              enum channel_stop stop)
{
  struct channel_thread *s = process_slot (p, slot);

  if (stop == CHANNEL_STOP_FORK || stop == CHANNEL_STOP_VFORK)
    children_let_go (t, s->stop_arg);
  else if (stop == CHANNEL_STOP_START)
    children_let_go_of (t, p->pid);
  s->resume_signal = 0;
  __atomic_store_n (&s->stop, CHANNEL_STOP_NONE, __ATOMIC_RELEASE);
}

/* Whether the step that thread SLOT of P has done is all that it was to do, by
   what was asked for last: meanwhile another event was reported, and it may be
   to go on.  */
static bool
is_done (const struct process *p, unsigned slot)
{
  const struct channel_thread *s = process_slot (p, slot);

  switch (p->threads[slot].resume)
    {
    case TARGET_RESUME_CONTINUE:
      return false;
    case TARGET_RESUME_RANGE:
      return s->regs.rip < s->range_start || s->regs.rip >= s->range_end;
    default:
      return true;
    }
}

/* Whether the event STOP of thread SLOT of P is one to report.  */
static bool
is_wanted (const struct target *t, const struct process *p, unsigned slot,
           enum channel_stop stop)
{
  const struct channel_thread *s = process_slot (p, slot);
  int child = s->stop_arg;

  switch (stop)
    {
    case CHANNEL_STOP_NONE:
      return false;
    case CHANNEL_STOP_START:
      return p->execed && (t->wants & TARGET_WANTS_EXEC) != 0;
    case CHANNEL_STOP_STEP:
      return is_done (p, slot);
    case CHANNEL_STOP_POINT:
      return points_have_break (&p->points, s->regs.rip);
    case CHANNEL_STOP_FORK:
      return (t->wants & TARGET_WANTS_FORK) != 0
             && target_find (t, child) != NULL;
    case CHANNEL_STOP_VFORK:
      return (t->wants & TARGET_WANTS_VFORK) != 0
             && target_find (t, child) != NULL;
    case CHANNEL_STOP_VFORK_DONE:
      return (t->wants & TARGET_WANTS_VFORK) != 0;
    case CHANNEL_STOP_CLONE:
    case CHANNEL_STOP_THREAD_EXIT:
      return (t->wants & TARGET_WANTS_THREADS) != 0;
    default:
      return true;
    }
}

/* Whether STOP of thread SLOT of P is the start of a fork's child whose
   parent's event is still to come: it stays where it is.  */
static bool
is_child_start (const struct process *p, enum channel_stop stop)
{
  return stop == CHANNEL_STOP_START && !p->execed;
}

/* Whether a fork's child that an event tells of may still turn up.  */
static bool
may_turn_up (const struct target *t, const struct process *p, unsigned slot,
             enum channel_stop stop)
{
  int child = process_slot (p, slot)->stop_arg;

  return (stop == CHANNEL_STOP_FORK || stop == CHANNEL_STOP_VFORK)
         && target_find (t, child) == NULL && child > 0
         && kill (child, 0) == 0;
}

/* Whether thread SLOT of P, which is to run, has come to something: *STOP.  */
static bool
has_event (const struct process *p, unsigned slot, enum channel_stop *stop)
{
  *stop = process_event (p, slot);
  return *stop != CHANNEL_STOP_NONE && !is_child_start (p, *stop)
         && p->threads[slot].resume != TARGET_RESUME_STAY;
}

/* Look for a change of what is watched: it comes before all else, or another
   thread may be stepped before the debugger has seen it, change the same, and
   make one change of two.  */
static bool
find_change (const struct target *t, struct process **found, unsigned *slot)
{
  enum channel_stop stop;

  for (struct process *p = t->processes; p != NULL; p = p->next)
    {
      process_look (p);
      for (unsigned i = 0; i < p->n_threads; i++)
        if (has_event (p, i, &stop) && stop == CHANNEL_STOP_WATCH)
          {
            *found = p;
            *slot = i;
            return true;
          }
    }
  return false;
}

/* Look for an event to report; those that are not wanted are got rid of.  */
static bool
find_event (struct target *t, struct process **found, unsigned *slot)
{
  int64_t start = clock_ms ();

  if (find_change (t, found, slot))
    return true;
  for (struct process *p = t->processes; p != NULL; p = p->next)
    {
      bool ignored = false;

      process_look (p);
      for (unsigned i = 0; i < p->n_threads; i++)
        {
          enum channel_stop stop;

          if (!has_event (p, i, &stop))
            continue;
          while (may_turn_up (t, p, i, stop)
                 && clock_ms () - start < CHILD_LIMIT)
            target_pump (t, 5);
          if (is_wanted (t, p, i, stop))
            {
              *found = p;
              *slot = i;
              return true;
            }
          ignore_event (t, p, i, stop);
          ignored = true;
        }
      if (ignored && p->channel.channel->stop_wanted == 0)
        process_wake (p);
    }
  return false;
}

/* A process that has ended, children before their parents.  */
static struct process *
find_ended (const struct target *t)
{
  struct process *found = NULL;

  for (struct process *p = t->processes; p != NULL; p = p->next)
    if (!children_hidden (p) && target_has_ended (p))
      found = p;
  return found;
}


/* Resuming.  */

/* What thread SLOT of P shall do, by the first of the N ACTIONS that names
   it; null: stay.  */
static const struct target_action *
find_action (const struct process *p, unsigned slot,
             const struct target_action *actions, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (actions[i].tid > 0 ? actions[i].tid == p->threads[slot].tid
                           : actions[i].pid <= 0 || actions[i].pid == p->pid)
      return &actions[i];
  return NULL;
}

/* Tell thread SLOT of P what to do: ACTION, or null.  */
static void
instruct (struct process *p, unsigned slot, const struct target_action *action)
{
  struct channel_thread *s = process_slot (p, slot);
  struct process_thread *t = &p->threads[slot];
  static const enum channel_resume resume[] = {
    [TARGET_RESUME_STAY] = CHANNEL_RESUME_STAY,
    [TARGET_RESUME_CONTINUE] = CHANNEL_RESUME_CONTINUE,
    [TARGET_RESUME_STEP] = CHANNEL_RESUME_STEP,
    [TARGET_RESUME_RANGE] = CHANNEL_RESUME_RANGE,
  };

  t->resume = action != NULL ? action->kind : TARGET_RESUME_STAY;
  s->resume = resume[t->resume];
  if (t->resume == TARGET_RESUME_STAY)
    return;
  s->range_start = action->range_start;
  s->range_end = action->range_end;
  if (process_event (p, slot) != CHANNEL_STOP_NONE)
    return;                     /* it keeps the event that it has */
  /* One that it was given before, and has not come to, stays.  In a system
     call it would not come to it before that returns.  */
  if (action->signal != 0 && process_state (p, slot) == CHANNEL_SYSCALL)
    t->send = s->sent_signal = action->signal;
  else if (action->signal != 0)
    s->resume_signal = action->signal;
  t->taken = false;
  __atomic_store_n (&s->stop, CHANNEL_STOP_NONE, __ATOMIC_RELEASE);
}

/* Tell all threads of P; then those that have only now come to be seen.  */
static void
instruct_all (struct process *p, const struct target_action *actions, size_t n)
{
  int known[CHANNEL_MAX_THREADS] = { 0 };

  for (unsigned twice = 0; twice < 2; twice++)
    {
      for (unsigned i = 0; i < p->n_threads; i++)
        if (p->threads[i].tid != 0 && p->threads[i].tid != known[i])
          {
            known[i] = p->threads[i].tid;
            instruct (p, i, find_action (p, i, actions, n));
          }
      if (twice == 0)
        process_look (p);
    }
}

/* Threads that wait in a system call get the signals that they were given, as
   from anybody: it is the kernel that knows what becomes of the call.  */
static void
send_signals (struct process *p)
{
  for (unsigned i = 0; i < p->n_threads; i++)
    {
      struct process_thread *t = &p->threads[i];

      if (t->send == 0 || t->resume == TARGET_RESUME_STAY)
        continue;
      syscall (SYS_tgkill, p->pid, t->tid, t->send);
      t->send = 0;
    }
}

/* A thread that waits in a system call and was given other registers has to
   come out.  */
static void
kick_out_changed (const struct process *p)
{
  for (unsigned i = 0; i < p->n_threads; i++)
    if (p->threads[i].tid != 0
        && p->threads[i].resume != TARGET_RESUME_STAY
        && process_slot (p, i)->regs_changed != 0
        && process_state (p, i) == CHANNEL_SYSCALL)
      process_kick (p, p->threads[i].tid);
}

/* In the sentry: stop all, and let the owner of the target look.  */
static void
raise_alarm (void *data)
{
  const struct target *t = data;
  uint64_t one = 1;

  want_stop (t);
  sentry_call (SYS_write, t->wake, (long) &one, sizeof one, 0);
}

/* Whether so many threads are about to run that the server may not come to
   post a sentry after it has woken them.  */
static bool
is_crowd (const struct target *t)
{
  unsigned n = 0;

  for (struct process *p = t->processes; p != NULL; p = p->next)
    n += p->n_threads;
  return n >= CROWD;
}

static void
post_sentry (struct target *t)
{
  if (t->sentry == NULL)
    t->sentry = sentry_create (raise_alarm, t);
  sentry_watch (t->sentry, t->input);
  sentry_arm (t->sentry);
}

/* See target.h.  */
void
target_listen (struct target *t, int fd)
{
  t->input = fd;
  sentry_watch (t->sentry, fd);
}

/* See target.h.  */
void
target_will_sleep (struct target *t)
{
  if (t->running && t->input >= 0)
    post_sentry (t);
}

/* See target.h.  */
void
target_expect_interrupt (struct target *t)
{
  t->expected = true;
}

static void
release_all (struct target *t)
{
  struct process *p;

  if (is_crowd (t))
    post_sentry (t);
  for (p = t->processes; p != NULL; p = p->next)
    {
      process_publish_points (p);
      process_release (p);
    }
  if (t->expected || sentry_has_rung (t->sentry))
    {
      /* The sentry may have wanted the stop before it was released.  No thread
         has run yet, and none shall.  */
      want_stop (t);
      target_poke (t);
      return;
    }
  for (p = t->processes; p != NULL; p = p->next)
    {
      process_wake (p);
      send_signals (p);
      kick_out_changed (p);
    }
}

/* Whether thread SLOT of P could run.  */
static bool
is_resumed (const struct process *p, unsigned slot)
{
  return p->threads[slot].resume != TARGET_RESUME_STAY
         && !is_child_start (p, process_event (p, slot));
}

/* P has said that it ends.  */
static bool
is_ending (const struct process *p)
{
  return __atomic_load_n (&p->channel.channel->process_state, __ATOMIC_ACQUIRE)
         == CHANNEL_PROCESS_EXITED;
}

/* Whether some thread could run, or is about to be there; a process with no
   threads left is about to end, and so may be one whose others stay.  */
static bool
any_resumed (const struct target *t)
{
  for (struct process *p = t->processes; p != NULL; p = p->next)
    {
      bool lives = false;

      if (children_hidden (p))
        continue;
      for (unsigned i = 0; i < p->n_threads; i++)
        {
          if (p->threads[i].tid != 0 && is_resumed (p, i))
            return true;
          lives |= p->threads[i].tid != 0;
        }
      if (!lives || is_ending (p))
        return true;
    }
  return false;
}

/* See target.h.  */
enum target_refusal
target_resume (struct target *t, const struct target_action *actions, size_t n)
{
  struct process *p;
  unsigned slot;

  if (t->running)
    return TARGET_RUNNING;
  for (p = t->processes; p != NULL; p = p->next)
    instruct_all (p, actions, n);
  t->running = true;
  if (find_event (t, &p, &slot) || find_ended (t) != NULL
      || !any_resumed (t))
    target_poke (t);
  else
    release_all (t);
  return TARGET_OK;
}

/* See target.h.  */
void
target_interrupt (struct target *t, int pid)
{
  if (!t->running)
    return;
  t->interrupt = true;
  t->interrupt_pid = pid;
  target_poke (t);
}


/* Events.  */

static enum target_event_kind
event_kind (enum channel_stop stop)
{
  static const enum target_event_kind kinds[CHANNEL_N_STOPS] = {
    [CHANNEL_STOP_START] = TARGET_EVENT_EXEC,
    [CHANNEL_STOP_POINT] = TARGET_EVENT_BREAKPOINT,
    [CHANNEL_STOP_STEP] = TARGET_EVENT_STEP,
    [CHANNEL_STOP_SIGNAL] = TARGET_EVENT_SIGNAL,
    [CHANNEL_STOP_WATCH] = TARGET_EVENT_WATCH,
    [CHANNEL_STOP_SYSCALL_ENTRY] = TARGET_EVENT_SYSCALL_ENTRY,
    [CHANNEL_STOP_SYSCALL_RETURN] = TARGET_EVENT_SYSCALL_RETURN,
    [CHANNEL_STOP_FORK] = TARGET_EVENT_FORK,
    [CHANNEL_STOP_VFORK] = TARGET_EVENT_VFORK,
    [CHANNEL_STOP_VFORK_DONE] = TARGET_EVENT_VFORK_DONE,
    [CHANNEL_STOP_CLONE] = TARGET_EVENT_CLONE,
    [CHANNEL_STOP_THREAD_EXIT] = TARGET_EVENT_THREAD_EXIT,
    [CHANNEL_STOP_CONDITION_ERROR] = TARGET_EVENT_BREAKPOINT,
  };

  return kinds[stop];
}

/* The kind of the watched point, from a slot.  */
static enum target_point_kind
watch_kind (uint64_t kind)
{
  return kind > CHANNEL_POINT_BREAK && kind <= CHANNEL_POINT_WATCH_ACCESS
           ? (enum target_point_kind) (kind - CHANNEL_POINT_BREAK)
           : TARGET_POINT_WATCH_WRITE;
}

/* Describe the event of thread SLOT of P in *EVENT, and mark it as taken.  */
static void
take_event (struct target *t, struct process *p, unsigned slot,
            struct target_event *event)
{
  const struct channel_thread *s = process_slot (p, slot);
  enum channel_stop stop = process_event (p, slot);
  int signal = s->signal;

  *event = (struct target_event){
    .kind = event_kind (stop),
    .pid = p->pid,
    .tid = p->threads[slot].tid,
    .signal = SIGTRAP,
    .syscall = s->syscall,
    .addr = s->stop_addr,
  };
  if (stop == CHANNEL_STOP_SIGNAL && signal > 0 && signal <= TARGET_N_SIGNALS)
    event->signal = signal;
  if (stop == CHANNEL_STOP_WATCH)
    event->access = watch_kind (s->stop_arg);
  if (stop == CHANNEL_STOP_THREAD_EXIT)
    event->status = s->stop_arg & 0xff;
  if (stop == CHANNEL_STOP_FORK || stop == CHANNEL_STOP_VFORK
      || stop == CHANNEL_STOP_CLONE)
    {
      event->child = s->stop_arg;
      children_show (t, event->child);
    }
  if (stop == CHANNEL_STOP_START)
    children_let_go_of (t, p->pid);
  p->execed = false;
  p->threads[slot].taken = true;
}

/* P has ended: describe that, and drop it.  */
static void
take_end (struct target *t, struct process *p, struct target_event *event)
{
  int status = p->end_status;

  *event = (struct target_event){ .pid = p->pid, .tid = p->pid };
  if (WIFSIGNALED (status))
    {
      event->kind = TARGET_EVENT_KILLED;
      event->signal = WTERMSIG (status);
    }
  else
    {
      event->kind = TARGET_EVENT_EXITED;
      event->status = WEXITSTATUS (status);
    }
  children_let_go_of (t, p->pid);
  target_drop (t, p);
}

/* A thread of P that was running, or any; 0: P has none, or is about to
   end.  */
static int
find_interrupted (const struct process *p)
{
  int tid = 0;

  if (is_ending (p))
    return 0;
  for (unsigned i = p->n_threads; i-- > 0;)
    if (p->threads[i].tid != 0
        && (tid == 0 || p->threads[i].resume != TARGET_RESUME_STAY))
      tid = p->threads[i].tid;
  return tid;
}

/* The interrupt that was asked for: by a thread of the process named, if it
   has one, or of another.  False: there is none, and an end is to come.  */
static bool
take_interrupt (struct target *t, struct target_event *event)
{
  struct process *p = target_find (t, t->interrupt_pid);
  int tid = p != NULL ? find_interrupted (p) : 0;

  if (tid == 0)
    for (p = t->processes; p != NULL; p = p->next)
      if (!children_hidden (p) && (tid = find_interrupted (p)) != 0)
        break;
  if (tid == 0)
    return false;
  *event = (struct target_event){ .kind = TARGET_EVENT_INTERRUPT,
                                  .pid = p->pid,
                                  .tid = tid,
                                  .signal = SIGINT };
  return true;
}

/* Everything is stopped: find what it stopped for.  False: nothing, after
   all.  */
static bool
choose_event (struct target *t, struct target_event *event)
{
  struct process *p = find_ended (t);
  unsigned slot;

  if (p != NULL)
    take_end (t, p, event);
  else if (find_event (t, &p, &slot))
    take_event (t, p, slot, event);
  else if (!any_resumed (t))
    *event = (struct target_event){ .kind = TARGET_EVENT_NO_RESUMED };
  else if (!t->interrupt || !take_interrupt (t, event))
    return false;
  return true;
}

/* See target.h.  */
bool
target_next_event (struct target *t, struct target_event *event)
{
  struct process *p;
  unsigned slot;

  *event = (struct target_event){ .kind = TARGET_EVENT_NONE };
  target_pump (t, 0);
  if (!t->running)
    return false;
  if (!find_event (t, &p, &slot) && find_ended (t) == NULL && !t->interrupt
      && !t->expected && !sentry_has_rung (t->sentry) && any_resumed (t))
    return false;
  sentry_disarm (t->sentry);
  t->expected = false;
  target_stop_all (t);
  if (!choose_event (t, event))
    {
      release_all (t);
      return false;
    }
  t->running = t->interrupt = false;
  t->last_pid = event->pid;
  t->last_tid = event->tid;
  return true;
}
