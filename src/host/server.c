/* See server.h.  */

#define _GNU_SOURCE
#include "host/server.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/death.h"
#include "host/namespace.h"
#include "host/tracee.h"

#define MAX_BIRTHS 256
#define MAX_DEATHS 64
#define MAX_IMAGES 4

enum pending_state { PENDING_NONE, PENDING_SEIZED, PENDING_RETURNED };

/* A process on its way to the engine.  */
struct pending
{
  enum pending_state state;
  int pid, tid;
  int call;                     /* in the hub; -1: adopted */
  unsigned skip;                /* execs to let pass */
  uint32_t generation;          /* of the image to come */
};

/* A process that dumps core, and the call by which it said so, while that is
   not answered for good; else -1.  */
struct dying
{
  struct death *death;          /* null: unused */
  int call;
};

struct server
{
  struct image images[MAX_IMAGES];
  unsigned n_images;
  const char *engine;
  bool shared;
  struct channel_options options;
  struct server_hooks hooks;
  struct pending pending[MAX_BIRTHS];
  struct dying dying[MAX_DEATHS];

  int hub_fd;
  struct channel_hub *hub;
  int event_fd;
  pthread_t waiter;
  bool waiting;                 /* the thread has been started */
  uint32_t closing;             /* it shall end */
  uint64_t cookie;

  /* What the kernel goes through when this thread dies: one element, whose
     futex is the hub's word.  */
  struct robust_list_head robust;
  struct robust_list element;
};

/* See server.h.  */
const char *
server_refusal_text (enum server_refusal r)
{
  static const char *const texts[] = {
#define SERVER_REFUSAL(NAME, TEXT) [SERVER_##NAME] = TEXT,
    SERVER_REFUSALS (SERVER_REFUSAL)
#undef SERVER_REFUSAL
  };

  return texts[r];
}

/* See server.h.  */
void
server_path (char path[CHANNEL_PATH_MAX], int fd)
{
  memset (path, 0, CHANNEL_PATH_MAX);
  snprintf (path, CHANNEL_PATH_MAX, "/proc/%d/fd/%d", getpid (), fd);
}

static void
futex_wake (uint32_t *word, int n)
{
  syscall (SYS_futex, word, FUTEX_WAKE, n, NULL, NULL, 0);
}


/* The hub.  */

/* Make a memfd NAME of SIZE bytes, mapped at *AT.  */
static int
make_shared (const char *name, size_t size, void **at)
{
  int fd = memfd_create (name, MFD_CLOEXEC);

  if (fd < 0)
    return -1;
  if (ftruncate (fd, size) == 0)
    {
      *at = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
      if (*at != MAP_FAILED)
        return fd;
    }
  close (fd);
  return -1;
}

/* Have the kernel mark the hub when this thread is no more.  */
static void
announce_life (struct server *s)
{
  s->hub->server = gettid ();
  s->robust.list.next = &s->element;
  s->element.next = &s->robust.list;
  s->robust.futex_offset = (char *) &s->hub->server - (char *) &s->element;
  s->robust.list_op_pending = NULL;
  syscall (SYS_set_robust_list, &s->robust, sizeof s->robust);
}

static bool
hub_create (struct server *s)
{
  void *at;

  s->hub_fd = make_shared ("rio-hub", HUB_SIZE, &at);
  if (s->hub_fd < 0)
    return false;
  s->hub = at;
  s->hub->magic = HUB_MAGIC;
  s->hub->version = CHANNEL_VERSION;
  announce_life (s);
  return true;
}

static void
hub_destroy (struct server *s)
{
  struct robust_list_head none = { { &none.list }, 0, NULL };

  if (s->hub_fd < 0)
    return;
  s->hub->server = HUB_SERVER_DIED;
  syscall (SYS_set_robust_list, &none, sizeof none);
  munmap (s->hub, HUB_SIZE);
  close (s->hub_fd);
}

/* The second thread: turns changes of the hub's futex into S->event_fd.  */
static void *
wait_for_events (void *data)
{
  struct server *s = data;
  uint32_t seen = 0, now;
  uint64_t one = 1;

  while (!__atomic_load_n (&s->closing, __ATOMIC_ACQUIRE))
    {
      now = __atomic_load_n (&s->hub->event, __ATOMIC_ACQUIRE);
      if (now == seen)
        {
          syscall (SYS_futex, &s->hub->event, FUTEX_WAIT, now, NULL, NULL, 0);
          continue;
        }
      seen = now;
      if (write (s->event_fd, &one, sizeof one) < 0)
        break;
    }
  return NULL;
}

