/* See target.h and target-impl.h: who is there, and what they have.  */

#define _GNU_SOURCE
#include "host/target-impl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/children.h"
#include "host/monitor.h"
#include "host/policy.h"
#include "host/program.h"
#include "host/spawn.h"

#define SPAWN_LIMIT 30000       /* milliseconds, shell and wrapper included */
#define KILL_LIMIT 5000
#define XSAVE_LEAST 576         /* legacy area and header */

/* See target.h.  */
const char *
target_refusal_text (enum target_refusal r)
{
  static const char *const texts[TARGET_N_REFUSALS] = {
#define TARGET_REFUSAL(NAME, TEXT) [TARGET_##NAME] = TEXT,
    TARGET_REFUSALS (TARGET_REFUSAL)
#undef TARGET_REFUSAL
  };

  return r < TARGET_N_REFUSALS ? texts[r] : "";
}

/* See target.h.  */
const char *
target_explanation (const struct target *t)
{
  return t->explanation;
}

/* See target-impl.h.  */
enum target_refusal
target_explain (struct target *t, enum target_refusal r, const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  vsnprintf (t->explanation, sizeof t->explanation, fmt, args);
  va_end (args);
  return r;
}


/* The list.  */

/* See target-impl.h.  */
struct process *
target_find (const struct target *t, int pid)
{
  struct process *p = t->processes;

  while (p != NULL && p->pid != pid)
    p = p->next;
  return p;
}

/* See target-impl.h.  */
struct process *
target_find_thread (const struct target *t, int tid, unsigned *slot)
{
  for (struct process *p = t->processes; p != NULL; p = p->next)
    {
      int n = process_find (p, tid);

      if (n >= 0)
        {
          *slot = n;
          return p;
        }
    }
  return NULL;
}

static void
watch (int epoll, int fd)
{
  struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

  epoll_ctl (epoll, EPOLL_CTL_ADD, fd, &event);
}

/* See target-impl.h.  */
void
target_add (struct target *t, struct process *p)
{
  struct process **end = &t->processes;

  while (*end != NULL)
    end = &(*end)->next;
  p->next = NULL;
  sentry_lock (t->sentry);
  *end = p;
  sentry_unlock (t->sentry);
  watch (t->epoll, p->pidfd);
}

/* See target-impl.h.  */
void
target_drop (struct target *t, struct process *p)
{
  struct process **at = &t->processes;

  while (*at != NULL && *at != p)
    at = &(*at)->next;
  sentry_lock (t->sentry);
  if (*at != NULL)
    *at = p->next;
  sentry_unlock (t->sentry);
  epoll_ctl (t->epoll, EPOLL_CTL_DEL, p->pidfd, NULL);
  target_take_last_records (t, p);
  process_destroy (t->server, p);
}

/* See target-impl.h.  */
void
target_publish_wants (const struct target *t, struct process *p)
{
  struct channel *c = p->channel.channel;

  c->wants = ((t->wants & TARGET_WANTS_FORK) != 0 ? CHANNEL_WANTS_FORK : 0)
             | ((t->wants & TARGET_WANTS_VFORK) != 0 ? CHANNEL_WANTS_VFORK : 0)
             | ((t->wants & TARGET_WANTS_THREADS) != 0 ? CHANNEL_WANTS_THREADS
                                                       : 0);
  c->pass_signals = t->pass_signals;
}


/* The server's hooks.  */

/* The process that PID is or is to be.  */
static struct process *
find_or_spawning (const struct target *t, int pid)
{
  if (t->spawning != NULL && t->spawning->pid == pid)
    return t->spawning;
  return target_find (t, pid);
}

static void
hook_prepare (void *data, int pid, struct channel_birth *record)
{
  struct target *t = data;
  struct process *p = find_or_spawning (t, pid);
  struct server_channel *c;

  record->options.debug = record->options.stop_at_start = 0;
  if (p == NULL)
    return;
  c = &p->channel;
  if (p->mem >= 0)
    {
      /* An exec: the old channel may still be mapped by a vfork's parent.  */
      if (p->next_channel.fd < 0
          && server_channel_create (t->server, &p->next_channel) != SERVER_OK)
        return;
      c = &p->next_channel;
    }
  record->options.debug = record->options.stop_at_start = 1;
  server_path (record->channel_path, c->fd);
  record->channel_fd = c->fd;
}

