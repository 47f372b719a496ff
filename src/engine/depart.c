/* See depart.h.  */

#include "engine/depart.h"
#include "common/format.h"
#include "common/log.h"
#include "common/string.h"
#include "engine/call.h"
#include "engine/heap.h"
#include "engine/main.h"
#include "engine/memory-calls.h"
#include "engine/options.h"
#include "engine/park.h"
#include "engine/start.h"

#define MAGIC 0x726f6f642d6f6972ull     /* "rio-door" */
#define LOOK_NS 20000000ul      /* between looks at who has come */
#define NAP_NS 1000000ul        /* between looks at another process */
#define PATIENCE 5000           /* naps */
#define STATUS_SIZE 4096ul      /* of /proc/PID/status, as far as it matters */

enum door_state { FOLLOWED, DEPARTING, NATIVE };

struct door
{
  uint64_t magic, cookie;
  uint32_t state;               /* enum door_state; a futex */
  uint32_t refused;
  uint32_t image;               /* which one of its process */
};

static struct door door;

/* See depart.h.  */
void
depart_init (void)
{
  door = (struct door){ .magic = MAGIC, .cookie = channel->birth.kick_cookie,
                        .image = channel->birth.generation };
}

/* See depart.h.  */
void
depart_after_fork (struct thread *t)
{
  t->departing = false;
  door.state = FOLLOWED;
}