static bool
waiter_start (struct server *s)
{
  sigset_t all, old;

  s->event_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (s->event_fd < 0)
    return false;
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &old);
  s->waiting = pthread_create (&s->waiter, NULL, wait_for_events, s) == 0;
  pthread_sigmask (SIG_SETMASK, &old, NULL);
  return s->waiting;
}

static void
waiter_stop (struct server *s)
{
  if (s->waiting)
    {
      __atomic_store_n (&s->closing, 1, __ATOMIC_RELEASE);
      __atomic_add_fetch (&s->hub->event, 1, __ATOMIC_RELEASE);
      futex_wake (&s->hub->event, 1);
      pthread_join (s->waiter, NULL);
    }
  if (s->event_fd >= 0)
    close (s->event_fd);
}


/* Channels.  */

static unsigned
n_slots (const struct server *s)
{
  return s->shared ? CHANNEL_MAX_THREADS : 0;
}

/* See server.h.  */
enum server_refusal
server_channel_create (const struct server *s, struct server_channel *c)
{
  uint64_t key;
  void *at;

  c->fd = make_shared ("rio-channel", channel_size (n_slots (s)), &at);
  if (c->fd < 0)
    return SERVER_NO_MEMORY;
  c->channel = at;
  c->channel->head = channel_head (n_slots (s));
  if (s->shared && getrandom (&key, sizeof key, 0) == sizeof key)
    ring_init (channel_records (c->channel), CHANNEL_RECORDS_SIZE, key,
               &c->records);
  return SERVER_OK;
}

/* See server.h.  */
void
server_channel_destroy (const struct server *s, struct server_channel *c)
{
  munmap (c->channel, channel_size (n_slots (s)));
  close (c->fd);
  c->channel = NULL;
  c->fd = -1;
}


/* Births.  */

/* Load one more image, at another base.  */
static enum server_refusal
add_image (struct server *s)
{
  enum image_refusal r
    = image_load (&s->images[s->n_images], s->engine,
                  channel_size (n_slots (s)));

  if (r != IMAGE_OK)
    return r == IMAGE_NO_MEMORY ? SERVER_NO_MEMORY : SERVER_NO_ENGINE;
  s->n_images++;
  return SERVER_OK;
}

/* For struct birth: the Nth image, made if need be.  */
static const struct image *
nth_image (void *data, unsigned n)
{
  struct server *s = data;

  if (n == s->n_images && (n == MAX_IMAGES || add_image (s) != SERVER_OK))
    return NULL;
  return &s->images[n];
}

static struct pending *
add_pending (struct server *s, int pid, int tid, int call)
{
  for (unsigned i = 0; i < MAX_BIRTHS; i++)
    if (s->pending[i].state == PENDING_NONE)
      {
        s->pending[i] = (struct pending){ .state = PENDING_SEIZED,
                                          .pid = pid,
                                          .tid = tid,
                                          .call = call };
        return &s->pending[i];
      }
  return NULL;
}

static struct pending *
find_pending (struct server *s, int call)
{
  for (unsigned i = 0; i < MAX_BIRTHS; i++)
    if (s->pending[i].state != PENDING_NONE && s->pending[i].call == call)
      return &s->pending[i];
  return NULL;
}

/* Move CALL from state FROM to state TO and wake who waits there; nothing if
   it is not in that state.  */
static void
move_call (struct server *s, int call, uint32_t from, uint32_t to)
{
  uint32_t *state = &s->hub->calls[call].state;

  if (__atomic_compare_exchange_n (state, &from, to, false, __ATOMIC_ACQ_REL,
                                   __ATOMIC_RELAXED))
    futex_wake (state, 1);
}

/* PID was seen to end, with STATUS, or could not be waited for.  */
static void
end_pending (struct server *s, struct pending *p, int status)
{
  if (p->call >= 0)
    move_call (s, p->call, HUB_GRANTED, HUB_FREE);
  if (p->tid == p->pid && s->hooks.ended != NULL)
    s->hooks.ended (s->hooks.data, p->pid, status);
  p->state = PENDING_NONE;
}

static void
fill_record (struct server *s, struct pending *p, struct channel_birth *record)
{
  memset (record, 0, sizeof *record);
  record->kick_cookie = s->cookie;
  record->pid = p->pid;
  record->server_pid = getpid ();
  record->generation = p->generation;
  record->options = s->options;
  server_path (record->hub_path, s->hub_fd);
  record->hub_fd = s->hub_fd;
  record->channel_fd = -1;
  if (s->hooks.prepare != NULL)
    s->hooks.prepare (s->hooks.data, p->pid, record);
}