static void
hook_born (void *data, int pid, const struct birth *b, enum birth_refusal r)
{
  struct target *t = data;
  struct process *p = find_or_spawning (t, pid);

  if (p == t->spawning && p != NULL)
    t->birth = r;
  if (p == NULL || r != BIRTH_OK)
    {
      if (b->mem >= 0)
        close (b->mem);
      return;
    }
  p->execed = p != t->spawning;
  target_take_last_records (t, p);
  sentry_lock (t->sentry);
  process_born (t->server, p, b);
  sentry_unlock (t->sentry);
  target_publish_wants (t, p);
}

static bool
hook_forked (void *data, int pid, int parent, char *path)
{
  struct target *t = data;
  struct process *from = target_find (t, parent), *p;

  if (from == NULL || target_find (t, pid) != NULL
      || (t->wants & (TARGET_WANTS_FORK | TARGET_WANTS_VFORK)) == 0
      || (p = process_create (t->server, pid)) == NULL)
    return false;
  if (!process_forked (p, from)
      || points_copy (&p->points, &from->points) != TARGET_OK)
    {
      process_destroy (t->server, p);
      return false;
    }
  process_publish_points (p);
  target_publish_wants (t, p);
  /* The child's engine has its parent's points, of this generation.  */
  p->channel.channel->points_generation
    = from->channel.channel->points_generation + 1;
  p->channel.channel->stop_wanted = 1;
  children_hide (p, parent);
  server_path (path, p->channel.fd);
  target_add (t, p);
  return true;
}

static void
hook_ended (void *data, int pid, int status)
{
  struct process *p = find_or_spawning (data, pid);

  if (p == NULL || p->ended)
    return;
  p->ended = true;
  p->end_status = status;
}


/* Setting up.  */

static bool
open_descriptors (struct target *t)
{
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGCHLD);
  pthread_sigmask (SIG_BLOCK, &set, NULL);
  t->epoll = epoll_create1 (EPOLL_CLOEXEC);
  t->chores = epoll_create1 (EPOLL_CLOEXEC);
  t->sigchld = signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  t->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  t->timer = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  return t->epoll >= 0 && t->chores >= 0 && t->sigchld >= 0 && t->wake >= 0
         && t->timer >= 0;
}

static void
close_descriptors (struct target *t)
{
  if (t->epoll >= 0)
    close (t->epoll);
  if (t->chores >= 0)
    close (t->chores);
  if (t->sigchld >= 0)
    close (t->sigchld);
  if (t->wake >= 0)
    close (t->wake);
  if (t->timer >= 0)
    close (t->timer);
}

/* See target.h.  */
enum target_refusal
target_create (struct target **made, const struct channel_options *options)
{
  struct target *t = calloc (1, sizeof *t);
  const struct server_hooks hooks = {
    .data = t,
    .prepare = hook_prepare,
    .born = hook_born,
    .forked = hook_forked,
    .ended = hook_ended,
  };
  enum server_refusal r;

  if (t == NULL)
    return TARGET_TOO_MANY;
  t->epoll = t->chores = t->sigchld = t->wake = t->timer = -1;
  t->input = -1;
  t->program_signals = ~0ull;
  t->options = options != NULL ? *options
                               : (struct channel_options){ .follow = 1 };
  image_file (t->engine_file, sizeof t->engine_file);
  policy_shorten_slices ();
  r = SERVER_NO_MEMORY;
  if (open_descriptors (t))
    r = server_create (&t->server, t->engine_file, &t->options, true, &hooks);
  if (r != SERVER_OK)
    {
      close_descriptors (t);
      free (t);
      return r == SERVER_NO_ENGINE ? TARGET_NO_PROGRAM : TARGET_TOO_MANY;
    }
  watch (t->chores, t->sigchld);
  watch (t->chores, t->wake);
  watch (t->chores, t->timer);
  watch (t->chores, server_fd (t->server));
  watch (t->epoll, t->chores);
  *made = t;
  return TARGET_OK;
}

