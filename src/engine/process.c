/* Processes.  See process.h.

   Fork holds every lock of the engine, in order of rank, over the call, so
   that the child finds all of them its own and nothing half done.  The code
   memory is shared until the child has copied it: until then no thread of the
   parent may change it (process_wait_for_copy); they go on running in it.
   `copied' is a page that both see.  */

#include "engine/process.h"
#include "arch/enter.h"
#include "arch/gate.h"
#include "common/assert.h"
#include "common/log.h"
#include "common/string.h"
#include "engine/areas.h"
#include "engine/call.h"
#include "engine/depart.h"
#include "engine/dispatch.h"
#include "engine/events.h"
#include "engine/gate.h"
#include "engine/heap.h"
#include "engine/main.h"
#include "engine/memory-calls.h"
#include "engine/options.h"
#include "engine/park.h"
#include "engine/signal.h"
#include "engine/stats.h"
#include "engine/stop.h"
#include "linux/syscall.h"

#define COPY_CHECK_NS 20000000ul        /* look after the child every 20 ms */

enum { POLLIN_ = 1 };

gate_function gate_clone, gate_clone3, gate_fork, gate_vfork, gate_exit,
  gate_exit_group;

/* What any of the four calls asks for, and how it is issued.  */
struct request
{
  struct linux_clone_args want;
  int64_t nr;
  uint64_t args[6];
  struct linux_clone_args kernel;       /* of clone3, as the kernel gets it */
};

/* The first steps of a child that shares memory, on its engine stack, with
   all signals blocked.  */

NORETURN static void
child_main (void *arg)
{
  struct thread *t = arg;
  thread_set_gs (RAW_PTR (t));
  t->tid = raw3 (__NR_gettid, 0, 0, 0);
  if (!t->tgid)
    t->tgid = t->tid;
  signal_use_stack (t);
  if (t->waits_for_us)
    stop_vfork_child (t);
  else
    stop_thread_begins (t);
  LOG (THREAD, "%d: begins at %#lx", t->tid, t->context.rip);
  park_leave_syscall (t);
  signal_mask_sync (t);
  arch_restart (&t->context, ARCH_EXIT_RESUMED);
}

/* The state in which a child returns from the call of T.  */

static void
copy_context (struct arch_context *to, struct thread *t,
              const struct linux_clone_args *a)
{
  const struct arch_context *from = &t->context;
  memcpy (to->gpr, from->gpr, sizeof to->gpr);
  to->gpr[ARCH_RAX] = 0;
  to->gpr[ARCH_RCX] = from->rip;
  to->gpr[ARCH_R11] = from->rflags;
  if (a->stack)
    to->gpr[ARCH_RSP] = a->stack + a->stack_size;
  to->rip = from->rip;
  to->rflags = from->rflags;
  to->gs_base = from->gs_base;
  to->fs_base = a->flags & RAW_CLONE_SETTLS ? a->tls : thread_fs_base (t);
}

/* A block for the child that R asks for, linked; null: memory is out.  */

static struct thread *
make_child (struct thread *t, const struct linux_clone_args *a)
{
  struct thread *child = thread_create ();
  if (!child)
    return NULL;
  if (!signal_clone (child, t, a->flags))
    {
      thread_destroy (child);
      return NULL;
    }
  copy_context (&child->context, t, a);
  child->tgid = a->flags & RAW_CLONE_THREAD ? t->tgid : 0;
  child->owned_by_parent = a->flags & RAW_CLONE_VFORK;
  child->waits_for_us = child->owned_by_parent ? t : NULL;
  lock_acquire (&thread_lock);
  child->parent_slot = a->flags & RAW_CLONE_THREAD ? t->slot : NULL;
  if (a->flags & RAW_CLONE_THREAD)
    stop_thread_born (child);
  thread_link (child);
  lock_release (&thread_lock);
  return child;
}

/* CHILD never ran, or was a vfork child and is gone from this memory.  */

static void
drop_child (struct thread *child)
{
  dispatch_thread_gone (child);
  lock_acquire (&thread_lock);
  stop_thread_gone (child);
  if (child->state != THREAD_DEAD)
    thread_unlink (child);
  child->state = THREAD_DEAD;
  lock_release (&thread_lock);
  signal_thread_exit (child);
  thread_destroy (child);
}

/* Put the child's engine stack into what the kernel gets.  */

static void
set_stack (struct request *r, struct thread *child)
{
  void *top = (void *) child->context.engine_rsp;
  uint64_t sp = RAW_PTR (arch_child_stack (top, child_main, child));
  r->kernel.stack = RAW_PTR (child->stack);
  r->kernel.stack_size = sp - r->kernel.stack;
  if (r->nr == __NR_clone)
    r->args[1] = sp;
}