/* P's exec was seen: give it the engine, if it is the one.  */
static void
give_birth (struct server *s, struct pending *p)
{
  struct birth b = {
    .image = nth_image,
    .data = s,
    .keep_mem = s->shared,
    .kill_on_refusal = p->call < 0,
  };
  struct pending was = *p;
  enum birth_refusal r;

  if (p->skip > 0)
    {
      p->skip--;
      ptrace (PTRACE_CONT, p->pid, NULL, NULL);
      return;
    }
  if (p->call >= 0)
    move_call (s, p->call, HUB_GRANTED, HUB_FREE);
  p->state = PENDING_NONE;
  fill_record (s, &was, &b.record);
  r = birth_give (&b, was.pid);
  if (r == BIRTH_OK)
    __atomic_add_fetch (&s->hub->n_births, 1, __ATOMIC_RELAXED);
  else if (was.call >= 0 && r != BIRTH_GONE)
    __atomic_add_fetch (&s->hub->n_native[r == BIRTH_FOREIGN
                                            ? HUB_NATIVE_FOREIGN
                                            : HUB_NATIVE_NO_ENGINE],
                        1, __ATOMIC_RELAXED);
  if (s->hooks.born != NULL)
    s->hooks.born (s->hooks.data, was.pid, &b, r);
}

static bool
is_job_control_stop (int sig)
{
  return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

/* P has stopped with STATUS, not for its exec.  */
static void
handle_stop (struct server *s, struct pending *p, int pid, int status)
{
  int sig = WSTOPSIG (status);

  if (status >> 16 != PTRACE_EVENT_STOP)
    ptrace (PTRACE_CONT, pid, NULL,
            sig == (SIGTRAP | 0x80) ? 0 : (void *) (long) sig);
  else if (p->state == PENDING_RETURNED)
    {
      ptrace (PTRACE_DETACH, pid, NULL, NULL);
      move_call (s, p->call, HUB_FAILED, HUB_DONE);
      p->state = PENDING_NONE;
    }
  else if (is_job_control_stop (sig))
    ptrace (PTRACE_LISTEN, pid, NULL, NULL);
  else
    ptrace (PTRACE_CONT, pid, NULL, NULL);
}

/* Whether PID is traced by this process.  */
static bool
is_traced (int pid)
{
  char path[64], line[128];
  int tracer = 0;
  FILE *f;

  snprintf (path, sizeof path, "/proc/%d/status", pid);
  f = fopen (path, "re");
  if (f == NULL)
    return false;
  while (fgets (line, sizeof line, f) != NULL)
    if (sscanf (line, "TracerPid: %d", &tracer) == 1)
      break;
  fclose (f);
  return tracer == getpid ();
}

/* The tracee PID of P cannot be waited for.  A thread that execs takes its
   leader's id, of which it is the tracee before it has stopped.  Otherwise it
   is gone.  Returns whether there is something new to look at.  */
static bool
lose_pending (struct server *s, struct pending *p, int pid)
{
  if (pid != p->tid || p->tid == p->pid)
    return false;
  if (is_traced (p->pid))
    p->tid = p->pid;
  else
    end_pending (s, p, 0);
  return true;
}

/* Look whether something has happened to the tracee PID of P.  */
static bool
poll_pending (struct server *s, struct pending *p, int pid)
{
  int status;
  int r = waitpid (pid, &status, __WALL | WNOHANG);

  if (r == 0)
    return false;
  if (r < 0)
    return lose_pending (s, p, pid);
  if (!WIFSTOPPED (status))
    end_pending (s, p, status);
  else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8))
    give_birth (s, p);
  else
    handle_stop (s, p, pid, status);
  return true;
}

/* See server.h.  */
enum server_refusal
server_adopt (struct server *s, int pid, unsigned skip)
{
  struct pending *p = add_pending (s, pid, pid, -1);

  if (p == NULL)
    return SERVER_TOO_MANY;
  p->skip = skip;
  if (ptrace (PTRACE_SEIZE, pid, NULL, tracee_options) == 0)
    return SERVER_OK;
  p->state = PENDING_NONE;
  return errno == ESRCH ? SERVER_NO_PROCESS : SERVER_NO_PTRACE;
}


/* Calls.  */