/* See target.h.  */
void
target_destroy (struct target *t, bool kill)
{
  while (t->processes != NULL)
    {
      struct process *p = t->processes;
      enum target_refusal r;

      if (!kill)
        target_stop_all (t);
      r = kill ? target_kill (t, p->pid) : target_detach (t, p->pid, 0);
      if (r != TARGET_OK && t->processes == p)
        target_drop (t, p);
    }
  sentry_destroy (t->sentry);
  server_destroy (t->server);
  close_descriptors (t);
  free (t);
}

/* See target.h.  */
int
target_event_fd (const struct target *t)
{
  return t->running ? t->epoll : t->chores;
}

/* See target-impl.h.  */
void
target_poke (struct target *t)
{
  uint64_t one = 1;
  ssize_t n = write (t->wake, &one, sizeof one);

  (void) n;                     /* full is as good */
}

/* See target-impl.h.  */
void
target_pump (struct target *t, int ms)
{
  struct pollfd fd = { t->epoll, POLLIN, 0 };
  struct signalfd_siginfo info;
  uint64_t n;

  poll (&fd, 1, ms);
  while (read (t->sigchld, &info, sizeof info) > 0)
    ;
  while (read (t->wake, &n, sizeof n) > 0)
    ;
  while (read (t->timer, &n, sizeof n) > 0)
    ;
  server_serve (t->server);
  target_take_records (t);
}


/* Birth and death.  */

/* See target-impl.h.  */
bool
target_has_ended (struct process *p)
{
  struct pollfd fd = { p->pidfd, POLLIN, 0 };
  const struct channel *c = p->channel.channel;

  if (p->ended)
    return true;
  if (poll (&fd, 1, 0) <= 0)
    return false;
  p->ended = true;
  if (p->is_child && waitpid (p->pid, &p->end_status, WNOHANG) == p->pid)
    return true;
  /* Somebody else's child: by what its engine said, or else it was killed
     with no time for a word.  */
  p->end_status = SIGKILL;
  if (__atomic_load_n (&c->process_state, __ATOMIC_ACQUIRE)
      == CHANNEL_PROCESS_EXITED)
    p->end_status = c->exit_status & 0xffff;
  return true;
}

/* A process has ended at its start with STATUS: what gdbserver says.  */
static enum target_refusal
explain_end (struct target *t, int status)
{
  if (WIFSIGNALED (status))
    return target_explain (t, TARGET_ENDED,
                           "During startup program terminated with signal %d "
                           "(%s)",
                           WTERMSIG (status), strsignal (WTERMSIG (status)));
  return target_explain (t, TARGET_ENDED,
                         "During startup program exited with code %d",
                         WEXITSTATUS (status));
}

/* Wait until P, which has the engine, has come to its first stop.  */
static enum target_refusal
await_start (struct target *t, struct process *p, struct spawn *s)
{
  for (int ms = 0; ms < SPAWN_LIMIT; ms += 10)
    {
      int error;

      target_pump (t, 10);
      error = spawn_trouble (s);
      if (error != 0)
        return target_explain (t,
                               error == ENOENT ? TARGET_NO_PROGRAM
                                               : TARGET_BAD_PROGRAM,
                               "%s", strerror (error));
      if (t->birth != BIRTH_OK)
        return target_explain (t, TARGET_BAD_PROGRAM, "%s",
                               birth_refusal_text (t->birth));
      if (target_has_ended (p))
        return explain_end (t, p->end_status);
      if (p->mem >= 0 && !process_runs (p))
        return TARGET_OK;
    }
  return target_explain (t, TARGET_LOST, "no answer within %d seconds",
                         SPAWN_LIMIT / 1000);
}

/* Say beforehand what is wrong with the program of P, if it is run without a
   shell, whose business that is.  */
static enum target_refusal
look_at (struct target *t, const struct target_program *program)
{
  struct program *found;
  enum program_verdict v;
  enum target_refusal r = TARGET_OK;

  if (program->startup_with_shell || program->wrapper != NULL
      || program->cwd != NULL || program->argv == NULL
      || program->argv[0] == NULL)
    return TARGET_OK;
  found = calloc (1, sizeof *found);
  if (found == NULL)
    return TARGET_TOO_MANY;
  v = program_find (found, program->argv[0]);
  if (v != PROGRAM_OK)
    r = target_explain (t,
                        v == PROGRAM_MISSING ? TARGET_NO_PROGRAM
                                             : TARGET_BAD_PROGRAM,
                        "%s", found->why);
  free (found);
  return r;
}