/* See depart.h.  */
bool
depart_signal (int sig, const struct linux_siginfo *info)
{
  uint32_t followed = FOLLOWED;

  if (sig != CHANNEL_KICK_SIGNAL || info->code != CHANNEL_DEPART_CODE
      || info->queue.value != channel->birth.kick_cookie)
    return false;
  __atomic_compare_exchange_n (&door.state, &followed, DEPARTING, false,
                               __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return true;
}

static uint32_t
state (void)
{
  return __atomic_load_n (&door.state, __ATOMIC_SEQ_CST);
}

/* See depart.h.  */
bool
depart_wanted (void)
{
  return state () != FOLLOWED;
}

/* Whether other processes run in this memory.  */
static bool
is_shared (const struct thread *t)
{
  bool shared = false;

  lock_acquire (&thread_lock);
  for (const struct thread *o = thread_list; o; o = o->next)
    shared |= o->tgid != t->tgid;
  lock_release (&thread_lock);
  return shared;
}

static void
refuse (void)
{
  __atomic_add_fetch (&door.refused, 1, __ATOMIC_SEQ_CST);
  __atomic_store_n (&door.state, FOLLOWED, __ATOMIC_SEQ_CST);
}

/* T has come.  Kick those who have not, if KICK; returns whether there are
   any.  */
static bool
others_miss (struct thread *t, bool kick)
{
  bool missing = false;

  lock_acquire (&thread_lock);
  t->departing = true;
  for (struct thread *o = thread_list; o; o = o->next)
    if (!o->departing)
      {
        missing = true;
        if (kick)
          signal_kick (o);
      }
  lock_release (&thread_lock);
  return missing;
}

/* All threads are here.  One of them, and one only, makes what belongs to the
   process the program's.  */
static void
go_native (struct thread *t)
{
  static uint32_t done;
  uint32_t zero = 0;

  if (!__atomic_compare_exchange_n (&done, &zero, 1, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST))
    return;
  memory_calls_undo ();
  signal_restore_actions (t);
  call_count_native (HUB_NATIVE_TRACED);
  LOG (PROCESS, "process %d: goes native, to be traced", t->tgid);
  __atomic_store_n (&door.state, NATIVE, __ATOMIC_SEQ_CST);
  futex_wake (&door.state, INT32_MAX, false);
}

/* See depart.h.  A thread that exits meanwhile wakes nobody, so those who wait
   look from time to time.  */
void
depart (struct thread *t)
{
  if (options.debug || is_shared (t))
    {
      refuse ();
      return;
    }
  (void) signal_vector (t);
  signal_block_everything ();
  park_enter_syscall (t);
  if (!others_miss (t, true))
    go_native (t);
  while (state () != NATIVE)
    {
      futex_wait (&door.state, DEPARTING, false, LOOK_NS);
      if (state () != NATIVE && !others_miss (t, false))
        go_native (t);
    }
  signal_leave_native (t);
}


/* The tracer's side.  */

/* Copy the door of TID's process to *D.  False: it is not of the tree, or the
   calling process may not look.  */
static bool
look (int tid, struct door *d)
{
  struct { const void *at; uint64_t size; } here = { d, sizeof *d },
                                            there = { &door, sizeof door };

  return raw6 (__NR_process_vm_readv, tid, RAW_PTR (&here), 1,
               RAW_PTR (&there), 1, 0)
         == (long) sizeof *d
         && d->magic == MAGIC && d->cookie == door.cookie;
}

static void
nap (void)
{
  uint32_t nothing = 0;

  futex_wait (&nothing, 0, false, NAP_NS);
}

static void
ask (int tid)
{
  struct linux_siginfo info = { .signo = CHANNEL_KICK_SIGNAL,
                                .code = CHANNEL_DEPART_CODE };

  info.queue.value = door.cookie;
  raw3 (__NR_rt_sigqueueinfo, tid, CHANNEL_KICK_SIGNAL, RAW_PTR (&info));
}

/* Read the file PATH to TEXT, of STATUS_SIZE bytes; how many there are.  */
static long
read_file (const char *path, char *text)
{
  long fd = raw4 (__NR_openat, RAW_AT_FDCWD, RAW_PTR (path),
                  RAW_O_RDONLY | RAW_O_CLOEXEC, 0);
  long n;

  if (fd < 0)
    return fd;
  n = raw3 (__NR_read, fd, RAW_PTR (text), STATUS_SIZE);
  raw3 (__NR_close, fd, 0, 0);
  return n;
}

/* The set of signals that TID blocks; 0: it is not there.  */
static linux_sigset
blocked (int tid)
{
  char path[32], *text = heap_alloc (STATUS_SIZE, HEAP_SIGNAL);
  linux_sigset set = 0;
  long n;

  if (!text)
    return 0;
  format_text (path, sizeof path, "/proc/%d/status", tid);
  n = read_file (path, text);
  if (n > 0)
    set = string_find_number (text, (size_t) n, "SigBlk:\t");
  heap_free (text, STATUS_SIZE, HEAP_SIGNAL);
  return set;
}

/* The process of TID is native: wait until TID itself has made its last step
   in the engine, which lets signals through that no program blocks.  */
static void
wait_for_last_step (int tid)
{
  linux_sigset all = ~SIGNAL_UNBLOCKABLE;

  for (unsigned n = 0; n < PATIENCE && blocked (tid) == all; n++)
    nap ();
}

/* One process at a time asks: a signal that comes to one that is native by
   then would be the end of it.  */
static bool
acquire (uint32_t *asker, uint32_t self)
{
  for (unsigned n = 0; n < PATIENCE; n++)
    {
      uint32_t was = 0;

      if (__atomic_compare_exchange_n (asker, &was, self, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return true;
      if (raw3 (__NR_kill, was, 0, 0) == -RAW_ESRCH)
        __atomic_compare_exchange_n (asker, &was, 0, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST);
      else
        nap ();
    }
  return false;
}

/* Ask TID's process, whose door was OLD, each new image of it anew, until it
   has answered.  */
static bool
ask_until_answered (int tid, struct door old)
{
  struct door d = old;

  ask (tid);
  for (unsigned n = 0; n < PATIENCE; n++)
    {
      nap ();
      if (!look (tid, &d) || d.state == NATIVE)
        return true;
      if (d.image != old.image)
        {
          old = d;
          ask (tid);
        }
      else if (d.refused != old.refused)
        return false;
    }
  return false;
}

/* See depart.h.  */
bool
depart_ask (struct thread *t, int tid)
{
  struct channel_hub *hub = engine_hub ();
  struct door d;
  bool left = true;

  if (!hub || !look (tid, &d))
    return true;
  if (!acquire (&hub->asker, (uint32_t) t->tgid))
    return false;
  if (look (tid, &d) && d.state != NATIVE)
    left = ask_until_answered (tid, d);
  __atomic_store_n (&hub->asker, 0, __ATOMIC_SEQ_CST);
  if (left)
    wait_for_last_step (tid);
  return left;
}