/* Whether thread TID has an engine of this server's, by the secret in its
   record, and made the call with NONCE: it may be any thread, if somebody
   wrote nonsense into the hub, or counts its processes in another pid
   namespace.  (The process may have no memory: its leader may have ended.)  */
static bool
is_caller (const struct server *s, int tid, uint64_t nonce)
{
  for (unsigned i = 0; i < s->n_images; i++)
    {
      const struct image *image = &s->images[i];
      uint64_t secret[2];       /* kick_cookie, nonce */
      struct iovec here = { secret, sizeof secret };
      struct iovec there
        = { (void *) (image->base + image->image_size
                      + offsetof (struct channel, birth.kick_cookie)),
            sizeof secret };

      if (process_vm_readv (tid, &here, 1, &there, 1, 0) == sizeof secret
          && secret[0] == s->cookie && secret[1] == nonce)
        return true;
    }
  return false;
}

/* What namespace_find needs to know.  */
struct wanted
{
  const struct server *s;
  const struct hub_call *call;
};

static bool
is_wanted (void *data, int pid)
{
  const struct wanted *w = data;
  int tid = namespace_find_thread (pid, w->call->tid);

  return tid != 0 && is_caller (w->s, tid, w->call->nonce);
}

/* Make pid and tid of CALL the server's; false: there is no such caller.  */
static bool
find_caller (const struct server *s, struct hub_call *call)
{
  struct wanted wanted = { s, call };
  int pid;

  if (call->pid > 1 && call->pid != getpid () && call->tid > 1
      && syscall (SYS_tgkill, call->pid, call->tid, 0) == 0
      && is_caller (s, call->tid, call->nonce))
    return true;
  pid = namespace_find (call->pid, is_wanted, &wanted);
  if (pid == 0)
    return false;
  call->tid = namespace_find_thread (pid, call->tid);
  call->pid = pid;
  return call->tid != 0;
}

/* A thread is about to exec.  */
static void
answer_exec (struct server *s, int i, struct hub_call *call)
{
  struct pending *p;

  if (!find_caller (s, call)
      || (p = add_pending (s, call->pid, call->tid, i)) == NULL)
    {
      move_call (s, i, HUB_ASKED, HUB_REFUSED);
      return;
    }
  p->generation = call->generation + 1;
  if (ptrace (PTRACE_SEIZE, call->tid, NULL, tracee_options) == 0)
    move_call (s, i, HUB_ASKED, HUB_GRANTED);
  else
    {
      p->state = PENDING_NONE;
      move_call (s, i, HUB_ASKED, HUB_REFUSED);
    }
}

/* A fork's child wants a channel.  */
static void
answer_fork (struct server *s, int i, const struct hub_call *call)
{
  char path[CHANNEL_PATH_MAX] = "";
  bool granted = call->pid > 1 && s->hooks.forked != NULL
                 && is_caller (s, call->pid, call->nonce)
                 && s->hooks.forked (s->hooks.data, call->pid, call->parent,
                                     path);

  if (granted)
    memcpy (s->hub->calls[i].channel_path, path, sizeof path);
  move_call (s, i, HUB_ASKED, granted ? HUB_GRANTED : HUB_REFUSED);
}

/* An exec came back: stop its thread, to let go of it.  */
static void
answer_failure (struct server *s, int i)
{
  struct pending *p = find_pending (s, i);

  if (p == NULL)
    move_call (s, i, HUB_FAILED, HUB_DONE);
  else if (p->state == PENDING_SEIZED)
    {
      p->state = PENDING_RETURNED;
      ptrace (PTRACE_INTERRUPT, p->tid, NULL, NULL);
    }
}

/* A process is about to dump core.  */
static void
answer_core (struct server *s, int i, struct hub_call *call)
{
  struct dying *d = s->dying;

  while (d < s->dying + MAX_DEATHS && d->death != NULL)
    d++;
  if (d < s->dying + MAX_DEATHS && find_caller (s, call))
    {
      d->death = death_begin (call->pid, call->tid);
      d->call = i;
    }
  else
    d = NULL;
  move_call (s, i, HUB_ASKED,
             d != NULL && d->death != NULL ? HUB_GRANTED : HUB_REFUSED);
}