/* Adopt the child of S as process P and wait until it stands at its start.  */
static enum target_refusal
raise_child (struct target *t, struct process *p, struct spawn *s)
{
  enum server_refusal adopted
    = server_adopt (t->server, s->pid, s->n_execs - 1);

  if (adopted != SERVER_OK)
    return target_explain (t, TARGET_NOT_PERMITTED, "%s",
                           server_refusal_text (adopted));
  spawn_go (s);
  return await_start (t, p, s);
}

/* See target.h.  */
enum target_refusal
target_spawn (struct target *t, const struct target_program *program,
              int *pid)
{
  struct spawn s;
  struct process *p;
  enum target_refusal r = look_at (t, program);

  if (r == TARGET_OK)
    r = spawn_fork (&s, program);
  if (r != TARGET_OK)
    return r;
  p = process_create (t->server, s.pid);
  if (p == NULL)
    {
      spawn_abort (&s);
      return TARGET_TOO_MANY;
    }
  p->is_child = true;
  t->birth = BIRTH_OK;
  t->spawning = p;
  r = raise_child (t, p, &s);
  t->spawning = NULL;
  if (r != TARGET_OK)
    {
      spawn_abort (&s);
      process_destroy (t->server, p);
      return r;
    }
  spawn_end (&s);
  p->channel.channel->stop_wanted = 1;
  for (unsigned i = 0; i < p->n_threads; i++)
    p->threads[i].taken = true; /* its START */
  target_add (t, p);
  *pid = t->last_pid = t->last_tid = s.pid;
  return TARGET_OK;
}

/* See target.h.  */
enum target_refusal
target_kill (struct target *t, int pid)
{
  struct process *p = target_find (t, pid);

  if (p == NULL)
    return TARGET_NO_PROCESS;
  children_kill_of (t, pid);
  syscall (SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0);
  for (int ms = 0; ms < KILL_LIMIT && !target_has_ended (p); ms += 10)
    {
      struct pollfd fd = { p->pidfd, POLLIN, 0 };

      poll (&fd, 1, 10);
      server_serve (t->server);
    }
  target_drop (t, p);
  return TARGET_OK;
}

/* See target-impl.h.  */
void
target_let_go (struct target *t, struct process *p, int signal)
{
  bool pass = signal > 0 && signal <= TARGET_N_SIGNALS
              && (t->program_signals >> (signal - 1) & 1) != 0;

  for (unsigned i = 0; i < p->n_threads; i++)
    {
      struct channel_thread *s = process_slot (p, i);

      s->resume = CHANNEL_RESUME_CONTINUE;
      s->resume_signal = pass && p->threads[i].tid == t->last_tid ? signal : 0;
      __atomic_store_n (&s->stop, CHANNEL_STOP_NONE, __ATOMIC_RELEASE);
    }
  points_clear (&p->points);
  p->channel.channel->n_points = 0;
  __atomic_add_fetch (&p->channel.channel->points_generation, 1,
                      __ATOMIC_RELEASE);
  process_command (p, CHANNEL_REQUEST_DETACH, 0, 0);
  process_release (p);
  process_wake (p);
  target_drop (t, p);
}

/* See target.h.  */
enum target_refusal
target_detach (struct target *t, int pid, int signal)
{
  struct process *p = target_find (t, pid);

  if (p == NULL)
    return TARGET_NO_PROCESS;
  if (t->running)
    return TARGET_RUNNING;
  children_let_go_of (t, pid);
  target_let_go (t, p, signal);
  return TARGET_OK;
}

/* See target.h.  */
enum target_refusal
target_send_signal (struct target *t, int pid, int tid, int signal)
{
  struct process *p = target_find (t, pid);
  long r;

  if (p == NULL)
    return TARGET_NO_PROCESS;
  if (tid != 0)
    r = syscall (SYS_tgkill, pid, tid, signal);
  else
    r = kill (-getpgid (pid), signal);
  if (r == 0)
    return TARGET_OK;
  return errno == EPERM ? TARGET_NOT_PERMITTED
                        : errno == ESRCH ? TARGET_NO_THREAD
                                         : TARGET_BAD_ARGUMENT;
}


