/* See process.h.  */

#define _GNU_SOURCE
#include "host/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/sentry.h"

static uint32_t
load (const uint32_t *word)
{
  return __atomic_load_n (word, __ATOMIC_ACQUIRE);
}

/* See process.h.  Where a slot is does not depend on what is in there.  */
struct channel_thread *
process_slot (const struct process *p, unsigned slot)
{
  return (struct channel_thread *) ((char *) p->channel.channel
                                    + PAGE_UP (sizeof (struct channel)))
         + slot;
}

/* See process.h.  */
struct process *
process_create (const struct server *s, int pid)
{
  struct process *p = calloc (1, sizeof *p);

  if (p == NULL)
    return NULL;
  p->pid = pid;
  p->mem = -1;
  p->next_channel.fd = -1;
  p->pidfd = syscall (SYS_pidfd_open, pid, 0);
  if (p->pidfd < 0 || server_channel_create (s, &p->channel) != SERVER_OK)
    {
      if (p->pidfd >= 0)
        close (p->pidfd);
      free (p);
      return NULL;
    }
  return p;
}

/* See process.h.  */
void
process_destroy (const struct server *s, struct process *p)
{
  points_clear (&p->points);
  server_channel_destroy (s, &p->channel);
  if (p->next_channel.fd >= 0)
    server_channel_destroy (s, &p->next_channel);
  close (p->pidfd);
  if (p->mem >= 0)
    close (p->mem);
  free (p);
}

static int
open_proc (int pid, const char *name, int flags)
{
  char path[64];

  snprintf (path, sizeof path, "/proc/%d/%s", pid, name);
  return open (path, flags | O_CLOEXEC);
}

static void
read_auxv (struct process *p)
{
  int fd = open_proc (p->pid, "auxv", O_RDONLY);
  ssize_t n;

  if (fd < 0)
    return;
  n = read (fd, p->auxv, sizeof p->auxv);
  p->auxv_size = n > 0 ? n : 0;
  close (fd);
}

/* The system calls that are caught stay so over an exec, which may be one.  */
static void
copy_catch (struct channel *to, const struct channel *from)
{
  memcpy (to->catch_set, from->catch_set, sizeof to->catch_set);
  to->catch = from->catch;
}

/* Start over with the next channel.  */
static void
change_channel (const struct server *s, struct process *p)
{
  if (p->next_channel.fd < 0)
    return;
  copy_catch (p->next_channel.channel, p->channel.channel);
  server_channel_destroy (s, &p->channel);
  p->channel = p->next_channel;
  p->next_channel.fd = -1;
  memset (p->threads, 0, sizeof p->threads);
  p->n_threads = 0;
  p->started = false;
  points_clear (&p->points);
}

/* See process.h.  */
void
process_born (const struct server *s, struct process *p, const struct birth *b)
{
  change_channel (s, p);
  if (p->mem >= 0)
    close (p->mem);
  p->mem = b->mem;
  p->core_start = b->core_start;
  p->core_end = b->core_end;
  p->cookie = b->record.kick_cookie;
  p->generation = b->record.generation;
  read_auxv (p);
}

/* A fork's child has the engine's memory where its parent has it.  */
static void
copy_hidden (struct channel *to, const struct channel *from)
{
  unsigned n = MIN (load (&from->n_hidden), (uint32_t) CHANNEL_MAX_HIDDEN);

  memcpy (to->hidden, from->hidden, n * sizeof *to->hidden);
  to->n_hidden = n;
}

/* See process.h.  */
bool
process_forked (struct process *p, const struct process *parent)
{
  p->core_start = parent->core_start;
  p->core_end = parent->core_end;
  p->cookie = parent->cookie;
  p->generation = parent->generation;
  memcpy (p->auxv, parent->auxv, sizeof p->auxv);
  copy_hidden (p->channel.channel, parent->channel.channel);
  p->auxv_size = parent->auxv_size;
  p->mem = open_proc (p->pid, "mem", O_RDWR);
  return p->mem >= 0;
}


/* Threads.  */