/* CHILD, number NUMBER, was made with the id TID, and need not have had its
   turn: a stop that this thread comes to next shall show it, though.  It may
   be gone, and another in its place.  */

static void
show_child (struct thread *child, uint32_t number, int tid)
{
  lock_acquire (&thread_lock);
  if (child->number == number)
    stop_thread_made (child, tid);
  lock_release (&thread_lock);
}

static long
clone_sharing (struct thread *t, struct request *r)
{
  bool vfork = r->want.flags & RAW_CLONE_VFORK;
  if (vfork && !stop_enter_syscall (t))
    return GATE_AGAIN;
  struct thread *child = make_child (t, &r->want);
  if (!child && vfork)
    stop_leave_syscall (t);
  if (!child)
    return -RAW_ENOMEM;
  set_stack (r, child);
  uint32_t number = child->number;
  STATS_COUNT (THREADS);
  signal_block_everything ();
  park_enter_syscall (t);
  long pid = arch_syscall (r->nr, r->args);
  if (pid > 0 && r->want.flags & RAW_CLONE_THREAD)
    show_child (child, number, pid);
  park_leave_syscall (t);
  if (vfork)
    {
      stop_vfork_done (t, child, pid);
      stop_leave_syscall (t);
    }
  if (vfork || pid < 0)
    drop_child (child);
  if (pid > 0 && (r->want.flags & RAW_CLONE_THREAD)
      && stop_wants (t, CHANNEL_WANTS_THREADS))
    stop_report_in_call (t, CHANNEL_STOP_CLONE, pid);
  signal_mask_sync (t);
  return pid;
}

static void
lock_all (struct thread *t)
{
  lock_acquire (&thread_lock);
  memory_calls_acquire ();
  dispatch_before_fork ();
  areas_before_fork ();
  lock_acquire (&t->signals.sighand->lock);
  heap_before_fork ();
}

static void
unlock_all (struct thread *t)
{
  heap_after_fork ();
  lock_release (&t->signals.sighand->lock);
  areas_after_fork ();
  dispatch_release_after_fork ();
  memory_calls_release ();
  lock_release (&thread_lock);
}

/* A page that is shared with the child to be; null: there is none.  */

static uint32_t *
share_page (void)
{
  long r = raw6 (__NR_mmap, core_reserve (PAGE_SIZE, PAGE_SIZE), PAGE_SIZE,
                 RAW_PROT_READ | RAW_PROT_WRITE,
                 RAW_MAP_SHARED | RAW_MAP_ANONYMOUS
                   | RAW_MAP_FIXED_NOREPLACE,
                 -1, 0);
  return RAW_FAILED (r) ? NULL : (uint32_t *) r;
}

/* PID runs no more.  It need not be a child of the caller's: that may be a
   child of vfork, whose parent has forked.  */

static bool
is_gone (int pid)
{
  struct { int32_t fd; int16_t events, returned; } poll
    = { .events = POLLIN_ };
  long fd = raw3 (__NR_pidfd_open, pid, 0, 0);
  if (fd < 0)
    return fd == -RAW_ESRCH;
  poll.fd = fd;
  long r = raw3 (__NR_poll, RAW_PTR (&poll), 1, 0);
  raw3 (__NR_close, fd, 0, 0);
  return r > 0;
}

/* The child that may still be copying, guarded by the cache lock; and its
   page, null: there is none.  */
static uint32_t *copied;
static int copier;

/* See process.h.  */

void
process_wait_for_copy (void)
{
  if (!copied)
    return;
  while (!__atomic_load_n (copied, __ATOMIC_ACQUIRE) && !is_gone (copier))
    futex_wait (copied, 0, true, COPY_CHECK_NS);
  raw3 (__NR_munmap, RAW_PTR (copied), PAGE_SIZE, 0);
  copied = NULL;
}

/* The child's first steps: all locks are its own.  */

static void
become_child (struct thread *t, const struct request *r, uint32_t *page)
{
  int parent = t->tgid;
  t->tid = t->tgid = raw3 (__NR_getpid, 0, 0, 0);
  pending_after_fork (t);
  unlock_all (t);
  thread_forget_others (t);
  park_after_fork (t);
  depart_after_fork (t);
  stats_after_fork ();
  dispatch_after_fork ();
  __atomic_store_n (page, 1, __ATOMIC_RELEASE);
  futex_wake (page, 1, true);
  raw3 (__NR_munmap, RAW_PTR (page), PAGE_SIZE, 0);
  if (r->want.stack)
    t->context.gpr[ARCH_RSP] = r->want.stack + r->want.stack_size;
  if (r->want.flags & RAW_CLONE_SETTLS)
    t->context.fs_base = r->want.tls;
  if (r->want.flags & RAW_CLONE_CLEAR_SIGHAND)
    signal_clear_actions (t);
  if (options.debug && !call_fork (channel, t->tgid, parent))
    options.debug = 0;
  stop_after_fork (t);
  events_forked (t);
  LOG (PROCESS, "process %d: born by fork", t->tgid);
}

