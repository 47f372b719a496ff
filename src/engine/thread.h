/* A thread of the application, as the engine has it: the block at %gs:0.

   Owns the block, the engine's stack and the engine's signal stack of each
   thread, the list of threads that share this address space, and birth and
   exit of a thread.  One mapping a thread, reused by later threads:

       guard | engine stack | guard | signal stack | struct thread

   States (thread.c performs each, but for PARKED: park.c):

     BORN -> RUNNING    first entry of dispatch_run
     RUNNING <-> SYSCALL  around a system call that may block
     RUNNING -> PARKED -> RUNNING   a stop
     any -> DEAD        exit; the block is reused when `kernel_done' is set

   Invariants:
   1. %gs base of a kernel thread that may run emitted or engine code is its
      struct thread.
   2. Signals that can arrive at any time find a free slot: after one has
      been taken, all asynchronous ones stay blocked until it is delivered.
   3. context.interrupted is set before a reason to leave the cache exists that
      concerns this thread, and cleared only by the thread itself, before it
      looks at the reasons.  */

#ifndef ENGINE_THREAD_H
#define ENGINE_THREAD_H

#include "arch/context.h"
#include "channel/channel.h"
#include "engine/lock.h"
#include "engine/signal.h"
#include "linux/raw.h"

enum thread_state
{
  THREAD_BORN, THREAD_RUNNING, THREAD_SYSCALL, THREAD_PARKED, THREAD_DEAD
};

/* What a thread has last read of a file with the status of one: LENGTH bytes
   up to offset END of descriptor FD.  */
#define THREAD_STATUS_TAIL 32
struct thread_status
{
  int32_t fd;
  uint32_t length;
  uint64_t end;
  char tail[THREAD_STATUS_TAIL];
};

struct thread
{
  struct arch_context context;
  uint32_t state;               /* enum thread_state */
  uint32_t kernel_done;         /* 0 while the kernel may still use the block:
                                   set by the last instruction before exit */
  uint32_t number;              /* of the engine's own, never reused */

  int32_t tid, tgid;            /* as this pid namespace has them */
  struct thread *next, *prev;   /* in the list of live threads */
  struct channel_thread *slot;  /* null without a channel, or too many */
  const struct channel_thread *parent_slot;     /* of who made it; or null */
  struct channel *channel;      /* of a vfork child; null: the process's */
  bool detached;                /* the debugger has left that child */
  struct thread *waits_for_us;  /* the parent of a vfork child */
  uint64_t child_channel_at;    /* reserved for such children; 0: not yet */

  struct signal_state signals;

  /* System calls.  */
  int64_t syscall;              /* number, while in one; else -1 */
  bool stopped_in_call;         /* for the debugger, in the last one */
  bool kicked_out;              /* a kick made the call return EINTR */

  /* In the cache to do one instruction, which is at stepping_from.  */
  bool stepping;
  app_pc stepping_from;

  bool departing;               /* depart.h: it has come */
  bool unaligned;               /* alignment.h: AGAIN */

  /* The application's trap flag, while the thread is in the cache for the one
     instruction of it; that is one of a repeated instruction, whose count and
     arithmetic flags follow.  */
  bool trapping, one_of;
  uint64_t one_of_rcx, one_of_flags;

  /* Of a breakpoint that has been dealt with and shall be passed; 0: none.  A
     signal's handler may run before that.  */
  app_pc passing;
  uint64_t passing_rsp;

  /* The same for an instruction in front of which a rule has done what it
     does: its code looks, passes, and forgets that.  */
  app_pc ruled;
  uint64_t ruled_rsp;

  struct thread_status status;  /* proc-status.c */

  uint64_t tried;               /* of code_change_store */
  bool owned_by_parent;         /* a vfork child: the parent frees the block */
  uint64_t lock_ranks;          /* ranks held, a bit each */

  uint8_t *stack, *signal_stack;        /* lowest byte of each */
  void *debug_data;             /* the debugger's own, per thread */
};

#define THREAD_STACK_SIZE (64 * 1024ul)
#define THREAD_SIGNAL_STACK_SIZE (64 * 1024ul)

/* The calling thread.  */
static inline struct thread *
thread_self (void)
{
  struct thread *t;
  __asm__ volatile ("mov %%gs:0, %0" : "=r"(t));
  return t;
}

/* Rules have done what they do in front of the instruction at T's
   context.  */
static inline void
thread_set_ruled (struct thread *t)
{
  t->ruled = t->context.rip;
  t->ruled_rsp = t->context.gpr[ARCH_RSP];
}

/* Make the first thread, with the application state REGS, and make it the
   caller's: %gs base is set.  FSGSBASE: the instructions of that name may be
   used (bit 1 of AT_HWCAP2).  */
struct thread *thread_init (const struct arch_regs *regs, bool fsgsbase);

/* Make a block for a new thread: engine_rsp is set, the context is zero.
   Null when memory is out.  */
MUST_USE struct thread *thread_create (void);

/* Give back the block of T, which never ran or has left for good.  */
void thread_destroy (struct thread *t);

/* End the calling thread by exit (STATUS): never returns.  The block is free
   for reuse from the moment on at which this thread touches it no more.  */
NORETURN void thread_exit (struct thread *t, int status);

/* The same by system call NR, exit or exit_group.  */
NORETURN void thread_leave (struct thread *t, long nr, int status);

/* What thread_init was told.  */
bool thread_has_fsgsbase (void);

/* Let other threads run.  */
void thread_yield (void);

/* Set the kernel's %gs base of the calling thread to BASE.  */
void thread_set_gs (uint64_t base);

/* The lock of the list, and the list.  */
extern struct lock thread_lock;
extern struct thread *thread_list;

/* T is linked into, or out of, the list; the caller holds thread_lock.  */
void thread_link (struct thread *t);
void thread_unlink (struct thread *t);

/* All threads but T have vanished (fork): drop their blocks.  */
void thread_forget_others (struct thread *t);

/* The application's fs base of T, the calling thread, read from where it
   lives.  */
uint64_t thread_fs_base (const struct thread *t);
void thread_set_fs_base (struct thread *t, uint64_t base);

#endif
