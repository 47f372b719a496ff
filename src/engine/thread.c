/* Threads.  See thread.h.

   Blocks of threads that have exited wait on free_blocks for the next thread;
   one whose kernel thread has not yet made its last step (kernel_done is 0)
   is passed over.  */

#include "engine/thread.h"
#include "arch/gate.h"
#include "common/assert.h"
#include "common/log.h"
#include "common/string.h"
#include "engine/dispatch.h"
#include "engine/heap.h"
#include "engine/park.h"
#include "engine/signal.h"
#include "engine/stop.h"

struct lock thread_lock = LOCK_INIT (LOCK_RANK_THREADS);
struct thread *thread_list;

static struct thread *free_blocks;      /* through `next' */
static uint32_t last_number;
static bool have_fsgsbase;

/* See thread.h.  */
void
thread_yield (void)
{
  raw3 (__NR_sched_yield, 0, 0, 0);
}

/* See thread.h.  */
bool
thread_has_fsgsbase (void)
{
  return have_fsgsbase;
}

/* Offsets in the mapping of a thread.  */
#define STACK_AT PAGE_SIZE
#define SIGNAL_STACK_AT (STACK_AT + THREAD_STACK_SIZE + PAGE_SIZE)
#define BLOCK_AT (SIGNAL_STACK_AT + THREAD_SIGNAL_STACK_SIZE)
#define MAPPING_SIZE (BLOCK_AT + PAGE_UP (sizeof (struct thread)))

/* See thread.h.  */

void
thread_set_gs (uint64_t base)
{
  if (have_fsgsbase)
    arch_write_gs_base (base);
  else
    raw3 (__NR_arch_prctl, RAW_ARCH_SET_GS, base, 0);
}

/* See thread.h.  */

uint64_t
thread_fs_base (const struct thread *t)
{
  uint64_t base = t->context.fs_base;
  if (have_fsgsbase)
    return arch_read_fs_base ();
  raw3 (__NR_arch_prctl, RAW_ARCH_GET_FS, RAW_PTR (&base), 0);
  return base;
}

/* See thread.h.  */

void
thread_set_fs_base (struct thread *t, uint64_t base)
{
  t->context.fs_base = base;
  if (have_fsgsbase)
    arch_write_fs_base (base);
  else
    raw3 (__NR_arch_prctl, RAW_ARCH_SET_FS, base, 0);
}

static struct thread *
map_block (void)
{
  uint8_t *p = heap_pages (MAPPING_SIZE, false, HEAP_THREAD);
  if (!p)
    return NULL;
  heap_guard (p);
  heap_guard (p + SIGNAL_STACK_AT - PAGE_SIZE);
  struct thread *t = (struct thread *) (p + BLOCK_AT);
  t->stack = p + STACK_AT;
  t->signal_stack = p + SIGNAL_STACK_AT;
  return t;
}

/* A block that nobody uses any more, or null.  */

static struct thread *
reuse_block (void)
{
  lock_acquire (&thread_lock);
  struct thread **at = &free_blocks;
  while (*at && !__atomic_load_n (&(*at)->kernel_done, __ATOMIC_ACQUIRE))
    at = &(*at)->next;
  struct thread *t = *at;
  if (t)
    *at = t->next;
  lock_release (&thread_lock);
  return t;
}

static void
reset (struct thread *t)
{
  uint8_t *stack = t->stack, *signal_stack = t->signal_stack;
  uint64_t child_channel_at = t->child_channel_at;
  memset (t, 0, sizeof *t);
  t->child_channel_at = child_channel_at;
  t->stack = stack;
  t->signal_stack = signal_stack;
  t->context.self = &t->context;
  t->context.engine_rsp = RAW_PTR (stack + THREAD_STACK_SIZE);
  t->number = __atomic_add_fetch (&last_number, 1, __ATOMIC_RELAXED);
  t->syscall = -1;
  t->state = THREAD_BORN;
}

/* See thread.h.  */

struct thread *
thread_create (void)
{
  struct thread *t = reuse_block ();
  if (!t)
    t = map_block ();
  if (t)
    reset (t);
  return t;
}

/* Put T, which is in no list, on the list of free blocks; the caller holds
   thread_lock.  */

static void
put_free (struct thread *t)
{
  t->next = free_blocks;
  free_blocks = t;
}

/* See thread.h.  */

void
thread_destroy (struct thread *t)
{
  t->kernel_done = 1;
  lock_acquire (&thread_lock);
  put_free (t);
  lock_release (&thread_lock);
}

/* See thread.h.  */

void
thread_link (struct thread *t)
{
  vm_assert (lock_held (&thread_lock));
  t->prev = NULL;
  t->next = thread_list;
  if (thread_list)
    thread_list->prev = t;
  thread_list = t;
}

/* See thread.h.  */

void
thread_unlink (struct thread *t)
{
  vm_assert (lock_held (&thread_lock));
  if (t->prev)
    t->prev->next = t->next;
  else
    thread_list = t->next;
  if (t->next)
    t->next->prev = t->prev;
  t->next = t->prev = NULL;
}

/* See thread.h.  */

void
thread_forget_others (struct thread *t)
{
  lock_acquire (&thread_lock);
  while (thread_list)
    {
      struct thread *other = thread_list;
      thread_unlink (other);
      if (other != t)
        {
          other->kernel_done = 1;
          put_free (other);
        }
    }
  for (struct thread *f = free_blocks; f; f = f->next)
    f->kernel_done = 1;
  thread_link (t);
  lock_release (&thread_lock);
}

/* See thread.h.  */

struct thread *
thread_init (const struct arch_regs *regs, bool fsgsbase)
{
  static struct thread first;   /* holds %gs while the real one is made */
  have_fsgsbase = fsgsbase;
  first.context.self = &first.context;
  thread_set_gs (RAW_PTR (&first));
  struct thread *t = thread_create ();
  vm_assert (t);
  thread_set_gs (RAW_PTR (t));
  memcpy (t->context.gpr, regs->gpr, sizeof t->context.gpr);
  t->context.rip = regs->rip;
  t->context.rflags = regs->rflags;
  t->context.fs_base = regs->fs_base;
  t->context.gs_base = regs->gs_base;
  t->tid = t->tgid = raw3 (__NR_getpid, 0, 0, 0);
  t->state = THREAD_RUNNING;
  lock_acquire (&thread_lock);
  thread_link (t);
  lock_release (&thread_lock);
  return t;
}

/* See thread.h.  */

void
thread_leave (struct thread *t, long nr, int status)
{
  signal_block_everything ();
  signal_thread_exit (t);
  dispatch_thread_gone (t);
  lock_acquire (&thread_lock);
  stop_thread_gone (t);
  thread_unlink (t);
  if (!t->owned_by_parent)
    put_free (t);
  lock_release (&thread_lock);
  park_thread_gone (t);
  arch_thread_exit (&t->kernel_done, nr, status);
}

/* See thread.h.  */

void
thread_exit (struct thread *t, int status)
{
  LOG (THREAD, "%d: exit %d", t->tid, status);
  thread_leave (t, __NR_exit, status);
}