static long
clone_copying (struct thread *t, struct request *r)
{
  uint32_t *page = share_page ();
  if (!page)
    return -RAW_ENOMEM;
  r->kernel.stack = r->kernel.stack_size = 0;
  if (r->nr == __NR_clone)
    r->args[1] = 0;
  STATS_COUNT (FORKS);
  signal_block_everything ();
  lock_all (t);
  long pid = arch_syscall (r->nr, r->args);
  if (pid == 0)
    become_child (t, r, page);
  else
    {
      copied = page;
      copier = pid;
      if (pid < 0)
        *page = 1;
      unlock_all (t);
    }
  signal_mask_sync (t);
  if (pid == 0 && !options.follow)
    {
      t->context.gpr[ARCH_RAX] = 0;
      call_count_native (HUB_NATIVE_NOT_FOLLOWED);
      signal_go_native (t);
    }
  return pid;
}

static long
do_clone (struct thread *t, struct request *r)
{
  if (r->want.flags & RAW_CLONE_VM)
    return clone_sharing (t, r);
  long pid = clone_copying (t, r);
  if (pid > 0 && stop_wants (t, CHANNEL_WANTS_FORK))
    stop_report_in_call (t, CHANNEL_STOP_FORK, pid);
  return pid;
}

/* See calls.def for these.  */

long
gate_clone (struct thread *t)
{
  struct request r = { .nr = __NR_clone };
  for (unsigned n = 0; n < 6; n++)
    r.args[n] = gate_arg (t, n);
  r.want.flags = (uint32_t) r.args[0];
  r.want.stack = r.args[1];
  r.want.tls = r.args[4];
  return do_clone (t, &r);
}

long
gate_fork (struct thread *t)
{
  struct request r = { .nr = __NR_fork };
  return do_clone (t, &r);
}

long
gate_vfork (struct thread *t)
{
  struct request r = { .nr = __NR_clone };
  r.want.flags = RAW_CLONE_VM | RAW_CLONE_VFORK;
  r.args[0] = r.want.flags | RAW_SIGCHLD;
  return do_clone (t, &r);
}

/* The SIZE bytes at ADDR are zero.  */

static bool
is_zero (app_addr addr, uint64_t size)
{
  uint64_t word;
  for (uint64_t n; size; addr += n, size -= n)
    {
      n = MIN (size, sizeof word);
      word = 0;
      if (!safe_read (&word, addr, n) || word)
        return false;
    }
  return true;
}

/* The first version of the structure has 64 bytes; what the kernel or this
   engine does not know must be zero.  */

long
gate_clone3 (struct thread *t)
{
  struct request r = { .nr = __NR_clone3 };
  uint64_t size = gate_arg (t, 1);
  if (size > sizeof r.want && size <= PAGE_SIZE
      && is_zero (gate_arg (t, 0) + sizeof r.want, size - sizeof r.want))
    size = sizeof r.want;
  if (size < 64 || size > sizeof r.want)
    return gate_issue (t);      /* refused by the kernel: too small, too
                                   large, or not zero */
  if (!safe_read (&r.want, gate_arg (t, 0), size))
    return -RAW_EFAULT;
  if (!r.want.stack != !r.want.stack_size)
    return -RAW_EINVAL;
  r.kernel = r.want;
  r.args[0] = RAW_PTR (&r.kernel);
  r.args[1] = size;
  return do_clone (t, &r);
}

long
gate_exit (struct thread *t)
{
  if (stop_wants (t, CHANNEL_WANTS_THREADS))
    stop_report (t, CHANNEL_STOP_THREAD_EXIT, 0, gate_arg (t, 0));
  if (t->channel || (t == thread_list && !t->next))
    {
      stats_print (t->tgid);
      stop_process_exit (t, (gate_arg (t, 0) & 0xff) << 8);
    }
  thread_exit (t, gate_arg (t, 0));
}

/* See process.h.  */

void
process_exit (struct thread *t, int status)
{
  LOG (PROCESS, "process %d: exit %d", t->tgid, status);
  stats_print (t->tgid);
  stop_process_exit (t, (status & 0xff) << 8);
  thread_leave (t, __NR_exit_group, status);
}

long
gate_exit_group (struct thread *t)
{
  process_exit (t, gate_arg (t, 0));
}