/* Who is there.  */

/* See target.h.  */
size_t
target_processes (struct target *t, int *pids, size_t max)
{
  size_t n = 0;

  for (struct process *p = t->processes; p != NULL; p = p->next)
    if (!children_hidden (p))
      {
        if (n < max)
          pids[n] = p->pid;
        n++;
      }
  return n;
}

/* See target.h.  Slots are reused; the leader comes first.  */
size_t
target_threads (struct target *t, int pid, int *tids, size_t max)
{
  struct process *p = target_find (t, pid);
  size_t n = 0;

  if (p == NULL || children_hidden (p))
    return 0;
  process_look (p);
  for (unsigned i = 0; i < p->n_threads; i++)
    {
      if (p->threads[i].tid == 0)
        continue;
      if (n < max)
        tids[n] = p->threads[i].tid;
      n++;
    }
  return n;
}

/* See target.h.  */
int
target_thread_process (struct target *t, int tid)
{
  unsigned slot;
  struct process *p = target_find_thread (t, tid, &slot);

  return p != NULL ? p->pid : 0;
}

/* Read file NAME of thread TID's folder in /proc into TEXT, with a null.  */
static bool
read_thread_file (struct target *t, int tid, const char *name, char *text,
                  size_t size)
{
  char path[96];
  ssize_t n;
  int pid = target_thread_process (t, tid), fd;

  *text = 0;
  snprintf (path, sizeof path, "/proc/%d/task/%d/%s", pid, tid, name);
  fd = pid != 0 ? open (path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0)
    return false;
  n = read (fd, text, size - 1);
  close (fd);
  text[n > 0 ? n : 0] = 0;
  return n > 0;
}

/* See target.h.  Field 39 of stat, proc(5); the second ends at the last
   parenthesis.  */
int
target_thread_core (struct target *t, int tid)
{
  char text[1024];
  const char *at;

  if (!read_thread_file (t, tid, "stat", text, sizeof text)
      || (at = strrchr (text, ')')) == NULL)
    return -1;
  for (int field = 2; field < 39 && at != NULL; field++)
    at = strchr (at + 1, ' ');
  return at != NULL ? atoi (at + 1) : -1;
}

/* See target.h.  */
void
target_thread_name (struct target *t, int tid, char *name, size_t size)
{
  if (size == 0)
    return;
  if (read_thread_file (t, tid, "comm", name, size))
    name[strcspn (name, "\n")] = 0;
}

/* See target.h.  */
enum target_refusal
target_exec_file (struct target *t, int pid, char *name, size_t size)
{
  char path[64];
  ssize_t n;

  if (target_find (t, pid) == NULL)
    return TARGET_NO_PROCESS;
  snprintf (path, sizeof path, "/proc/%d/exe", pid);
  n = readlink (path, name, size);
  if (n < 0)
    return TARGET_NOT_PERMITTED;
  if ((size_t) n >= size)
    return TARGET_TOO_MANY;
  name[n] = 0;
  return TARGET_OK;
}

/* See target.h.  */
enum target_refusal
target_auxv (struct target *t, int pid, void *auxv, size_t *length)
{
  struct process *p = target_find (t, pid);

  if (p == NULL)
    return TARGET_NO_PROCESS;
  *length = MIN (*length, p->auxv_size);
  memcpy (auxv, p->auxv, *length);
  return TARGET_OK;
}


/* Registers and memory.  */

/* The slot of TID, while stopped.  */
static enum target_refusal
stopped_slot (struct target *t, int tid, struct channel_thread **slot)
{
  unsigned n;
  struct process *p = target_find_thread (t, tid, &n);

  if (p == NULL)
    return TARGET_NO_THREAD;
  if (t->running)
    return TARGET_RUNNING;
  *slot = process_slot (p, n);
  return process_state (p, n) == CHANNEL_RUNNING ? TARGET_LOST : TARGET_OK;
}