static void
answer_calls (struct server *s)
{
  struct hub_call call;
  uint32_t state;

  for (int i = 0; i < HUB_N_CALLS; i++)
    {
      state = __atomic_load_n (&s->hub->calls[i].state, __ATOMIC_ACQUIRE);
      if (state == HUB_FAILED)
        answer_failure (s, i);
      if (state != HUB_ASKED)
        continue;
      memcpy (&call, &s->hub->calls[i], sizeof call);
      if (call.kind == HUB_EXEC)
        answer_exec (s, i, &call);
      else if (call.kind == HUB_FORK)
        answer_fork (s, i, &call);
      else if (call.kind == HUB_CORE)
        answer_core (s, i, &call);
      else
        move_call (s, i, HUB_ASKED, HUB_REFUSED);
    }
}

/* Look at every birth under way; true: something happened.  */
static bool
poll_births (struct server *s)
{
  bool any = false;

  for (unsigned i = 0; i < MAX_BIRTHS; i++)
    {
      struct pending *p = &s->pending[i];

      if (p->state != PENDING_NONE && p->tid != p->pid)
        any |= poll_pending (s, p, p->pid);
      if (p->state != PENDING_NONE)
        any |= poll_pending (s, p, p->tid);
    }
  return any;
}

static void
poll_death (struct server *s, struct dying *d)
{
  int status = -1, pid = death_pid (d->death);
  enum death_state state = death_poll (d->death, &status);

  if (state != DEATH_RUNNING && d->call >= 0)
    {
      move_call (s, d->call, HUB_GRANTED, HUB_DONE);
      d->call = -1;
    }
  if (state == DEATH_OVER)
    {
      death_end (d->death);
      d->death = NULL;
    }
  if (status != -1 && s->hooks.ended != NULL)
    s->hooks.ended (s->hooks.data, pid, status);
}

/* See server.h.  */
void
server_serve (struct server *s)
{
  uint64_t n;

  if (read (s->event_fd, &n, sizeof n) == sizeof n)
    answer_calls (s);
  while (poll_births (s))
    ;
  for (unsigned i = 0; i < MAX_DEATHS; i++)
    if (s->dying[i].death != NULL)
      poll_death (s, &s->dying[i]);
}


/* Life and death.  */

/* See server.h.  */
int
server_fd (const struct server *s)
{
  return s->event_fd;
}

/* See server.h.  */
struct channel_hub *
server_hub (const struct server *s)
{
  return s->hub;
}

/* See server.h.  */
bool
server_in_use (const struct server *s)
{
  bool used = false;

  for (unsigned i = 0; i < MAX_BIRTHS; i++)
    used |= s->pending[i].state != PENDING_NONE;
  for (unsigned i = 0; i < MAX_DEATHS; i++)
    used |= s->dying[i].death != NULL;
  for (unsigned i = 0; i < s->n_images && !used; i++)
    used = image_in_use (&s->images[i]);
  return used;
}

/* See server.h.  */
enum server_refusal
server_create (struct server **made, const char *engine,
               const struct channel_options *options, bool shared,
               const struct server_hooks *hooks)
{
  struct server *s = calloc (1, sizeof *s);
  enum server_refusal r;

  if (s == NULL)
    return SERVER_NO_MEMORY;
  s->engine = engine;
  s->options = *options;
  s->shared = shared;
  s->hub_fd = s->event_fd = -1;
  if (hooks != NULL)
    s->hooks = *hooks;
  if (getrandom (&s->cookie, sizeof s->cookie, GRND_NONBLOCK) < 0)
    s->cookie = (uintptr_t) s ^ (uint64_t) getpid () << 32;
  r = add_image (s);
  if (r == SERVER_OK && (!hub_create (s) || !waiter_start (s)))
    r = SERVER_NO_MEMORY;
  if (r != SERVER_OK)
    {
      server_destroy (s);
      return r;
    }
  *made = s;
  return SERVER_OK;
}

static void
let_pending_go (struct pending *p)
{
  int status;
  enum tracee_refusal r;

  if (p->state == PENDING_NONE)
    return;
  ptrace (PTRACE_INTERRUPT, p->tid, NULL, NULL);
  r = tracee_wait (p->tid, &status, 100);
  if (r == TRACEE_OK)
    ptrace (PTRACE_DETACH, p->tid, NULL, NULL);
}

/* See server.h.  */
void
server_destroy (struct server *s)
{
  for (unsigned i = 0; i < MAX_BIRTHS; i++)
    let_pending_go (&s->pending[i]);
  for (unsigned i = 0; i < MAX_DEATHS; i++)
    if (s->dying[i].death != NULL)
      death_end (s->dying[i].death);
  waiter_stop (s);
  hub_destroy (s);
  for (unsigned i = 0; i < s->n_images; i++)
    image_unload (&s->images[i]);
  free (s);
}