/* See process.h.  */
void
process_look (struct process *p)
{
  unsigned used = MIN (load (&p->channel.channel->n_used),
                       (uint32_t) CHANNEL_MAX_THREADS);

  for (unsigned i = 0; i < MAX (used, p->n_threads); i++)
    {
      struct process_thread *t = &p->threads[i];
      struct channel_thread *s = process_slot (p, i);
      int tid = load (&s->state) != CHANNEL_FREE ? s->tid : 0;

      if (tid < 0)
        tid = 0;
      if (tid != t->tid)
        *t = (struct process_thread){
          .tid = tid,
          .resume = load (&s->resume) == CHANNEL_RESUME_STAY
                      ? TARGET_RESUME_STAY : TARGET_RESUME_CONTINUE,
        };
    }
  p->n_threads = used;
}

/* See process.h.  */
int
process_find (const struct process *p, int tid)
{
  for (unsigned i = 0; i < p->n_threads; i++)
    if (p->threads[i].tid == tid && tid != 0)
      return i;
  return -1;
}

/* See process.h.  */
enum channel_thread_state
process_state (const struct process *p, unsigned slot)
{
  uint32_t state = load (&process_slot (p, slot)->state);

  return state <= CHANNEL_STOPPED ? state : CHANNEL_FREE;
}

/* See process.h.  */
enum channel_stop
process_event (const struct process *p, unsigned slot)
{
  uint32_t stop = load (&process_slot (p, slot)->stop);
  enum channel_thread_state state = process_state (p, slot);

  if (p->threads[slot].tid == 0 || p->threads[slot].taken
      || stop >= CHANNEL_N_STOPS
      || (state != CHANNEL_STOPPED
          && (state != CHANNEL_SYSCALL || stop != CHANNEL_STOP_VFORK)))
    return CHANNEL_STOP_NONE;
  return stop;
}

/* See process.h.  */
bool
process_runs (struct process *p)
{
  process_look (p);
  if (!p->started)
    {
      /* Its first thread stops before it does anything.  */
      for (unsigned i = 0; i < p->n_threads; i++)
        p->started |= process_state (p, i) == CHANNEL_STOPPED;
      if (!p->started)
        return true;
    }
  for (unsigned i = 0; i < p->n_threads; i++)
    if (process_state (p, i) == CHANNEL_RUNNING)
      return true;
  return false;
}

/* See process.h.  */
void
process_kick (const struct process *p, int tid)
{
  siginfo_t info;

  memset (&info, 0, sizeof info);
  info.si_signo = CHANNEL_KICK_SIGNAL;
  info.si_code = CHANNEL_KICK_CODE;
  info.si_value.sival_ptr = (void *) p->cookie;
  sentry_call (SYS_rt_tgsigqueueinfo, p->pid, tid, CHANNEL_KICK_SIGNAL,
               (long) &info);
}

/* See process.h.  */
void
process_stop (const struct process *p)
{
  struct channel *c = p->channel.channel;
  unsigned used = MIN (load (&c->n_used), (uint32_t) CHANNEL_MAX_THREADS);

  __atomic_store_n (&c->stop_wanted, 1, __ATOMIC_SEQ_CST);
  for (unsigned i = 0; i < used; i++)
    if (process_state (p, i) == CHANNEL_RUNNING)
      process_kick (p, process_slot (p, i)->tid);
}

/* See process.h.  */
void
process_release (const struct process *p)
{
  __atomic_store_n (&p->channel.channel->stop_wanted, 0, __ATOMIC_SEQ_CST);
}