/* See target.h.  */
enum target_refusal
target_regs_read (struct target *t, int tid, struct target_regs *regs)
{
  struct channel_thread *s;
  enum target_refusal r = stopped_slot (t, tid, &s);

  if (r != TARGET_OK)
    return r;
  regs->regs = s->regs;
  regs->xsave_size = s->xsave_size;
  if (regs->xsave_size > CHANNEL_XSAVE_MAX || regs->xsave_size < XSAVE_LEAST)
    regs->xsave_size = 0;
  memcpy (regs->xsave, s->xsave, regs->xsave_size);
  return TARGET_OK;
}

/* See target.h.  */
enum target_refusal
target_regs_write (struct target *t, int tid, const struct target_regs *regs)
{
  struct channel_thread *s;
  enum target_refusal r = stopped_slot (t, tid, &s);

  if (r != TARGET_OK)
    return r;
  if (memcmp (&s->regs, &regs->regs, sizeof s->regs) != 0)
    {
      s->regs = regs->regs;
      s->regs_changed = 1;
    }
  if (regs->xsave_size == s->xsave_size
      && regs->xsave_size <= CHANNEL_XSAVE_MAX
      && memcmp (s->xsave, regs->xsave, regs->xsave_size) != 0)
    {
      memcpy (s->xsave, regs->xsave, regs->xsave_size);
      s->xsave_changed = 1;
    }
  return TARGET_OK;
}

/* The slot of TID, while stopped for a signal.  */
static enum target_refusal
signal_slot (struct target *t, int tid, struct channel_thread **slot)
{
  enum target_refusal r = stopped_slot (t, tid, slot);

  if (r == TARGET_OK && (*slot)->stop != CHANNEL_STOP_SIGNAL)
    return TARGET_NO_THREAD;
  return r;
}

/* See target.h.  */
enum target_refusal
target_siginfo_read (struct target *t, int tid,
                     uint8_t info[TARGET_SIGINFO_SIZE])
{
  struct channel_thread *s;
  enum target_refusal r = signal_slot (t, tid, &s);

  if (r == TARGET_OK)
    memcpy (info, s->siginfo, TARGET_SIGINFO_SIZE);
  return r;
}

/* See target.h.  */
enum target_refusal
target_siginfo_write (struct target *t, int tid,
                      const uint8_t info[TARGET_SIGINFO_SIZE])
{
  struct channel_thread *s;
  enum target_refusal r = signal_slot (t, tid, &s);

  if (r != TARGET_OK)
    return r;
  memcpy (s->siginfo, info, TARGET_SIGINFO_SIZE);
  s->siginfo_changed = 1;
  return TARGET_OK;
}

/* See target.h.  */
size_t
target_memory_read (struct target *t, int pid, app_addr addr, void *buffer,
                    size_t length)
{
  struct process *p = target_find (t, pid);

  return p != NULL ? process_read (p, addr, buffer, length) : 0;
}

/* See target.h.  */
size_t
target_memory_write (struct target *t, int pid, app_addr addr,
                     const void *buffer, size_t length)
{
  struct process *p = target_find (t, pid);

  return p != NULL ? process_write (p, addr, buffer, length) : 0;
}


/* Points, abilities and options.  */

/* See target.h.  */
unsigned
target_abilities (const struct target *t)
{
  unsigned can = CHANNEL_ENGINE_ABILITIES;

  (void) t;
  return ((can & CHANNEL_CAN_WATCH) != 0 ? TARGET_CAN_WATCH : 0)
         | ((can & CHANNEL_CAN_CONDITION) != 0 ? TARGET_CAN_CONDITION : 0)
         | ((can & CHANNEL_CAN_COMMAND) != 0 ? TARGET_CAN_COMMAND : 0)
         | ((can & CHANNEL_CAN_CATCH) != 0 ? TARGET_CAN_CATCH_SYSCALL : 0)
         | ((can & CHANNEL_CAN_THREADS) != 0 ? TARGET_CAN_THREAD_EVENTS : 0)
         | ((can & CHANNEL_CAN_TRACE) != 0 ? TARGET_CAN_TRACE : 0)
         | TARGET_CAN_FOLLOW_FORK | TARGET_CAN_FOLLOW_EXEC;
}

/* See target.h.  */
enum target_refusal
target_point_insert (struct target *t, int pid,
                     const struct target_point *point)
{
  struct process *p = target_find (t, pid);
  unsigned can = target_abilities (t);

  if (p == NULL)
    return TARGET_NO_PROCESS;
  if (t->running)
    return TARGET_RUNNING;
  if ((point->kind != TARGET_POINT_BREAK && (can & TARGET_CAN_WATCH) == 0)
      || (point->n_conditions > 0 && (can & TARGET_CAN_CONDITION) == 0)
      || (point->n_commands > 0 && (can & TARGET_CAN_COMMAND) == 0))
    return TARGET_UNSUPPORTED;
  return points_insert (&p->points, point);
}

/* See target.h.  */
enum target_refusal
target_point_remove (struct target *t, int pid, enum target_point_kind kind,
                     app_addr addr, uint64_t length)
{
  struct process *p = target_find (t, pid);

  if (p == NULL)
    return TARGET_NO_PROCESS;
  if (t->running)
    return TARGET_RUNNING;
  return points_remove (&p->points, kind, addr, length);
}

static void
publish_all_wants (struct target *t)
{
  for (struct process *p = t->processes; p != NULL; p = p->next)
    target_publish_wants (t, p);
}

/* See target.h.  */
void
target_set_wants (struct target *t, unsigned wants)
{
  t->wants = wants;
  publish_all_wants (t);
}

/* See target.h.  */
void
target_set_pass_signals (struct target *t, uint64_t set)
{
  t->pass_signals = set;
  publish_all_wants (t);
}

/* See target.h.  */
void
target_set_program_signals (struct target *t, uint64_t set)
{
  t->program_signals = set;
}

/* See target.h.  */
enum target_refusal
target_catch_syscalls (struct target *t, int pid, bool on, const int *numbers,
                       size_t n)
{
  struct process *p = target_find (t, pid);
  struct channel *c;

  if (p == NULL)
    return TARGET_NO_PROCESS;
  if ((target_abilities (t) & TARGET_CAN_CATCH_SYSCALL) == 0)
    return TARGET_UNSUPPORTED;
  for (size_t i = 0; i < n; i++)
    if (numbers[i] < 0 || numbers[i] >= 64 * CHANNEL_CATCH_WORDS)
      return TARGET_BAD_ARGUMENT;
  c = p->channel.channel;
  memset (c->catch_set, 0, sizeof c->catch_set);
  for (size_t i = 0; i < n; i++)
    c->catch_set[numbers[i] / 64] |= 1ull << numbers[i] % 64;
  c->catch = !on ? CHANNEL_CATCH_NONE
                 : n == 0 ? CHANNEL_CATCH_ALL : CHANNEL_CATCH_SET;
  return TARGET_OK;
}

/* See target.h.  */
enum target_refusal
target_monitor (struct target *t, int pid, const char *const *words, size_t n,
                void (*emit) (void *data, const char *text), void *data)
{
  return monitor_run (t, target_find (t, pid), words, n, emit, data);
}

/* See target.h.  */
bool
target_memory_hidden (struct target *t, int pid, app_addr start, app_addr end)
{
  struct process *p = target_find (t, pid);

  return p != NULL && end > start && process_hides (p, start, end);
}

/* See target.h.  */
void
target_join (struct target *t, int pid)
{
  (void) t;
  while (waitpid (pid, NULL, 0) < 0 && errno == EINTR)
    continue;
}


/* What commands of points print.  */

/* The ring is the application's to scribble over: no more is taken than it can
   hold.  */
static size_t
take_text (struct channel *c, char *text, size_t size)
{
  uint32_t put = __atomic_load_n (&c->console_put, __ATOMIC_ACQUIRE);
  uint32_t at = c->console_taken, n = put - at;

  if (n > CHANNEL_CONSOLE_SIZE)
    {
      at = put;
      n = 0;
    }
  n = MIN (n, size);
  for (uint32_t i = 0; i < n; i++)
    text[i] = c->console[(at + i) % CHANNEL_CONSOLE_SIZE];
  __atomic_store_n (&c->console_taken, at + n, __ATOMIC_RELEASE);
  return n;
}

/* See target.h.  */
size_t
target_text (struct target *t, char *text, size_t size)
{
  size_t n = 0;

  for (struct process *p = t->processes; p != NULL && n == 0; p = p->next)
    if (p->channel.channel != NULL)
      n = take_text (p->channel.channel, text, size);
  return n;
}