/* See process.h.  The first thread to wake wakes the others.  */
void
process_wake (const struct process *p)
{
  struct channel *c = p->channel.channel;

  __atomic_add_fetch (&c->run, 1, __ATOMIC_SEQ_CST);
  syscall (SYS_futex, &c->run, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* See process.h.  */
void
process_command (struct process *p, enum channel_request request,
                 uint64_t arg0, uint64_t arg1)
{
  struct channel *c = p->channel.channel;
  uint32_t issued = load (&c->issued);
  bool full = issued - load (&c->served) >= CHANNEL_RING;
  struct channel_command *command = &c->ring[(issued - full) % CHANNEL_RING];

  *command = (struct channel_command){ .request = request };
  command->arg[0] = full ? 0 : arg0;
  command->arg[1] = full ? UINT64_MAX : arg1;
  __atomic_store_n (&c->issued, issued + !full, __ATOMIC_RELEASE);
}


/* Questions.  */

#define ASK_LIMIT 5000000       /* microseconds */
#define ASK_PAUSE 200

/* Whether a thread of P waits, and can answer.  */
static bool
anyone_waits (struct process *p)
{
  bool any = false;

  process_look (p);
  for (unsigned i = 0; i < p->n_threads; i++)
    any |= process_state (p, i) == CHANNEL_STOPPED;
  return any;
}

/* A copy of the N bytes at FROM, at most CHANNEL_TEXT_SIZE, of which only what
   can be printed is kept, and CLOSING.  */
static char *
copy_text (const char *from, size_t n, const char *closing)
{
  char *text;

  n = MIN (n, CHANNEL_TEXT_SIZE);
  text = malloc (n + strlen (closing) + 1);
  if (text == NULL)
    return NULL;
  memcpy (text, from, n);
  for (size_t i = 0; i < n; i++)
    if (text[i] != '\n' && (text[i] < ' ' || text[i] > '~'))
      text[i] = '?';
  strcpy (text + n, closing);
  return text;
}

/* See process.h.  */
enum target_refusal
process_ask (struct process *p, enum channel_question question, uint64_t arg,
             char **text)
{
  struct channel *c = p->channel.channel;
  uint32_t asked = load (&c->asked) + 1;

  if (!anyone_waits (p))
    return TARGET_NO_THREAD;
  c->question = question;
  c->question_arg = arg;
  __atomic_store_n (&c->asked, asked, __ATOMIC_RELEASE);
  process_wake (p);
  for (unsigned us = 0; load (&c->answered) != asked; us += ASK_PAUSE)
    {
      if (us >= ASK_LIMIT)
        return TARGET_LOST;
      usleep (ASK_PAUSE);
    }
  *text = copy_text (c->text, load (&c->text_size),
                     load (&c->text_cut) != 0 ? "(There is more.)\n" : "");
  return *text != NULL ? TARGET_OK : TARGET_TOO_MANY;
}


/* Memory.  */

/* Cut [ADDR, ADDR + *LENGTH) down to what lies in front of the engine's range
   [START, END).  */
static void
cut (app_addr addr, size_t *length, uint64_t start, uint64_t end)
{
  if (start < end && addr < end && addr + *length > start)
    *length = addr >= start ? 0 : start - addr;
}

/* How many of the LENGTH bytes at ADDR are the program's.  */
static size_t
visible (const struct process *p, app_addr addr, size_t length)
{
  const struct channel *c = p->channel.channel;
  unsigned n = MIN (load (&c->n_hidden), (uint32_t) CHANNEL_MAX_HIDDEN);

  if (addr > INT64_MAX)
    return 0;                   /* the vsyscall page, and the kernel's half */
  length = MIN (length, INT64_MAX - addr);
  cut (addr, &length, p->core_start, p->core_end);
  for (unsigned i = 0; i < n; i++)
    {
      struct channel_range r = c->hidden[i];

      cut (addr, &length, r.start, r.end);
    }
  return length;
}

/* See process.h.  */
bool
process_hides (const struct process *p, app_addr start, app_addr end)
{
  return visible (p, start, end - start) != end - start;
}

/* See process.h.  */
size_t
process_read (struct process *p, app_addr addr, void *buffer, size_t length)
{
  size_t done = 0;
  ssize_t n;

  length = visible (p, addr, length);
  while (done < length)
    {
      n = pread (p->mem, (char *) buffer + done, length - done, addr + done);
      if (n <= 0)
        break;
      done += n;
    }
  return done;
}

/* See process.h.  */
size_t
process_write (struct process *p, app_addr addr, const void *buffer,
               size_t length)
{
  size_t done = 0;
  ssize_t n;

  length = visible (p, addr, length);
  while (done < length)
    {
      n = pwrite (p->mem, (const char *) buffer + done, length - done,
                  addr + done);
      if (n <= 0)
        break;
      done += n;
    }
  if (done > 0)
    process_command (p, CHANNEL_REQUEST_DIRTY, addr, done);
  return done;
}

/* See process.h.  */
void
process_publish_points (struct process *p)
{
  points_publish (&p->points, p->channel.channel);
}
